/* The tunes of ci: what the service lists, and the book where one is chosen by name, by pinyin, by length. */

import { inScript } from "./glyphs.js";
import { furnish } from "./room.js";
import { simplified } from "./scripts.js";
import { ask } from "./service.js";

const MARKUP = `
<dialog id="tune-book" aria-labelledby="tune-book-title">
  <div class="bar">
    <h2 id="tune-book-title" data-text="tunes.title"></h2>
    <button type="button" id="tune-book-close" data-text="album.close"></button>
  </div>
  <p class="hint" data-text="tunes.hint"></p>
  <form id="tune-search" novalidate autocomplete="off">
    <div class="field">
      <label for="tune-name" data-text="tunes.search"></label>
      <input id="tune-name" type="search">
    </div>
    <fieldset class="field">
      <legend data-text="tunes.length"></legend>
      <div class="choices">
        <label><input type="radio" name="category" value="" checked><span data-text="tunes.any"></span></label>
        <label><input type="radio" name="category" value="小令"><span data-text="tunes.short"></span></label>
        <label><input type="radio" name="category" value="中调"><span data-text="tunes.middle"></span></label>
        <label><input type="radio" name="category" value="长调"><span data-text="tunes.long"></span></label>
      </div>
    </fieldset>
  </form>
  <p class="hint" id="tune-count" role="status"></p>
  <ul id="tune-list"></ul>
</dialog>`;
let listed = null;

/* The tunes as GET /forms lists them; asked for once. */
export function allTunes() {
  listed ??= ask("forms").then((forms) => forms.filter(({ genre }) => genre === "词")).catch((error) => {
    listed = null; // next time, perhaps
    throw error;
  });
  return listed;
}

/* The variant of a tune that a code names, with its tune; null if there is none. */
export async function variantOf(code) {
  for (const tune of await allTunes()) {
    const variant = tune.variants.find((each) => each.code === code);
    if (variant) return { ...variant, tune };
  }
  return null;
}

/* How a variant lies on a sheet: its columns, and how many of them each stanza has. */
export function shapeOf({ stanzas }) {
  const lengths = stanzas.flat().map((line) => line.match(/\d+/g).reduce((sum, each) => sum + Number(each) + 1, -1));
  return { lineLength: Math.max(...lengths), numLines: lengths.length, stanzas: stanzas.map((lines) => lines.length) };
}

/* What a variant asks of its lines, for a draft: their lengths, their marks, their cues; null if it is not known. */
export async function asksOf(code) {
  const { cards } = await ask(`forms/${encodeURIComponent(code)}`), card = cards.find((each) => each.code === code);
  if (!card) return null;
  const { lines, stanzas } = card, marks = stanzas.flat().map((line) => line.at(-1));
  const cues = lines.map(({ pattern, rhyme }) => (rhyme ? `${pattern.slice(0, -1)}韵` : pattern));
  return { lengths: cues.map((each) => each.length), marks, cues, stanzas: stanzas.map((each) => each.length) };
}

export class TuneBook {
  /* take(variant) is called when one is chosen; script() says in which script names are printed. */
  static async make(speech, acts) {
    const tunes = await allTunes();
    await furnish(speech, MARKUP);
    return new TuneBook(speech, tunes, acts);
  }

  constructor(speech, tunes, { take, script }) {
    this.$ = (id) => document.getElementById(id);
    Object.assign(this, { speech, tunes, take, script });
    this.$("tune-book-close").addEventListener("click", () => this.$("tune-book").close());
    this.$("tune-search").addEventListener("input", () => this.list());
    this.$("tune-search").addEventListener("submit", (event) => {
      event.preventDefault();
      this.$("tune-list").querySelector("button")?.click();
    });
  }

  show() {
    this.$("tune-name").value = "";
    this.$("tune-book").showModal();
    this.$("tune-book").scrollTop = 0;
    this.list();
  }

  /* Lists the tunes that the search and the length find. */
  list() {
    const wanted = simplified(this.$("tune-name").value.trim()).toLowerCase().replaceAll(" ", "");
    const { value } = this.$("tune-search").elements.category;
    const found = this.tunes.filter(({ name, pinyin, aliases, category }) =>
      (!value || category === value) && [name, pinyin, ...aliases].some((each) => each.includes(wanted)));
    this.$("tune-count").textContent = this.speech.say("tunes.count", { count: found.length });
    this.$("tune-list").replaceChildren(...found.map((tune) => this.item(tune)));
  }

  item({ name, pinyin, aliases, category, characters, poems, variants }) {
    const { say } = this.speech, item = element("li"), script = this.script();
    const open = item.appendChild(button(inScript(name, script), () => this.choose(variants[0])));
    open.lang = script === "traditional" ? "zh-Hant" : "zh-Hans";
    const says = say("tunes.facts", { pinyin, category, characters, poems });
    open.append(element("small", [says, inScript(aliases.join(" "), script)].filter(Boolean).join(" · ")));
    open.append(element("small", shown(variants[0]), "shape"));
    if (variants.length > 1) item.append(this.others(variants, say));
    return item;
  }

  /* The other variants of a tune, folded away. */
  others(variants, say) {
    const details = element("details");
    details.append(element("summary", say("tunes.variants", { count: variants.length - 1 })));
    details.append(...variants.slice(1).map((variant) => {
      const { name, poems } = variant, open = button(name, () => this.choose(variant));
      open.append(element("small", say("tunes.poems", { poems })), element("small", shown(variant), "shape"));
      return open;
    }));
    return details;
  }

  choose(variant) {
    this.$("tune-book").close();
    this.take(variant);
  }
}

/* The lines of a variant in numbers, a stroke between stanzas. */
function shown({ stanzas }) {
  return stanzas.map((lines) => lines.join("")).join(" ‖ ");
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
