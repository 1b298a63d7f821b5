/* What is shown under a poem on demand: tones, pattern, rules, origin. */

import { Aloud } from "./aloud.js";
import { inScript } from "./glyphs.js";
import { furnish } from "./room.js";
import { ask } from "./service.js";
import { Failure } from "./stream.js";

const MARKUP = `
<div id="reading">
  <p class="legend" data-text="proof.tones"></p>
  <button type="button" id="pinyin" aria-pressed="false" data-text="pinyin"></button>
  <button type="button" id="aloud" aria-pressed="false" data-text="aloud"></button>
</div>`;

const RULES = "docs/check.md", LINK = `
<p class="hint"><a href="docs/check.md" data-text="proof.rules"></a></p>`;

export class Proof {
  /* The proof in an element, of the poem on a sheet. trouble(error, again) says what went wrong. */
  static async make(element, speech, sheet, trouble) {
    const reading = await furnish(speech, MARKUP, element);
    element.replaceChildren(reading, document.createElement("div"));
    const rules = await fetch(RULES, { method: "HEAD" }).catch(() => ({})); // not every service has them
    if (rules.ok) element.append(await furnish(speech, LINK, reading));
    return new Proof(element, speech, sheet, trouble);
  }

  constructor(element, speech, sheet, trouble) {
    Object.assign(this, { element, speech, trouble, spelled: new Map() });
    this.pinyin = element.querySelector("#pinyin");
    this.pinyin.addEventListener("click", () => this.turnPinyin());
    this.aloud = new Aloud(element.querySelector("#aloud"), speech, {
      lines: () => this.poem.lines,
      reading: (number) => sheet.lines.forEach((line, i) => line.classList.toggle("spoken", i === number)),
    });
  }

  /* Describes a poem; model is what wrote it, or null, script that of the names. */
  show(poem, model, script) {
    if (this.poem?.text !== poem.text) this.aloud.stop();
    Object.assign(this, { poem, model, script });
    this.element.children[1].replaceChildren(...describe(poem, model, this.speech, script, this.spelling));
    this.element.classList.remove("stale");
    if (this.wanted && !this.spelling) this.spell();
  }

  get wanted() {
    return this.pinyin.ariaPressed === "true";
  }

  /* The syllables of the poem's characters, a list a line; null if they are not wanted or not known. */
  get spelling() {
    return (this.wanted && this.spelled.get(this.poem.text)) || null;
  }

  turnPinyin() {
    this.pinyin.ariaPressed = String(!this.wanted);
    this.show(this.poem, this.model, this.script);
  }

  /* Asks how the poem is read today. */
  async spell() {
    const { poem: { text }, speech: { language } } = this;
    try {
      const { pinyin } = await ask("check", { body: { text, pinyin: true }, language });
      this.spelled.set(text, pinyin || []);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.pinyin.ariaPressed = "false";
      this.trouble(error, () => this.turnPinyin());
    }
    if (this.poem.text === text) this.show(this.poem, this.model, this.script);
  }
}

function describe(poem, model, speech, script, spelling) {
  const { meter } = poem, { say } = speech, lang = script === "traditional" ? "zh-Hant" : "zh-Hans";
  const facts = document.createElement("dl");
  const fact = (key, text, lang = "", gloss = "") => {
    const says = element("dd", text, lang);
    if (gloss) says.append(element("small", gloss, document.documentElement.lang));
    facts.append(element("dt", say(key)), says);
  };
  const named = (name) => [inScript(name, script), lang];
  fact("proof.genre", ...named(meter.genre), speech.find(`genre.${meter.genre}`));
  if (meter.tune) fact("proof.tune", ...named(meter.pattern), say("proof.tune.gloss", { poems: meter.tune.poems }));
  else if (meter.pattern) fact("proof.pattern", ...named(meter.pattern), patternGloss(meter.pattern, say));
  else fact("proof.pattern", say("proof.pattern.none"));
  if (meter.rhyme) fact("proof.rhyme", ...named(meter.rhyme), say(meter.tune ? "proof.part.gloss" : "proof.rhyme.gloss"));
  else fact("proof.rhyme", say("proof.rhyme.none"));
  fact("proof.verdict", say(meter.regulated ? "proof.regulated" : "proof.unregulated"));
  for (const { lines, likeness, quartiles } of meter.parallelism || []) {
    const [low, , high] = quartiles, [one, other] = lines;
    fact("proof.parallel", say("proof.parallel.lines", { one, other, likeness }), "", say("proof.parallel.gloss", { low, high }));
  }
  if (model) ofModel(fact, poem, model, say);
  return [tones(poem, spelling), facts, rules(meter, speech, script)];
}

/* What is known of a poem that a model wrote. */
function ofModel(fact, poem, model, say) {
  fact("proof.copied", poem.copied_lines.join("　") || say("proof.copied.none"), poem.copied_lines.length && "zh");
  if (poem.keywords?.length) fact("proof.theme", poem.keywords.map(({ word, of }) => (word === of ? word : `${of} → ${word}`)).join("　"), "zh");
  fact("proof.seed", String(poem.seed));
  fact("proof.model", `${model.name} · ${model.checksum.slice(0, 8)} · ${model.dtype} · ${say("proof.bits", { bits: poem.bits_per_character.toFixed(2) })}`);
}

/* What a pattern's name says, such as 仄起首句入韵: how line 1 begins, and whether it rhymes. */
function patternGloss(name, say) {
  return [`pattern.${name[0]}`, name.includes("不入韵") ? "pattern.不入韵" : "pattern.入韵"].map((key) => say(key)).join(" ");
}

function element(tag, text = "", lang = "", kind = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  if (lang) made.lang = lang;
  if (kind) made.className = kind;
  return made;
}

/* The lines with their tones in words: what the marks on the sheet say, for those who hear it; and with their
   syllables above, where they are known. */
function tones({ lines, meter }, spelling) {
  const list = element("ol", "", "zh-Hans", spelling ? "tones spelled" : "tones");
  meter.tones.forEach((line, i) => {
    const item = list.appendChild(element("li"));
    item.append(...(spelling?.[i] ? spell(lines[i], spelling[i]) : [lines[i]]));
    item.append(" ", element("span", line + (meter.rhyme_lines.includes(i + 1) ? "韵" : "")));
  });
  return list;
}

/* Characters with their syllables above. */
function spell(line, syllables) {
  return [...line].map((character, i) => {
    const ruby = element("ruby", character);
    ruby.append(element("rt", syllables[i] || "", "zh-Latn-pinyin"));
    return ruby;
  });
}

/* The rules, each with a gloss that unfolds. */
function rules(meter, { say, find }, script) {
  const list = element("ul", "", "", "rules"), lang = script === "traditional" ? "zh-Hant" : "zh-Hans";
  for (const [name, { holds, where, note }] of Object.entries(meter.checks)) {
    const rule = meter.tune && find(`check.词${name}`) ? `词${name}` : name, spots = where.map(([line, character]) => say("proof.spot", { line, character }));
    const item = list.appendChild(element("li", "", "", holds ? "holds" : "fails"));
    const details = item.appendChild(element("details")), summary = details.appendChild(element("summary"));
    summary.append(
      element("span", say(holds ? "rule.holds" : "rule.fails"), "", "verdict"),
      element("strong", find(`check.${name}`) || name),
      element("span", [find(`check.${rule}.says`), ...spots].filter(Boolean).join(" · ")),
    );
    if (note) summary.append(element("em", inScript(note, script), lang));
    details.append(element("p", find(`check.${rule}.gloss`)));
  }
  return list;
}
