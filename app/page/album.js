/* The album: one's poems in a dialog, to find, open, star, delete and take away. */

import { furnish } from "./room.js";
import { simplified } from "./scripts.js";

const MARKUP = `
<dialog id="album" aria-labelledby="album-title">
  <div class="bar">
<h2 id="album-title" data-text="shelf"></h2>
<button type="button" id="album-close" data-text="album.close"></button>
  </div>
  <p class="hint" data-text="album.hint"></p>
  <label for="album-search" data-text="album.search"></label>
  <div class="row">
<input id="album-search" type="search">
<label class="tick"><input type="checkbox" id="album-starred"><span data-text="album.starred"></span></label>
  </div>
  <div class="bar">
<p id="album-count" role="status"></p>
<button type="button" id="album-undo" data-text="album.undo" hidden></button>
  </div>
  <ul id="album-list"></ul>
  <div class="bar">
<button type="button" id="album-text" data-text="album.text"></button>
<button type="button" id="album-json" data-text="album.json"></button>
<button type="button" id="album-clear" data-text="album.clear"></button>
  </div>
</dialog>`;
const SHOWN = 300; // at once; the search finds the others

export class Album {
  /* open(entry) lays a poem on the sheet, picture(poem) saves it as one; changed() is called after stars
     and deletions. */
  static async make(shelf, speech, acts) {
    await furnish(speech, MARKUP);
    return new Album(shelf, speech, acts);
  }

  constructor(shelf, speech, { open, picture, changed }) {
    this.$ = (id) => document.getElementById(id);
    Object.assign(this, { shelf, speech, openPoem: open, picture, changed, removed: [] });
    const on = (id, type, act) => this.$(id).addEventListener(type, act);
    on("album-close", "click", () => this.$("album").close());
    on("album-search", "input", () => this.list());
    on("album-starred", "input", () => this.list());
    on("album-text", "click", () => this.save("txt", "text/plain", asText(this.found)));
    on("album-json", "click", () => this.save("json", "application/json", asJson(this.found)));
    on("album-clear", "click", () => this.remove(this.found));
    on("album-undo", "click", () => this.undo());
  }

  async show() {
    this.removed = [];
    this.$("album").showModal();
    this.$("album-search").value = "";
    await this.refresh();
  }

  async refresh() {
    this.entries = await this.shelf.all();
    this.list();
    this.changed();
  }

  /* Lists what the search and the star find. */
  list() {
    const wanted = simplified(this.$("album-search").value.trim()), starred = this.$("album-starred").checked;
    this.found = this.entries.filter(({ favourite, title, lines }) =>
      (!starred || favourite) && [title, ...lines, lines.join("")].some((text) => simplified(text).includes(wanted)));
    this.$("album-list").replaceChildren(...this.found.slice(0, SHOWN).map((entry) => this.item(entry)));
    const said = this.removed.length ? "album.removed" : "album.count";
    this.$("album-count").textContent = this.speech.say(said, { count: this.removed.length || this.found.length });
    this.$("album-undo").hidden = !this.removed.length;
    for (const id of ["album-text", "album-json", "album-clear"]) this.$(id).disabled = !this.found.length;
  }

  item(entry) {
    const item = document.createElement("li"), { title, lines, favourite, script, state } = entry;
    const name = title || lines[0], [poem] = state.answer.poems, say = (key) => this.speech.say(key, { name });
    const open = button(name, () => this.choose(entry));
    open.lang = script === "traditional" ? "zh-Hant" : "zh-Hans";
    const more = open.appendChild(document.createElement("small"));
    more.append(this.date(entry), "　", (title ? lines : lines.slice(1)).slice(0, 3).join("　"));
    const star = button(favourite ? "★" : "☆", () => this.star(entry), say("album.star"));
    star.ariaPressed = String(favourite);
    const picture = button("↓", () => this.picture(poem), say("album.picture"));
    item.append(open, picture, star, button("×", () => this.remove([entry]), say("album.remove")));
    return item;
  }

  date({ at }) {
    const date = document.createElement("time");
    date.dateTime = new Date(at).toISOString();
    date.textContent = new Date(at).toLocaleDateString(this.speech.language);
    return date;
  }

  choose(entry) {
    this.$("album").close();
    this.openPoem(entry);
  }

  async star(entry) {
    const place = this.found.indexOf(entry);
    await this.shelf.favour(entry.id, !entry.favourite);
    await this.refresh();
    this.$("album-list").children[place]?.querySelector("[aria-pressed]").focus();
  }

  async remove(entries) {
    await this.shelf.remove(entries.map(({ id }) => id));
    this.removed = entries;
    await this.refresh();
    this.$("album-undo").focus();
  }

  async undo() {
    await this.shelf.restore(this.removed);
    this.removed = [];
    await this.refresh();
    this.$("album-search").focus();
  }

  save(ending, type, text) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
    link.download = `yin-${new Date().toISOString().slice(0, 10)}.${ending}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }
}

function button(text, act, label = "") {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  if (label) made.ariaLabel = label;
  made.addEventListener("click", act);
  return made;
}

/* Poems as one text, a blank line between them. */
function asText(entries) {
  return entries.map(({ title, state }) => [title, state.answer.poems[0].text].filter(Boolean).join("\n")).join("\n\n") + "\n";
}

/* Poems with all that was answered and wished for. */
function asJson(entries) {
  const poems = entries.map(({ at, favourite, state: { wishes, answer: { poems, model } } }) =>
    ({ written: new Date(at).toISOString(), favourite, wishes, ...poems[0], model }));
  return `${JSON.stringify(poems, null, 1)}\n`;
}
