/* What is shown under a poem on demand: tones, pattern, rules, origin. */

import { inScript } from "./glyphs.js";
import { dress } from "./room.js";

export class Proof {
  /* The proof in an element, once the words of the rooms have come. */
  static async make(element, speech) {
    await dress(speech);
    return new Proof(element, speech);
  }

  constructor(element, speech) {
    Object.assign(this, { element, speech });
  }

  /* Describes a poem; model is what wrote it, or null, script that of the names. */
  show(poem, model, script) {
    this.element.replaceChildren(...describe(poem, model, this.speech, script));
    this.element.classList.remove("stale");
  }
}

function describe(poem, model, speech, script) {
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
  return [element("p", say("proof.tones"), "", "legend"), tones(poem), facts, rules(meter, speech, script)];
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

/* The lines with their tones in words: what the marks on the sheet say, for those who hear it. */
function tones({ lines, meter }) {
  const list = element("ol", "", "zh-Hans", "tones");
  meter.tones.forEach((line, i) => {
    const item = list.appendChild(element("li", lines[i]));
    item.append(" ", element("span", line + (meter.rhyme_lines.includes(i + 1) ? "韵" : "")));
  });
  return list;
}

/* The rules, each with a gloss that unfolds. */
function rules(meter, { say, find }, script) {
  const list = element("ul", "", "", "rules"), lang = script === "traditional" ? "zh-Hant" : "zh-Hans";
  for (const [name, { holds, where, note }] of Object.entries(meter.checks)) {
    const spots = where.map(([line, character]) => say("proof.spot", { line, character }));
    const item = list.appendChild(element("li", "", "", holds ? "holds" : "fails"));
    const details = item.appendChild(element("details")), summary = details.appendChild(element("summary"));
    summary.append(
      element("span", say(holds ? "rule.holds" : "rule.fails"), "", "verdict"),
      element("strong", find(`check.${name}`) || name),
      element("span", [find(`check.${name}.says`), ...spots].filter(Boolean).join(" · ")),
    );
    if (note) summary.append(element("em", inScript(note, script), lang));
    details.append(element("p", find(`check.${name}.gloss`)));
  }
  return list;
}
