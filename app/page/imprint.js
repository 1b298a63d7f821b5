/* How a picture is wished for: its shape and tone, who signs it, whether it is dated; kept for the next. */

const KEPT = "yin.imprint";

export class Imprint {
  constructor(speech, save) {
    this.$ = (id) => document.getElementById(id);
    this.speech = speech;
    this.form = this.$("imprint");
    this.recall();
    this.$("picture").addEventListener("click", () => this.show(this.form.hidden));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.keep();
      save();
    });
  }

  show(shown) {
    this.form.hidden = !shown;
    this.$("picture").ariaExpanded = String(shown);
    if (shown) this.$("save").focus();
  }

  /* What the picture of a poem is drawn with: its shape, its tone, the line at its foot. */
  wishes({ seed }) {
    const { shape, tone, signature, dated } = Object.fromEntries(new FormData(this.form));
    const { language } = this.speech, today = new Date().toLocaleDateString(language, { dateStyle: "long" });
    const foot = [signature.trim(), dated && today].filter(Boolean).join("　");
    return { shape, tone, foot: foot || `${this.speech.say("seed.picture")} ${seed}` };
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
