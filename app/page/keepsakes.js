/* What is kept of a poem: its text, its link, its picture, its place on the shelf, its star.

   The scripts of the picture and of the album come when they are first asked for. */

import { Shelf } from "./shelf.js";
import { punctuated } from "./sheet.js";
import * as wish from "./wishes.js";

export class Keepsakes {
  /* status(key, bad) says how it went; open(entry) lays a poem of the shelf on the sheet. */
  constructor(manuscript, speech, { status, open }) {
    this.$ = (id) => document.getElementById(id);
    Object.assign(this, { manuscript, speech, status, open });
    this.shelf = new Shelf();
    const on = (id, act) => this.$(id).addEventListener("click", act);
    on("copy", () => this.copy(this.text, "status.copied", "error.copy"));
    on("link", () => this.copy(location.href, "status.linked", "status.linked.here"));
    on("picture", () => this.wishForPicture());
    on("star", () => this.star());
    on("shelf", () => this.showAlbum());
  }

  get text() {
    const { title, text } = this.manuscript.poem;
    return [title, text].filter(Boolean).join("\n");
  }

  /* The poem on the sheet as the shelf keeps it: one poem in two scripts is one entry. */
  get entry() {
    const { poem, order: { wishes }, answer } = this.manuscript, { seed, lines, title } = poem;
    const id = wish.toFragment({ ...wishes, script: "" }, poem, answer.model);
    const state = { seed, wishes, answer: { ...answer, poems: [poem] }, chosen: 0 };
    return { id, at: Date.now(), favourite: false, title: title || "", lines, script: wishes.script, state };
  }

  async copy(text, done, failed) {
    try {
      await navigator.clipboard.writeText(text);
      this.status(done);
    } catch {
      this.status(failed);
    }
  }

  /* What the picture is to be like. */
  async imprint() {
    const { Imprint } = await import("./imprint.js");
    this.making ??= Imprint.make(this.speech, () => this.savePicture()).catch((error) => {
      this.making = null; // next time, perhaps
      throw error;
    });
    return this.making;
  }

  async wishForPicture() {
    try {
      (await this.imprint()).turn();
    } catch {
      this.status("error.gone", true);
    }
  }

  async savePicture(poem = this.manuscript.poem) {
    try {
      const { draw } = await import("./picture.js"), imprint = await this.imprint();
      const { title, lines, stanzas } = poem, link = document.createElement("a");
      const font = getComputedStyle(this.manuscript.sheet.element).fontFamily;
      const blob = await draw({ title, stanzas, lines: punctuated(poem), font, ...imprint.wishes(poem) });
      link.href = URL.createObjectURL(blob);
      link.download = `${title || lines[0]}.png`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
      this.status("status.saved");
    } catch {
      this.status("error.picture", true);
    }
  }

  /* Puts the poem on the shelf, where the browser has one. */
  async keep() {
    this.kept = this.shelf.keep(this.entry).catch(() => {});
    await this.kept;
    await this.showStar();
  }

  async star() {
    const favourite = this.$("star").ariaPressed !== "true", { entry } = this;
    try {
      await this.shelf.keep(entry); // it may have been deleted
      await this.shelf.favour(entry.id, favourite);
      this.$("star").ariaPressed = String(favourite);
      this.status(favourite ? "status.starred" : "status.unstarred");
    } catch {
      this.status("error.shelf", true);
    }
  }

  async showStar() {
    const { id } = this.entry, favourite = await this.shelf.isFavourite(id).catch(() => false);
    if (this.manuscript.poem && this.entry.id === id) this.$("star").ariaPressed = String(favourite);
  }

  /* Opens the album. */
  async showAlbum() {
    try {
      const { Album } = await import("./album.js");
      await this.kept; // the poem that was just written is among the others
      this.album ??= await Album.make(this.shelf, this.speech, {
        open: this.open,
        picture: (poem) => this.savePicture(poem),
        changed: () => this.manuscript.poem && this.showStar(),
      });
      await this.album.show();
    } catch {
      this.$("album")?.close();
      this.status("error.shelf", true);
    }
  }
}
