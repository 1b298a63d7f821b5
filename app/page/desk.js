/* The desk: a poem of one's own in the making, checked as it is written, revised by touching it. */

import { cuesFor, faultsOf, joined, padded, readDraft } from "./draft.js";
import { Reading } from "./reading.js";
import { furnish } from "./room.js";
import { ask } from "./service.js";
import { Failure } from "./stream.js";
import { Suggestions } from "./suggestions.js";
import * as wish from "./wishes.js";

const LONG = /([^\s\p{P}]{6,}\p{P})(?=\S)/gu; // lines that fill a row
const KEPT = "yin.draft", PAUSE_MS = 250, MOST_UNDONE = 200;
const MARKUP = `
<section id="desk" aria-labelledby="desk-name" hidden>
  <div class="bar">
    <h2 id="desk-name" data-text="desk"></h2>
    <div>
      <button type="button" id="desk-undo" data-text="desk.undo" disabled></button>
      <button type="button" id="desk-redo" data-text="desk.redo" disabled></button>
      <button type="button" id="desk-close" data-text="desk.close"></button>
    </div>
  </div>
  <div class="field">
    <label for="desk-title" data-text="title"></label>
    <input id="desk-title" lang="zh" maxlength="20">
  </div>
  <div class="field">
    <label for="desk-text" data-text="desk.text"></label>
    <div id="writing" lang="zh">
      <div id="under" aria-hidden="true"></div>
      <textarea id="desk-text" rows="2" spellcheck="false" autocomplete="off" autocapitalize="off" aria-describedby="desk-next desk-hint"></textarea>
    </div>
    <p class="hint" id="desk-next"></p>
  </div>
  <p id="desk-says" role="status"></p>
  <ul id="desk-faults"></ul>
  <div class="bar">
    <button type="button" id="desk-on" data-text="desk.on"></button>
    <button type="button" id="desk-rhymes" data-text="rhymes"></button>
    <button type="button" id="desk-keep" data-text="desk.keep"></button>
    <button type="button" id="desk-clear" data-text="desk.clear"></button>
  </div>
  <p class="hint" id="desk-hint" data-text="desk.hint"></p>
</section>`;

export class Desk {
  /* The desk in the place of the wishes. acts: wishes(), the form's; goOn({lines, whole, title}) writes on; keep() puts
     the poem on the shelf; trouble(error, again) says what went wrong; settled(poem, touched) hears of a pause;
     leave() closes; rhymes() opens the rhyme book. */
  static async make(speech, manuscript, acts) {
    const form = document.getElementById("wishes");
    await furnish(speech, MARKUP, form);
    return new Desk(form, speech, manuscript, acts);
  }

  constructor(form, speech, manuscript, acts) {
    this.$ = (id) => document.getElementById(id);
    Object.assign(this, { form, speech, manuscript, acts, past: [], future: [], proof: null });
    this.suggestions = new Suggestions(manuscript.sheet.element, speech, {
      poem: () => ({ text: padded(this.draft), title: this.title }),
      take: (spots, characters) => this.replace(spots, characters),
      trouble: (error, again) => acts.trouble(error, again),
    });
    this.reading = new Reading(speech, (spot, button) => this.suggestions.ask([spot], button));
    const on = (id, type, act) => this.$(id).addEventListener(type, act);
    on("desk-text", "input", () => this.typed());
    on("desk-title", "input", () => this.typed());
    on("desk-undo", "click", () => this.travel(this.past, this.future));
    on("desk-redo", "click", () => this.travel(this.future, this.past));
    on("desk-close", "click", () => this.close());
    on("desk-on", "click", () => this.goOn());
    on("desk-rhymes", "click", () => acts.rhymes());
    on("desk-keep", "click", () => acts.keep());
    on("desk-clear", "click", () => this.set({ text: "", title: "" }));
    on("desk", "keydown", (event) => this.undoByKey(event));
    on("sheet", "keydown", (event) => this.undoByKey(event));
  }

  get open() {
    return !this.$("desk").hidden;
  }

  /* The proof as far as it concerns what is written: of a tune that is not whole yet, the tones alone. */
  get meter() {
    const { draft, proof, tune } = this;
    if (!proof || !draft.lines.every((line, i) => (proof.tones[i] || "").length >= line.length)) return null;
    return tune && draft.cues && !draft.whole ? { ...proof, checks: {}, rhyme: null, rhyme_lines: [] } : proof;
  }

  get title() {
    return this.$("desk-title").value.trim();
  }

  get state() {
    return { text: this.$("desk-text").value, title: this.$("desk-title").value };
  }

  /* The lines that are whole, from the first on. */
  get wholeLines() {
    const { lines, lengths } = this.draft, end = lines.findIndex((line, i) => line.length !== lengths[i] || line.includes("□"));
    return end < 0 ? lines : lines.slice(0, end);
  }

  goOn() {
    const { wholeLines, draft } = this, whole = draft.even && wholeLines.length > 0;
    this.acts.goOn({ lines: whole ? wholeLines : [draft.lines[0]], whole, title: this.title });
  }

  /* Opens with a poem, {text, title, form, meter}, or with the draft that was left here; tuneOf(form) finds a tune. */
  async show(poem, tuneOf) {
    const { title, form, pattern, ...left } = poem || recall(), text = poem ? poem.text.replace(LONG, "$1\n") : left.text;
    const wishes = this.acts.wishes(), code = form || wishes.form;
    this.tune = wish.isTune(code) ? await tuneOf(code) : null;
    Object.assign(this, { formCode: code, pattern: poem ? "" : pattern || wishes.pattern || "" });
    this.form.hidden = true;
    this.$("desk").hidden = false;
    this.$("stage").classList.add("marked", "drafted");
    this.suggestions.start();
    this.past = [];
    this.future = [];
    this.proof = poem?.meter || null;
    this.opened = JSON.stringify({ text: text || "", title: title || "" });
    this.put({ text: text || "", title: title || "" });
    if (matchMedia("(pointer: fine)").matches) this.$("desk-text").focus({ preventScroll: true });
  }

  close() {
    this.acts.leave();
    this.$("desk-open").focus({ preventScroll: true });
  }

  /* Gives the wishes their place back; the draft stays on the sheet, and on the shelf if it is a whole poem. */
  end() {
    clearTimeout(this.waiting);
    this.asking?.abort();
    this.suggestions.end();
    if (this.touched && this.draft.whole) this.acts.keep();
    this.form.hidden = false;
    this.$("desk").hidden = true;
    this.$("stage").classList.remove("drafted");
    this.$("stage").classList.toggle("marked", !this.$("proof").hidden);
  }

  /* Takes up what is being typed; the stages to undo are where the writer paused. */
  typed() {
    if (!this.dated) this.remember();
    this.dated = true;
    this.refresh();
  }

  remember() {
    this.past.push(this.before);
    this.past.splice(0, this.past.length - MOST_UNDONE);
    this.future = [];
  }

  /* Changes the draft by a button. */
  set(state) {
    this.before = this.state;
    this.remember();
    this.put(state);
  }

  put({ text, title }) {
    this.$("desk-text").value = text;
    this.$("desk-title").value = title;
    this.settle();
    this.refresh();
  }

  /* From here on, what is typed is another step to undo. */
  settle() {
    this.before = this.state;
    this.dated = false;
  }

  get touched() {
    return JSON.stringify(this.state) !== this.opened;
  }

  travel(from, to) {
    if (!from.length) return;
    to.push(this.state);
    this.put(from.pop());
  }

  undoByKey(event) {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
    event.preventDefault();
    if (event.shiftKey) this.travel(this.future, this.past);
    else this.travel(this.past, this.future);
  }

  /* Puts characters where others stand, or where nothing does yet. */
  replace(spots, characters) {
    const { cells, lines, lengths, marks, even } = this.draft, written = [...characters];
    const found = spots.map(([line, character]) => cells.findIndex((cell) => cell.line === line - 1 && cell.index === character - 1));
    if (found.every((at) => at >= 0)) {
      const text = cells.map((cell) => cell.text);
      found.forEach((at, i) => (text[at] = written[i]));
      this.set({ ...this.state, text: text.join("") });
    } else if (even) {
      const last = Math.max(lines.length, ...spots.map(([line]) => line));
      const rows = lengths.slice(0, last).map((length, i) => [...(lines[i] || "").padEnd(length, "□")]);
      spots.forEach(([line, character], i) => (rows[line - 1][character - 1] = written[i]));
      const text = rows.map((row, i) => row.join("") + marks[i] + "\n").join("");
      this.set({ ...this.state, text: text.replace(/□+\p{P}?\n$/u, "").trim() });
    }
  }

  /* Brings sheet, cues and marks into line with what is written, and has it checked. */
  refresh() {
    const { text } = this.state;
    this.draft = readDraft(text, this.formCode, this.tune);
    if (this.touched) keep({ ...this.state, form: this.formCode, pattern: this.pattern });
    this.draw();
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.check(), PAUSE_MS);
    this.$("desk-undo").disabled = !this.past.length;
    this.$("desk-redo").disabled = !this.future.length;
    this.$("desk-on").disabled = !this.draft.lines.length || this.draft.lines[0].includes("□");
    this.$("desk-keep").disabled = this.$("desk-clear").disabled = !this.draft.lines.length;
  }

  /* Asks how the poem stands. */
  async check() {
    this.settle();
    this.asking?.abort();
    this.acts.settled(this.manuscript.poem, this.touched);
    if (!this.draft.lines.length) return;
    const asking = (this.asking = new AbortController()), text = padded(this.draft);
    try {
      const proof = await ask("check", { body: { text }, signal: asking.signal, language: this.speech.language });
      if (this.asking !== asking) return;
      this.proof = proof;
      this.draw();
      this.acts.settled(this.manuscript.poem, this.touched);
    } catch (error) {
      if (asking.signal.aborted) return;
      if (!(error instanceof Failure)) throw error;
      this.acts.trouble(error, () => this.check());
    }
  }

  draw() {
    const { draft, meter } = this, wishes = { ...this.acts.wishes(), title: this.title, form: this.formCode };
    const cues = cuesFor(draft, this.formCode, this.pattern, meter), faults = meter ? faultsOf(draft, meter) : [];
    const poem = this.poem(meter);
    this.manuscript.compose({ wishes, count: 1, draft: true }, poem, draft, cues, meter, faults);
    this.suggestions.made();
    this.reading.show(draft, cues, meter, faults, wishes.script);
  }

  /* The draft as a poem among others. */
  poem(meter) {
    const { draft, title } = this, text = draft.even ? joined(draft.lines, draft.marks) : draft.text;
    return { text, lines: draft.lines, title: title || null, seed: null, form: this.formCode, meter: draft.whole ? meter : null };
  }
}

/* Storage may be forbidden: then the draft lasts as long as the page. */
function keep(draft) {
  try {
    localStorage.setItem(KEPT, JSON.stringify(draft));
  } catch { /* forbidden or full */ }
}

function recall() {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) || {};
  } catch {
    return {};
  }
}
