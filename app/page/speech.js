/* The page's voice: Chinese or English. */

const KEPT = "yin.language";
/* What the page says, loaded in the language that is spoken; and what its rooms say, once one is entered. */
const TEXTS = { zh: async () => (await import("./zh.js")).zh, en: async () => (await import("./en.js")).en };
const ROOMS = {
  zh: async () => (await import("./rooms-zh.js")).zh,
  en: async () => (await import("./rooms-en.js")).en,
};

export class Speech {
  constructor() {
    const wanted = navigator.languages?.[0] || "zh";
    this.language = remembered() || (wanted.startsWith("zh") ? "zh" : "en");
    this.say = this.say.bind(this);
    this.find = this.find.bind(this);
  }

  /* Speaks a language, once its texts have come. */
  async load(language = this.language) {
    const texts = await Promise.all([TEXTS[language](), this.entered ? ROOMS[language]() : {}]);
    this.texts = Object.assign({}, ...texts);
    this.language = language;
    this.apply();
  }

  /* Brings what the rooms say. */
  async enter() {
    while (!this.entered) {
      const { language } = this, texts = await ROOMS[language]();
      if (language !== this.language) continue; // changed meanwhile
      Object.assign(this.texts, texts);
      this.entered = true;
    }
  }

  say(key, values = {}) {
    return this.texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }

  /* The text of a key that may have none; then an empty one. */
  find(key) {
    return this.texts[key] || "";
  }

  async change() {
    await this.load(this.language === "zh" ? "en" : "zh");
    try {
      localStorage.setItem(KEPT, this.language);
    } catch { /* forbidden or full */ }
  }

  /* Puts every text of the page into the language. */
  apply() {
    document.documentElement.lang = this.language === "zh" ? "zh-Hans" : "en";
    document.title = this.say("page.title");
    this.fill(document);
    document.getElementById("language").lang = this.language === "zh" ? "en" : "zh-Hans";
  }

  /* Puts the texts of a part of the page there; an error that is shown is left as it is. */
  fill(part) {
    for (const element of part.querySelectorAll("[data-text]:not(.bad)")) {
      element.textContent = this.say(element.dataset.text);
    }
    for (const element of part.querySelectorAll("[data-label]")) {
      element.ariaLabel = this.say(element.dataset.label);
    }
  }
}

function remembered() {
  try {
    const language = localStorage.getItem(KEPT);
    return language in TEXTS ? language : null;
  } catch {
    return null;
  }
}
