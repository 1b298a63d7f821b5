/* What is wished for: read from the form, from a link, from the last visit; turned into a request. */

import { plain, poetOf, wholeLines } from "./typed.js";

const KEPT = "yin.wishes";
const TEXT = ["start", "title", "acrostic", "author", "era"];
const FIELDS = ["form", "lines", "temperature", "meter", "script", "novel", ...TEXT];
const MAX_SEED = 2 ** 48;

/* The length of a form's lines, and their number. */
export function measure({ form, lines }) {
  const fixed = { jueju: 4, lushi: 8 }[form.slice(0, 5)];
  return { lineLength: Number(form.at(-1)), numLines: fixed || Number(lines) };
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
  return { novel: "", ...wishes };
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
      if (control) control.value = value;
    }
  }
}

/* The JSON of POST /generate/stream. */
export function toRequest(wishes, seed, count) {
  const request = {
    form: wishes.form,
    temperature: Number(wishes.temperature),
    meter: wishes.meter,
    script: wishes.script,
    n: count,
    seed,
  };
  const { lineLength, numLines } = measure(wishes);
  for (const name of TEXT) if (wishes[name]) request[name] = name === "era" ? wishes.era : plain(wishes[name]);
  const opening = wholeLines(wishes.start || "", lineLength);
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

/* The part of a link after #: wishes, the poem's seed, and which model wrote it in which number format. */
export function toFragment(wishes, seed, { checksum, dtype }) {
  const link = new URLSearchParams();
  for (const name of FIELDS) {
    if (wishes[name] && (name !== "lines" || isOldStyle(wishes.form))) link.set(name, wishes[name]);
  }
  link.set("seed", seed);
  link.set("model", checksum.slice(0, 8));
  link.set("dtype", dtype);
  return `#${link}`;
}

/* What a link asks for: {wishes, seed, model, dtype}; null if it has no usable seed. */
export function fromFragment(fragment) {
  const link = new URLSearchParams(fragment.slice(1));
  const seed = /^\d{1,16}$/.test(link.get("seed") || "") ? Number(link.get("seed")) : -1;
  if (seed < 0 || !Number.isSafeInteger(seed) || seed >= MAX_SEED) return null;
  const wishes = Object.fromEntries(FIELDS.map((name) => [name, link.get(name) || ""]));
  return { wishes, seed, model: link.get("model") || "", dtype: link.get("dtype") || "" };
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
