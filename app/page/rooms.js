/* The rooms: the desk, the proof, the rhyme book, the tunes; made when one first enters, and what they do to the page. */

import { dress } from "./room.js";
import { formFor } from "./typed.js";
import * as wish from "./wishes.js";

export class Rooms {
  constructor(page) {
    this.page = page;
    this.$ = page.$;
    this.made = {};
  }

  furnish() {
    return dress(this.page.speech);
  }

  get wishes() {
    return wish.readForm(this.page.form);
  }

  get atDesk() {
    return Boolean(this.desk?.open);
  }

  /* Makes a room, once; says so if it does not come. */
  async bring(name, make) {
    this.made[name] ??= make();
    try {
      return await this.made[name];
    } catch {
      this.made[name] = null; // next time, perhaps
      this.page.status(this.page.speech.say("error.gone"), true);
      return null;
    }
  }

  turnToDesk() {
    return this.atDesk ? this.closeDesk() : this.openDesk();
  }

  /* Opens the desk with a poem, or with the draft that was left there. */
  async openDesk(poem = null) {
    const { speech, manuscript } = this.page;
    this.desk ??= await this.bring("desk", async () => (await import("./desk.js")).Desk.make(speech, manuscript, {
      wishes: () => this.wishes,
      goOn: (draft) => this.goOn(draft),
      keep: () => this.keepDraft(),
      leave: () => this.closeDesk(),
      rhymes: () => this.openRhymes(""),
      trouble: (error, again) => this.page.complain(error, again),
      settled: (draft, touched) => this.settled(draft, touched),
    }));
    if (!this.desk) return;
    this.page.stop();
    this.page.clear();
    this.page.status("");
    this.$("desk-open").ariaExpanded = "true";
    await this.desk.show(poem, (code) => this.tuneOf(code));
  }

  /* What a tune asks of its lines; null where the service does not say. */
  async tuneOf(code) {
    const { asksOf } = await import("./tunes.js");
    return asksOf(code).catch(() => null);
  }

  /* Gives the wishes their place back. */
  leaveDesk() {
    this.$("desk-open").ariaExpanded = "false";
    if (this.atDesk) this.desk.end();
  }

  /* Closes the desk; a poem that was left as it was is again the model's. */
  closeDesk() {
    const { touched } = this.desk;
    this.leaveDesk();
    if (!touched && history.state?.answer.model) this.page.restore(history.state);
  }

  /* Sets the address of a draft that has changed, and lets it be kept; one that is as it was opened has its own. */
  settled(poem, touched) {
    const { manuscript, keepsakes } = this.page;
    this.page.allowKeeping(Boolean(poem.lines.length));
    if (!touched || !poem.lines.length) return;
    const { wishes } = manuscript.order, state = { seed: null, wishes, answer: { poems: [poem], model: null }, chosen: 0 };
    const change = history.state?.answer.model === null ? "replaceState" : "pushState";
    history[change](state, "", wish.toFragment(wishes, poem, null));
    keepsakes.showStar();
  }

  async keepDraft() {
    await this.page.keepsakes.keep();
    this.page.status(this.page.speech.say("status.kept"));
  }

  /* Has the model write on from the whole lines of a draft, or from its first characters. */
  goOn({ lines, whole, title: called }) {
    const { start, title, form } = this.page.form.elements;
    if (whole) form.value = formFor(lines, form.value);
    title.value = called;
    start.value = lines.join("，");
    this.page.controls.changed(start);
    this.page.write(wish.drawSeed());
  }

  /* Shows or hides the proof, and the marks on the sheet with it. */
  async turnProof() {
    const { manuscript, speech } = this.page, element = this.$("proof");
    manuscript.proof ??= await this.bring("proof", async () => (await import("./proof.js")).Proof.make(element, speech, manuscript.sheet,
      (error, again) => this.page.complain(error, again)));
    if (!manuscript.proof) return;
    const shown = element.hidden;
    if (shown) manuscript.prove();
    else manuscript.proof.aloud.stop();
    element.hidden = !shown;
    this.$("marks").ariaExpanded = String(shown);
    this.$("stage").classList.toggle("marked", shown || this.atDesk);
  }

  /* Opens the rhyme book at a character or a group; what is taken there is wished for. */
  async openRhymes(name) {
    const { speech, controls, form: { elements: { rhyme } } } = this.page;
    const book = await this.bring("rhymes", async () => (await import("./rhymes.js")).RhymeBook.make(speech, {
      script: () => this.wishes.script,
      take: (group) => {
        rhyme.value = group;
        controls.changed(rhyme);
      },
    }));
    book?.show(name);
  }

  /* Opens the tunes; the one that is taken is among the forms from then on. */
  async openTunes() {
    const { speech } = this.page;
    const book = await this.bring("tunes", async () => (await import("./tunes.js")).TuneBook.make(speech, {
      script: () => this.wishes.script,
      take: (variant) => this.takeTune(variant),
    }));
    book?.show();
  }

  takeTune({ code, name }) {
    const { controls, form } = this.page;
    controls.offerTune(code, name);
    form.elements.form.value = code;
    const chosen = form.querySelector("[name=form]:checked");
    controls.changed(chosen);
    chosen.focus();
  }

  /* Finds out how an order's tune runs, before anything is written. */
  async measure(order) {
    const { variantOf, shapeOf } = await import("./tunes.js"), variant = await variantOf(order.wishes.form);
    if (!variant) return; // the service says what would be right
    order.shape = shapeOf(variant);
    this.page.controls.offerTune(variant.code, variant.name);
    this.page.form.elements.form.value = variant.code;
  }
}
