/* What is wished for: read from the form, from a link, from the last visit; turned into a request. */

import { foreign, linesOf, plain, poetOf, wholeLines } from "./typed.js";

const KEPT = "yin.wishes";
const TEXT = ["start", "title", "acrostic", "author"];
const FIELDS = ["form", "lines", "temperature", "guidance", "meter", "script", "novel", "theme", "era", "rhyme", "pattern", ...TEXT];
const MAX_SEED = 2 ** 48, MAX_TEXT = 1000;

/* The length of a form's lines, and their number. */
export function measure({ form, lines }) {
  const fixed = { jueju: 4, lushi: 8 }[form.slice(0, 5)];
  return { lineLength: Number(form.at(-1)), numLines: fixed || Number(lines) };
}

/* Whether a form is a tune of ci, which the service lists. */
export function isTune(form) {
  return !/^(jueju|lushi|gushi)-[57]$/.test(form);
}

export function isOldStyle(form) {
  return form.startsWith("gushi");
}

export function drawSeed() {
  const [high, low] = crypto.getRandomValues(new Uint32Array(2));
  return (high % 2 ** 16) * 2 ** 32 + low;
}

export function readForm(form) {
  const wishes = Object.fromEntries([...new FormData(form)].map(([k, v]) => [k, v.trim()]));
  return { novel: "", rhyme: "", pattern: "", ...wishes };
}

/* What was typed or chosen before this script had arrived over a slow network. */
export function touched(form) {
  const fresh = form.cloneNode(true);
  fresh.reset();
  const defaults = readForm(fresh);
  return Object.fromEntries(Object.entries(readForm(form)).filter(([name, value]) => value !== defaults[name]));
}

/* Sets the form's controls; a value that is not offered leaves its control as it is. */
export function fillForm(form, wishes) {
  for (const [name, value] of Object.entries(wishes)) {
    const control = form.elements[name];
    if (control?.type === "checkbox") control.checked = value === "1";
    else if (control?.tagName !== "SELECT" || [...control.options].some((o) => o.value === value)) {
      if (control) control.value = value || (control.type === "range" ? control.defaultValue : "");
    }
  }
}

/* The JSON of POST /generate/stream; candidates as a link has them, else as many as the service likes. */
export function toRequest(wishes, seed, count, candidates = 0) {
  const request = {
    form: wishes.form,
    temperature: Number(wishes.temperature),
    meter: wishes.meter,
    script: wishes.script,
    n: count,
    seed,
  };
  const { lineLength, numLines } = measure(wishes), strange = foreign(wishes.start || "");
  for (const name of TEXT) if (wishes[name]) request[name] = plain(wishes[name]);
  if (strange) delete request.start;
  const theme = [wishes.theme, strange].filter(Boolean).join(" ");
  if (theme) request.theme = theme;
  if (wishes.era) request.era = wishes.era;
  if (isTune(wishes.form)) delete request.meter; // its own
  if (wishes.rhyme && wishes.meter !== "free") request.rhyme = plain(wishes.rhyme);
  if (wishes.pattern && !isTune(wishes.form) && wishes.meter === "strict") request.pattern = wishes.pattern;
  if (wishes.guidance) request.guidance = Number(wishes.guidance);
  if (candidates) request.candidates = candidates;
  const opening = isTune(wishes.form) ? linesOf(wishes.start || "") : wholeLines(wishes.start || "", lineLength);
  if (opening.length) {
    request.opening = opening;
    delete request.start;
  }
  const poet = poetOf(wishes.author || "", wishes.script);
  if (poet) request.author = poet;
  if (wishes.novel) request.novel = true;
  if (isOldStyle(wishes.form)) request.length = lineLength * numLines;
  return request;
}

/* The part of a link after #: wishes, what draws the poem, and which model wrote it in which number format; of
   one's own poem, which no model draws again, its text. */
export function toFragment(wishes, { seed, candidates, text }, model) {
  const link = new URLSearchParams();
  if (!model) {
    for (const name of ["form", "title", "script"]) if (wishes[name]) link.set(name, wishes[name]);
    link.set("poem", text);
    return `#${link}`;
  }
  for (const name of FIELDS) {
    if (wishes[name] && (name !== "lines" || isOldStyle(wishes.form))) link.set(name, wishes[name]);
  }
  link.set("seed", seed);
  if (candidates) link.set("candidates", candidates);
  link.set("model", model.checksum.slice(0, 8));
  link.set("dtype", model.dtype);
  return `#${link}`;
}

/* What a link asks for: {wishes, seed, candidates, model, dtype}, or {wishes, text}; null if it has neither a
   usable seed nor a poem. */
export function fromFragment(fragment) {
  const link = new URLSearchParams(fragment.slice(1)), text = (link.get("poem") || "").slice(0, MAX_TEXT);
  if (text) return { wishes: pick(link, ["form", "title", "script"]), text };
  const seed = /^\d{1,16}$/.test(link.get("seed") || "") ? Number(link.get("seed")) : -1;
  if (seed < 0 || !Number.isSafeInteger(seed) || seed >= MAX_SEED) return null;
  const wishes = pick(link, FIELDS);
  const candidates = Number(/^\d{1,2}$/.exec(link.get("candidates")) || 0);
  return { wishes, seed, candidates, model: link.get("model") || "", dtype: link.get("dtype") || "" };
}

function pick(link, names) {
  return Object.fromEntries(names.map((name) => [name, link.get(name) || ""]));
}

/* Storage may be forbidden: then nothing is kept, and nothing breaks. */
export function keep(wishes) {
  try {
    localStorage.setItem(KEPT, JSON.stringify(wishes));
  } catch { /* forbidden or full */ }
}

export function recall() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT));
    return kept && typeof kept === "object" ? kept : {};
  } catch {
    return {};
  }
}
