/* The form: its words follow its values, and the service's objections appear at their fields. */

import { aliasesOf } from "./aliases.js";
import { inScript } from "./glyphs.js";
import { authorization } from "./key.js";
import { foreign, formFor, linesOf, ofToday, plain, poetOf, wholeLines } from "./typed.js";
import * as wish from "./wishes.js";

const TEMPERS = [0.5, 0.7, 0.95, 1.15];

const START_HINTS = { 5: "start.hint.5", 7: "start.hint.7" };
const FORM_HINTS = { jueju: "form.jueju", lushi: "form.lushi", gushi: "form.gushi" };

export class Controls {
  constructor(form, speech) {
    this.$ = (id) => document.getElementById(id);
    this.form = form;
    this.speech = speech;
    this.hints = {};
    form.addEventListener("input", ({ target }) => this.changed(target));
    this.$("author").addEventListener("focus", () => this.askAuthors());
  }

  /* Takes wishes as the user's own: what is chosen of the meter stays chosen, whatever a form or a link brings. */
  own(wishes) {
    this.offerTune(wishes.form || "jueju-7", wishes.tune);
    wish.fillForm(this.form, wishes);
    this.ownMeter = this.form.elements.meter.value;
    this.refresh();
  }

  /* Shows another's wishes, a link's. */
  show(wishes) {
    this.offerTune(wishes.form || "jueju-7");
    wish.fillForm(this.form, wishes);
    const { value } = this.form.elements.form;
    this.kind = `${wish.isOldStyle(value)} ${wish.isTune(value)}`;
    this.refresh();
  }

  /* Brings words, rules and remembered wishes into line with the controls. */
  changed(control) {
    if (control.name === "meter") this.ownMeter = control.value;
    if (control.name === "start") this.makeRoom();
    this.refresh();
    wish.keep({ ...wish.readForm(this.form), meter: this.ownMeter, tune: this.tune });
    this.forgive();
  }

  forgive() {
    for (const hint of this.form.querySelectorAll(".bad")) this.complain(hint.id.replace("-hint", ""), "");
  }

  /* Offers a tune among the forms: its code, and its name once it is known. */
  offerTune(code, name = code) {
    if (!wish.isTune(code)) return;
    this.tune = name;
    const known = [...this.form.elements.form].find(({ value }) => wish.isTune(value));
    const label = known?.parentElement || this.$("tunes-open").parentElement.appendChild(document.createElement("label"));
    if (!known) label.innerHTML = '<input type="radio" name="form"><span lang="zh"></span>';
    label.firstChild.value = code;
    label.lastChild.textContent = name.replace(/（.*/, "");
  }

  refresh() {
    const wishes = wish.readForm(this.form), old = wish.isOldStyle(wishes.form);
    const { meter } = this.form.elements;
    this.$("lines-field").hidden = !old;
    const tune = wish.isTune(wishes.form), kind = `${old} ${tune}`;
    if (kind !== this.kind) meter.value = this.ownMeter;
    if (old && meter.value === "strict") meter.value = "rhyme"; // forced, not chosen
    if (tune) meter.value = "strict"; // forced, too
    for (const each of meter) each.disabled = each.value === "strict" ? old : tune;
    this.$("pattern").disabled = tune || meter.value !== "strict";
    this.$("rhyme").disabled = meter.value === "free";
    this.kind = kind;
    const words = this.speech.say(`temperature.${TEMPERS.filter((t) => wishes.temperature >= t).length}`);
    this.$("temper").textContent = words;
    this.$("temperature").setAttribute("aria-valuetext", words);
    this.refreshHints(wishes);
    this.offerAuthors(wishes.script);
  }

  /* What the hints say depends on what is typed and chosen. */
  refreshHints({ form, start, title, acrostic, author, script }) {
    const { lineLength } = wish.measure({ form, lines: 0 }), tune = wish.isTune(form);
    const lines = (tune ? linesOf(start) : wholeLines(start, lineLength)).length;
    this.hint("form", FORM_HINTS[form.slice(0, 5)] || "form.tune");
    this.hint("start", lines ? "start.hint.opening" : START_HINTS[lineLength] || "start.hint.tune", { lines });
    if (foreign(start)) this.hint("start", "start.hint.theme", { words: foreign(start) });
    this.hint("title", "title.hint");
    this.hint("theme", "theme.hint");
    this.hint("acrostic", "acrostic.hint");
    for (const [name, text] of Object.entries({ start, title, acrostic })) {
      if (ofToday(text)) this.hint(name, "hint.today", ofToday(text));
    }
    const poet = poetOf(author, script);
    this.hint("author", poet ? "author.hint.alias" : "author.hint", { alias: plain(author), poet });
  }

  /* Says what a poem made of its theme, and offers its words to begin with. */
  answered({ keywords = [], unmapped = [] }) {
    const { script } = wish.readForm(this.form);
    if (unmapped.length) this.hint("theme", "theme.hint.lost", { words: unmapped.join("、") });
    if (!keywords.length) return;
    const offer = keywords.map(({ word, of }) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: word });
      button.ariaLabel = this.speech.say("theme.begin", { word });
      button.lang = script === "traditional" ? "zh-Hant" : "zh-Hans";
      button.addEventListener("click", () => this.begin(word));
      return word === of ? button : [`${of} → `, button];
    });
    if (!unmapped.length) this.hint("theme", "theme.hint.found", { words: "" });
    this.$("theme-hint").append(" ", ...offer.flatMap((each) => [each, " "].flat()));
  }

  /* Puts a word where the poem begins. */
  begin(word) {
    this.$("start").value = word;
    this.$("start").dispatchEvent(new Event("input", { bubbles: true }));
    this.$("start").focus();
  }

  hint(name, key, values = {}) {
    this.hints[name] = [key, values];
    const hint = this.$(`${name}-hint`), says = this.speech.say(key, values);
    if (!hint.classList.contains("bad") && hint.textContent !== says) hint.textContent = says; // it is read aloud
  }

  /* Whole lines that were typed or pasted choose the form that has room for them. */
  makeRoom() {
    const { form, start } = wish.readForm(this.form);
    if (wish.isTune(form)) return;
    const lines = wholeLines(start, Number(form.at(-1)));
    if (lines.length) this.form.elements.form.value = formFor(lines, form);
    const { lines: wished } = this.form.elements, room = [...wished.options].find((o) => o.value > lines.length);
    if (lines.length >= Number(wished.value) && room) wished.value = room.value;
  }

  hasMore() {
    const { acrostic, author, era, novel, rhyme, pattern } = wish.readForm(this.form);
    return Boolean(acrostic || author || era || novel || rhyme || pattern);
  }

  /* Asks for the authors that the model knows, once somebody is about to name one. */
  async askAuthors() {
    if (this.authors) return;
    try {
      const { authors } = await (await fetch("authors", { headers: authorization() })).json();
      this.authors = authors.map(({ name }) => name);
      this.offered = null;
      this.refresh();
    } catch { /* next time, perhaps */ }
  }

  /* Offers the authors in the page's script, found by their other names, too. */
  offerAuthors(script) {
    if (!this.authors || this.offered === script) return;
    this.offered = script;
    this.$("authors").replaceChildren(...this.authors.map((author) => {
      const others = inScript(aliasesOf(inScript(author, "simplified")), script), name = inScript(author, script);
      return new Option([name, others].filter(Boolean).join(" "), name);
    }));
  }

  /* Shows API messages at their fields and focuses the first. Returns those that have no field. */
  complainOf({ opening, ...fields }) {
    this.forgive();
    if (opening) fields.start = opening; // whole lines are typed there
    const names = Object.keys(fields);
    for (const name of names) this.complain(name, this.inScript(fields[name]));
    this.form.querySelector("[aria-invalid], fieldset:has(.bad) :checked")?.focus();
    const homeless = names.filter((name) => !this.$(`${name}-hint`));
    return homeless.map((name) => this.inScript(fields[name])).join(" ");
  }

  /* A message of the service, which says it in the page's language; the names in it in the page's script. */
  inScript(message) {
    return wish.readForm(this.form).script === "simplified" ? inScript(message, "simplified") : message;
  }

  complain(name, message) {
    const hint = this.$(`${name}-hint`);
    if (!hint) return;
    hint.textContent = message || this.speech.say(...(this.hints[name] || [hint.dataset.text]));
    hint.classList.toggle("bad", Boolean(message));
    if (message) hint.closest("details")?.setAttribute("open", "");
    for (const control of this.form.querySelectorAll(`[aria-describedby="${hint.id}"]`)) {
      if (message && control.tagName !== "FIELDSET") control.ariaInvalid = "true";
      else control.removeAttribute("aria-invalid");
    }
  }
}
