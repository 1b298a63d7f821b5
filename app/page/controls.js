/* The form: its words follow its values, and the service's objections appear at their fields. */

import * as wish from "./wishes.js";

const TEMPERS = [0.5, 0.7, 0.95, 1.15];

export class Controls {
  constructor(form, speech) {
    this.$ = (id) => document.getElementById(id);
    this.form = form;
    this.speech = speech;
    form.addEventListener("input", () => this.changed());
    this.$("author").addEventListener("focus", () => this.offerAuthors());
  }

  /* Brings words, rules and remembered wishes into line with the controls. */
  changed() {
    this.refresh();
    wish.keep(wish.readForm(this.form));
    this.forgive();
  }

  forgive() {
    for (const hint of this.form.querySelectorAll(".bad")) this.complain(hint.id.replace("-hint", ""), "");
  }

  refresh() {
    const wishes = wish.readForm(this.form), old = wish.isOldStyle(wishes.form);
    const strict = this.form.querySelector("[name=meter][value=strict]");
    this.$("lines-field").hidden = !old;
    strict.disabled = old;
    if (old && strict.checked) {
      this.form.elements.meter.value = "rhyme";
      this.wasStrict = true;
    } else if (!old && this.wasStrict) {
      this.form.elements.meter.value = "strict";
      this.wasStrict = false;
    }
    const words = this.speech.say(`temperature.${TEMPERS.filter((t) => wishes.temperature >= t).length}`);
    this.$("temper").textContent = words;
    this.$("temperature").setAttribute("aria-valuetext", words);
  }

  hasMore() {
    const { acrostic, title, author, era, novel } = wish.readForm(this.form);
    return Boolean(acrostic || title || author || era || novel);
  }

  /* Offers the authors that the model knows, once somebody is about to name one. */
  async offerAuthors() {
    if (this.asked) return;
    this.asked = true;
    try {
      const { authors } = await (await fetch("model")).json();
      this.$("authors").replaceChildren(...authors.map((name) => new Option(name, name)));
    } catch {
      this.asked = false; // next time, perhaps
    }
  }

  /* Shows API messages at their fields and focuses the first. Returns those that have no field. */
  complainOf(fields) {
    this.forgive();
    const names = Object.keys(fields);
    for (const name of names) this.complain(name, this.speech.translate(fields[name]));
    this.form.querySelector("[aria-invalid], fieldset:has(.bad) :checked")?.focus();
    const homeless = names.filter((name) => !this.$(`${name}-hint`));
    return homeless.map((name) => this.speech.translate(fields[name])).join(" ");
  }

  complain(name, message) {
    const hint = this.$(`${name}-hint`);
    if (!hint) return;
    hint.textContent = message || this.speech.say(hint.dataset.text);
    hint.classList.toggle("bad", Boolean(message));
    if (message) hint.closest("details")?.setAttribute("open", "");
    for (const control of this.form.querySelectorAll(`[aria-describedby="${hint.id}"]`)) {
      if (message && control.tagName !== "FIELDSET") control.ariaInvalid = "true";
      else control.removeAttribute("aria-invalid");
    }
  }
}
