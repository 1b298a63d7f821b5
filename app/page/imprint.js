/* How a picture is wished for: its shape and tone, who signs it, whether it is dated; kept for the next. */

import { furnish } from "./room.js";

const KEPT = "yin.imprint";
const MARKUP = `
<form id="imprint" novalidate autocomplete="off" hidden>
  <fieldset class="field">
    <legend data-text="imprint.shape"></legend>
    <div class="choices forms">
      <label><input type="radio" name="shape" value="sheet" checked><span data-text="imprint.sheet"></span></label>
      <label><input type="radio" name="shape" value="square"><span data-text="imprint.square"></span></label>
      <label><input type="radio" name="shape" value="tall"><span data-text="imprint.tall"></span></label>
      <label><input type="radio" name="shape" value="phone"><span data-text="imprint.phone"></span></label>
      <label><input type="radio" name="shape" value="upright"><span data-text="imprint.upright"></span></label>
      <label><input type="radio" name="shape" value="across"><span data-text="imprint.across"></span></label>
    </div>
  </fieldset>
  <fieldset class="field">
    <legend data-text="imprint.tone"></legend>
    <div class="choices">
      <label><input type="radio" name="tone" value="light" checked><span data-text="imprint.light"></span></label>
      <label><input type="radio" name="tone" value="dark"><span data-text="imprint.dark"></span></label>
    </div>
  </fieldset>
  <div class="field">
    <label for="signature" data-text="imprint.signature"></label>
    <div class="row">
      <input id="signature" name="signature" maxlength="20">
      <label class="tick"><input type="checkbox" name="dated" value="1"><span data-text="imprint.dated"></span></label>
    </div>
  </div>
  <button type="submit" id="save" data-text="imprint.save"></button>
</form>`;

export class Imprint {
  /* The form under the poem's buttons; save() is called when it is sent. */
  static async make(speech, save) {
    const button = document.getElementById("picture");
    const form = await furnish(speech, MARKUP, document.getElementById("actions"));
    button.setAttribute("aria-controls", form.id);
    return new Imprint(form, button, speech, save);
  }

  constructor(form, button, speech, save) {
    Object.assign(this, { form, button, speech });
    this.recall();
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.keep();
      save();
    });
  }

  turn() {
    this.form.hidden = !this.form.hidden;
    this.button.ariaExpanded = String(!this.form.hidden);
    if (!this.form.hidden) this.form.elements.save.focus();
  }

  /* What the picture of a poem is drawn with: its shape, its tone, the line at its foot. */
  wishes({ seed }) {
    const { shape, tone, signature, dated } = Object.fromEntries(new FormData(this.form));
    const { language } = this.speech, today = new Date().toLocaleDateString(language, { dateStyle: "long" });
    const foot = [signature.trim(), dated && today].filter(Boolean).join("　");
    return { shape, tone, foot: foot || (seed === null ? "" : `${this.speech.say("seed.picture")} ${seed}`) };
  }

  keep() {
    try {
      localStorage.setItem(KEPT, JSON.stringify([...new FormData(this.form)]));
    } catch { /* forbidden or full */ }
  }

  recall() {
    try {
      for (const [name, value] of JSON.parse(localStorage.getItem(KEPT)) || []) {
        const control = this.form.elements[name];
        if (control.type === "checkbox") control.checked = true;
        else control.value = value;
      }
    } catch { /* forbidden, or of another version */ }
  }
}
