/* How a draft reads: marks and cues under what is typed, and the same in words. */

import { inScript } from "./glyphs.js";

const ENDS = /[\s\p{P}]$/u;

export class Reading {
  /* mend([line, character], button) is called where a fault is pressed. */
  constructor(speech, mend) {
    this.$ = (id) => document.getElementById(id);
    Object.assign(this, { speech, mend });
  }

  /* Shows a draft's cues, a string a line; its proof, null if it is not known; its faults. */
  show(draft, cues, meter, faults, script) {
    this.mark(draft, cues, meter, faults);
    this.tell(draft, cues, meter, faults, script);
  }

  /* Lays the same text under the one that is typed, unseen but for its marks and, beyond its end, the cues. */
  mark({ cells, lines, text, lengths }, cues, meter, faults) {
    const wrong = new Set(faults.map(({ line, character }) => `${line},${character}`)), { length } = lines;
    const made = cells.map(({ text: character, line, index }) => {
      if (line === null) return character;
      const span = element("span", character);
      span.dataset.tone = { "平": "ping", "仄": "ze" }[meter?.tones[line]?.[index]] || "";
      span.classList.toggle("rhyme", Boolean(meter?.rhyme_lines.includes(line + 1)) && index === lines[line].length - 1);
      span.classList.toggle("fault", wrong.has(`${line + 1},${index + 1}`));
      return span;
    });
    const open = length && !ENDS.test(text) && lines[length - 1].length < lengths[length - 1];
    const rest = cues.slice(length).join("\n"), gap = text && !text.endsWith("\n") && rest ? "\n" : "";
    const ghost = (open ? (cues[length - 1] || "").slice(lines[length - 1].length) : "") + gap + rest;
    this.$("under").replaceChildren(...made, element("span", ghost, "ghost"), "\n");
  }

  /* Says what the marks show. */
  tell({ lines, lengths, whole }, cues, meter, faults, script) {
    const { say } = this.speech, { length } = lines, last = length ? lines[length - 1] : "";
    const line = length && last.length < lengths[length - 1] ? length : length + 1, character = (line === length ? last.length : 0) + 1;
    const cue = cues[line - 1]?.[character - 1];
    this.$("desk-next").textContent = cue ? say("desk.next", { line, character, cue: say(`cue.${cue}`) }) : "";
    const named = meter ? [meter.genre, meter.pattern, meter.rhyme].filter(Boolean).join(" · ") : "";
    const verdict = named && say(meter.regulated ? "proof.regulated" : "proof.unregulated");
    const says = whole ? [inScript(named, script), verdict].filter(Boolean).join(" · ") : "";
    if (this.$("desk-says").textContent !== says) this.$("desk-says").textContent = says; // it is read aloud
    this.$("desk-faults").replaceChildren(...bySpot(faults).map((fault) => this.fault(fault)));
  }

  fault({ rules, line, character }) {
    const { say, find } = this.speech, item = element("li");
    const names = rules.map((rule) => find(`check.${rule}`) || rule).join(say("and"));
    if (line === null) {
      item.textContent = names;
      return item;
    }
    const button = item.appendChild(element("button", `${say("proof.spot", { line, character })} · ${names}`));
    button.type = "button";
    button.addEventListener("click", () => this.mend([line, character], button));
    return item;
  }
}

/* Faults of one spot together, in the order of the spots. */
function bySpot(faults) {
  const spots = new Map();
  for (const { rule, line, character } of faults) {
    const key = line === null ? Infinity : line * 100 + character;
    if (!spots.has(key)) spots.set(key, { rules: [], line, character });
    spots.get(key).rules.push(rule);
  }
  return [...spots].sort(([one], [other]) => one - other).map(([, fault]) => fault);
}

function element(tag, text = "", kind = "") {
  return Object.assign(document.createElement(tag), { textContent: text, className: kind });
}
