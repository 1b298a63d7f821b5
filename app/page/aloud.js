/* A poem read aloud by the browser's own voice, a line at a time; without a Chinese voice there is no button. */

const PACE = 0.7, BEST = ["zh-CN", "zh-TW", "zh-HK"];

export class Aloud {
  /* On a button; lines() gives the poem's lines, reading(line) shows which one is being read, null none. */
  constructor(button, speech, { lines, reading }) {
    Object.assign(this, { button, speech, lines, reading });
    this.voices = window.speechSynthesis;
    button.hidden = true;
    if (!this.voices) return;
    button.addEventListener("click", () => (this.going ? this.stop() : this.read()));
    this.voices.addEventListener?.("voiceschanged", () => this.offer());
    this.offer();
  }

  get voice() {
    const chinese = this.voices.getVoices().filter(({ lang }) => /^(zh|cmn)/i.test(lang));
    const fit = (tag) => chinese.find(({ lang }) => lang.replace("_", "-") === tag);
    return BEST.map(fit).find(Boolean) || chinese[0] || null;
  }

  offer() {
    this.button.hidden = !this.voice;
  }

  /* Reads the lines one after the other. */
  read() {
    const { voice } = this, going = (this.going = {});
    const next = ([line, ...rest], number) => {
      if (this.going !== going) return;
      if (line === undefined) {
        this.stop();
        return;
      }
      const utterance = new SpeechSynthesisUtterance(line);
      Object.assign(utterance, { voice, lang: voice.lang, rate: PACE });
      utterance.addEventListener("end", () => next(rest, number + 1));
      utterance.addEventListener("error", () => this.going === going && this.stop());
      this.reading(number);
      this.voices.speak(utterance);
    };
    this.show();
    next(this.lines(), 0);
  }

  stop() {
    if (!this.going) return;
    this.going = null;
    this.voices.cancel();
    this.reading(null);
    this.show();
  }

  show() {
    this.button.ariaPressed = String(Boolean(this.going));
    this.button.textContent = this.speech.say(this.going ? "aloud.stop" : "aloud");
  }
}
