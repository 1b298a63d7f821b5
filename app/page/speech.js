/* The page's voice: Chinese or English, and API messages in either. */

const KEPT = "yin.language";
/* What the page says, loaded in the language that is spoken; and what its rooms say, once one is entered. */
const TEXTS = { zh: async () => (await import("./zh.js")).zh, en: async () => (await import("./en.js")).en };
const ROOMS = {
  zh: async () => (await import("./rooms-zh.js")).zh,
  en: async () => (await import("./rooms-en.js")).en,
};

/* The API's English messages, as patterns, and what they are in Chinese. */
const CHINESE = [
  [/^the model does not know the character '(.)'$/u, "它不认识“$1”字"],
  [/^the model does not know the author '(.+?)'; it knows (.+)$/u, "它没学过“$1”；学过$2"],
  [/^the model does not know the author '(.+?)'$/u, "它没学过“$1”"],
  [/^must be Chinese characters only, without '(.)'$/u, "只能填汉字，不能有“$1”"],
  [/^must have at most (\d+) characters?, got \d+$/, "最多 $1 字"],
  [/^must have at least (\d+) characters?, got \d+$/, "至少 $1 字"],
  [/^an acrostic here takes (\d+) characters .* or (\d+) .*, not (\d+)$/, "这个体裁藏头要 $1 字（每联一字）或 $2 字（每行一字），现在是 $3 字"],
  [/^line (\d+): no pattern of regulated verse .* fits (.+) \((.+)\)$/u, "第 $1 行：“$2”（$3）合不上格律；改几个字，或放宽格律"],
  [/^line (\d+): too few characters rhyme here .*$/u, "第 $1 行：同韵的字太少"],
  [/^line (\d+): a line has (\d+) characters, not (\d+)$/, "一行只有 $2 字，现在是 $3 字"],
  [/^line (\d+): two different characters are given for character (\d+): .*opening.* must agree$/, "第 $1 行第 $2 字给了两个不同的字：已给的句子与起头、藏头要一致"],
  [/^line (\d+): two different characters are given for character (\d+): start and acrostic must agree$/, "第 $1 行第 $2 字给了两个不同的字：起头与藏头要一致"],
  [/^line (\d+): every line that can follow (.+) stands in the corpus$/u, "第 $1 行：“$2”之后只剩古人原句；换个字，或不勾“不用古人原句”"],
  [/^this request leads to fewer than (\d+) different poems; .*$/, "这样的要求写不出 $1 首不同的诗；笔意放开些，或少写几首"],
  [/^line (\d+): the line has to rhyme, and ends in (.+)$/u, "第 $1 行该押韵，却以 $2 收尾"],
  [/^none of its words leads to one that the poems know: (.+); try others$/u, "诗里没有与“$1”相应的词；换个说法"],
  [/^must be a rhyme group of .+, or one character .+, not '(.+)'$/u, "“$1”不是韵部（如七阳），也不是一个字（如花）"],
  [/^regulated verse rhymes in a level group, and (.+) is oblique; .*$/u, "合律的诗押平声韵，$1 是仄声；换一部，或改选“押韵”"],
  [/^line (\d+): (?:nothing|no character) (?:that )?keeps every rule (?:was found )?here$/, "第 $1 行：没有不犯规的字"],
  [/^line (\d+): nothing that keeps every rule was found here: what was tried breaks (.+)$/, "第 $1 行：没有不犯规的字：试过的都犯$2"],
  [/^must stand within (\d+) lines in a row$/, "要在相连的 $1 行之内"],
  [/^at most (\d+) characters, or one line, at a time, not \d+$/, "一次最多换 $1 字，或一整句"],
];

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

  /* An API message in the page's language; unknown ones stay as they are. */
  translate(message) {
    if (this.language === "en") return message;
    const [form, said] = CHINESE.find(([form]) => form.test(message)) || [];
    return form ? message.replace(form, said) : message;
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
