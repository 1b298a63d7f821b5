/* The manuscript: the drafts of one order, the sheet that shows one of them, the cards that show all. */

import { Cards } from "./cards.js";
import { Pen } from "./pen.js";
import { Sheet, punctuated } from "./sheet.js";
import { plain } from "./typed.js";
import * as wish from "./wishes.js";

export class Manuscript {
  /* shown(poem, pressed) is called when a poem stands on the sheet whole; pressed, if a card was. */
  constructor(speech, still, shown) {
    this.$ = (id) => document.getElementById(id);
    this.speech = speech;
    this.shown = shown;
    this.sheet = new Sheet(this.$("sheet"));
    this.pen = new Pen((character) => this.put(character), still);
    this.cards = new Cards(this.$("cards"), speech, (number, draft) => {
      if (this.drafts[number] === draft) this.choose(number, true);
    });
    this.drafts = [];
    this.chosen = 0;
    new ResizeObserver(() => this.resized()).observe(this.$("stage"));
  }

  get poem() {
    return this.drafts[this.chosen]?.poem;
  }

  /* Makes ready for another order; the old poems stay until there is something to write. */
  prepare(order) {
    const drafts = drawUp(order);
    this.pen.clear();
    this.ruled = false;
    if (order.count > 1 && !this.cards.shown) this.cards.deal(drafts); // makes room before anything can jump
    if (drafts[0].shape.numLines) this.sheet.reserve(drafts[0].shape, drafts[0].title);
  }

  /* Lays a new sheet once there is something to write on it: a refusal leaves the old poem. */
  lay(order, answer = null) {
    if (this.ruled) return;
    this.ruled = true;
    this.looks = null;
    this.order = order;
    this.chosen = 0;
    this.$("proof").classList.add("stale");
    this.drafts = drawUp(order, answer);
    this.cards.deal(this.drafts);
    this.sheet.rule({ ...this.drafts[0].shape, title: this.drafts[0].title });
    this.announce([this.drafts[0].title]);
    this.reachable();
  }

  put({ poem, line, text }) {
    const draft = this.drafts[poem];
    draft.lines[line] = (draft.lines[line] || "") + text;
    draft.card?.put(line, text);
    if (poem !== this.chosen) return;
    this.sheet.put(line, text);
    if (/[，。]/.test(text)) this.say(draft.lines[line]);
  }

  /* Brings everything into line with the answer; chosen is the one to show, if none was written as it came. */
  finish(order, answer, chosen = null) {
    this.lay(order, answer);
    this.answer = answer;
    answer.poems.forEach((poem, i) => {
      const draft = this.drafts[i];
      draft.poem = poem;
      draft.title = poem.title || "";
      draft.lines = punctuated(poem);
      draft.card?.settle(draft.lines);
    });
    if (chosen !== null) this.choose(chosen);
    else {
      this.sheet.settle(this.drafts[this.chosen].lines, this.drafts[this.chosen].title);
      this.show();
    }
  }

  /* Shows a poem in the making: its draft, its cues, its proof as far as it is known. */
  compose(order, poem, draft, cues, meter, faults) {
    const { lineLength, numLines, stanzas } = draft, title = poem.title || "", traditional = order.wishes.script === "traditional";
    const shape = { lineLength, numLines, stanzas, traditional }, looks = JSON.stringify([shape, title]);
    this.pen.clear();
    this.ruled = true;
    if (this.looks !== looks) this.sheet.rule({ ...shape, title });
    Object.assign(this, { order, looks, chosen: 0, answer: { poems: [poem], model: null } });
    this.drafts = [{ lines: [], poem, card: null, shape, title }];
    if (this.cards.shown) this.cards.deal([]);
    this.sheet.compose(draft, cues);
    if (meter) this.sheet.mark(meter, faults.map(({ line, character }) => [line, character]));
    this.prove();
    this.reachable();
  }

  /* Leaves an order undone: what has come is written, and the cards are again those of the poems that are there. */
  abandon() {
    if (!this.ruled) this.cards.element.hidden = this.drafts.length < 2;
    this.pen.finish();
  }

  choose(number, pressed = false) {
    this.chosen = number;
    const { shape, title, lines, poem } = this.drafts[number];
    this.cards.press(number);
    this.sheet.rule({ ...shape, title });
    this.sheet.settle(lines);
    this.announce([title, ...lines]);
    this.reachable();
    if (poem) this.show(pressed);
  }

  /* Shows everything about the poem on the sheet. */
  show(pressed = false) {
    if (this.poem.meter) this.sheet.mark(this.poem.meter);
    this.sheet.seal();
    this.prove();
    this.note(this.answer);
    this.shown(this.poem, pressed);
  }

  /* Says what of the wishes was read otherwise than it was written, while that is in the page's language. */
  note({ notes = [], language } = {}) {
    const said = language === this.speech.language ? notes.map(({ message }) => message) : [];
    this.$("notes").textContent = [...new Set(said)].join(language === "zh" ? "；" : "; ");
  }

  /* Describes the poem, where its proof has been asked for. */
  prove() {
    if (this.poem?.meter) this.proof?.show(this.poem, this.answer.model, this.order.wishes.script);
    else this.$("proof").classList.add("stale");
  }

  /* The poem for those who listen: the log has whole lines, where the sheet has characters. */
  announce(lines) {
    this.$("log").replaceChildren();
    lines.filter(Boolean).forEach((line) => this.say(line));
  }

  say(line) {
    const said = document.createElement("p");
    said.textContent = line;
    this.$("log").append(said);
  }

  resized() {
    if (this.sheet.lines.length) this.sheet.fit();
    this.reachable();
  }

  /* A sheet wider than its stage can be scrolled, so the keyboard must reach it. */
  reachable() {
    const { scrollWidth, clientWidth } = this.sheet.element;
    if (scrollWidth > clientWidth + 1) this.sheet.element.tabIndex = 0;
    else this.sheet.element.removeAttribute("tabindex");
  }
}

/* What is known of an order's poems before they are written, or from their answer. */
function drawUp({ wishes, count, shape: known }, answer = null) {
  const title = plain(wishes.title || ""), measured = known || (answer ? measureOf(answer.poems[0]) : wish.measure(wishes));
  const shape = { ...measured, traditional: wishes.script === "traditional" };
  return Array.from({ length: count }, () => ({ lines: [], poem: null, card: null, shape, title }));
}

/* How a poem that is written lies on a sheet. */
function measureOf({ lines, stanzas = [lines.length], ...poem }) {
  const lengths = punctuated({ lines, ...poem }).map((line) => [...line].length - 1);
  return { lineLength: Math.max(...lengths), numLines: lines.length, stanzas };
}
