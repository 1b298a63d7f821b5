/* The rhyme book: the groups of 平水韵, and how a character rhymes. */

import { inScript } from "./glyphs.js";
import { furnish } from "./room.js";
import { ask } from "./service.js";
import { Failure } from "./stream.js";

const LEVEL = {
  upper: "一东 二冬 三江 四支 五微 六鱼 七虞 八齐 九佳 十灰 十一真 十二文 十三元 十四寒 十五删",
  lower: "一先 二萧 三肴 四豪 五歌 六麻 七阳 八庚 九青 十蒸 十一尤 十二侵 十三覃 十四盐 十五咸",
};
const MARKUP = `
<dialog id="rhyme-book" aria-labelledby="rhyme-book-title">
  <div class="bar">
    <h2 id="rhyme-book-title" data-text="rhymes.title"></h2>
    <button type="button" id="rhyme-book-close" data-text="album.close"></button>
  </div>
  <p class="hint" data-text="rhymes.hint"></p>
  <form id="rhyme-search" novalidate autocomplete="off">
    <div class="field">
      <label for="rhyme-name" data-text="rhymes.search"></label>
      <div class="row">
        <input id="rhyme-name" lang="zh" maxlength="4">
        <button type="submit" data-text="rhymes.find"></button>
      </div>
    </div>
  </form>
  <div id="rhyme-found" role="status"></div>
  <h3 data-text="rhymes.upper"></h3>
  <div class="groups" id="rhymes-upper"></div>
  <h3 data-text="rhymes.lower"></h3>
  <div class="groups" id="rhymes-lower"></div>
</dialog>`;

export class RhymeBook {
  /* take(group) is called when one is chosen; script() says in which script names are printed. */
  static async make(speech, acts) {
    await furnish(speech, MARKUP);
    return new RhymeBook(speech, acts);
  }

  constructor(speech, { take, script }) {
    this.$ = (id) => document.getElementById(id);
    Object.assign(this, { speech, take, script });
    this.$("rhyme-book-close").addEventListener("click", () => this.$("rhyme-book").close());
    this.$("rhyme-search").addEventListener("submit", (event) => {
      event.preventDefault();
      const name = this.$("rhyme-name").value.trim();
      if (name) this.look(name);
    });
  }

  /* Opens at a character or a group; at neither, if there is no name. */
  show(name = "") {
    const script = this.script();
    for (const [part, names] of Object.entries(LEVEL)) {
      this.$(`rhymes-${part}`).replaceChildren(...names.split(" ").map((each) => button(inScript(each, script), () => this.look(each))));
    }
    this.$("rhyme-found").replaceChildren();
    this.$("rhyme-name").value = name;
    this.$("rhyme-book").showModal();
    if (name) this.look(name);
  }

  async look(name) {
    this.looking?.abort();
    const { say, language } = this.speech, looking = (this.looking = new AbortController());
    this.$("rhyme-name").value = inScript(name, this.script());
    try {
      const path = `rhymes/${encodeURIComponent(name)}?script=${this.script()}`;
      const found = await ask(path, { signal: looking.signal, language });
      this.tell(found);
    } catch (error) {
      if (looking.signal.aborted) return;
      if (!(error instanceof Failure)) throw error;
      this.$("rhyme-found").replaceChildren(element("p", say(`error.${error.kind}`), "bad"));
    }
  }

  tell({ readings, groups }) {
    const { say } = this.speech, lang = this.script() === "traditional" ? "zh-Hant" : "zh-Hans";
    const list = element("ul", "", "readings");
    list.append(...readings.map(({ category, group, percent, pinyin }) => {
      const says = say("rhymes.reading", { tone: say(`tone.${category}`), group: group || "—", percent });
      return element("li", [pinyin.join(" "), says].filter(Boolean).join("　"));
    }));
    const found = groups.map(({ name, characters, neighbours }) => {
      const part = element("section", "", "group"), head = part.appendChild(element("div", "", "bar"));
      head.append(element("h3", name), button(say("rhymes.take"), () => this.choose(name)));
      if (neighbours.length) part.append(element("p", say("rhymes.neighbours", { groups: neighbours.join(say("and")) }), "hint"));
      const poem = part.appendChild(element("p", characters, "characters"));
      head.firstChild.lang = poem.lang = lang;
      return part;
    });
    this.$("rhyme-found").replaceChildren(...(readings.length ? [list] : []), ...found);
  }

  choose(name) {
    this.$("rhyme-book").close();
    this.take(name);
  }
}

function button(text, act) {
  const made = element("button", text);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

function element(tag, text = "", kind = "") {
  return Object.assign(document.createElement(tag), { textContent: text, className: kind });
}
