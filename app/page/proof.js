/* What is shown under a poem on demand: tones, pattern, rules, origin. */

import { rhymeSpots } from "./sheet.js";

/* Returns the elements that describe a poem; say(key, values) gives the words. */
export function describe(poem, model, say) {
  const { meter } = poem;
  const facts = document.createElement("dl");
  const fact = (key, text, lang = "") => facts.append(element("dt", say(key)), element("dd", text, lang));
  fact("proof.pattern", meter.pattern || say("proof.pattern.none"), meter.pattern && "zh-Hans");
  fact("proof.rhyme", meter.rhyme || say("proof.rhyme.none"), meter.rhyme && "zh-Hans");
  fact("proof.verdict", say(meter.regulated ? "proof.regulated" : "proof.unregulated"));
  fact("proof.copied", poem.copied_lines.join("　") || say("proof.copied.none"), poem.copied_lines.length && "zh");
  fact("proof.seed", String(poem.seed));
  fact("proof.model", `${model.name} · ${model.checksum.slice(0, 8)} · ${say("proof.bits", { bits: poem.bits_per_character.toFixed(2) })}`);
  return [element("p", say("proof.tones"), "", "legend"), tones(poem), facts, rules(meter, say)];
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
  const rhymes = new Set(rhymeSpots(meter).map(([line]) => line));
  meter.tones.forEach((line, i) => {
    const item = list.appendChild(element("li", lines[i]));
    item.append(" ", element("span", line + (rhymes.has(i + 1) ? "韵" : "")));
  });
  return list;
}

function rules(meter, say) {
  const list = element("ul", "", "", "rules");
  for (const [name, { holds, where, note }] of Object.entries(meter.checks)) {
    const spots = where.map(([line, character]) => say("proof.spot", { line, character }));
    const item = list.appendChild(element("li", "", "", holds ? "holds" : "fails"));
    item.append(
      element("span", say(holds ? "rule.holds" : "rule.fails"), "", "verdict"),
      element("strong", say(`check.${name}`)),
      element("span", [say(`check.${name}.says`), ...spots].join(" · ")),
    );
    if (note) item.append(element("em", note, "zh-Hans"));
  }
  return list;
}
