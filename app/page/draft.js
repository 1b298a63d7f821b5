/* A draft: what stands in a text in the making, line by line, and what is still empty. */

import { cuesOf, typesOf } from "./cues.js";

const HAN = /[\p{Script=Han}□]/u, EMPTY = "□";
const ENDS = /[，。！？；,.!?;\n]/;
const ROOM = { jueju: 4, lushi: 8 };

/* Reads a text for a form, such as jueju-7, or for a tune, {lengths, marks}:
   {text, cells, lines, marks, lengths, lineLength, numLines, even, whole}.

   cells are the characters of the text in order, {text, line, index}, both null for a mark; lines are texts of
   verse alone, marks what ends each; even says whether all lines are as long as the form has them, lengths, but for
   the last, unfinished one; lineLength is the longest; whole says whether nothing is missing. */
export function readDraft(text, form, tune = null) {
  const runs = runsOf(text), poured = tune && pour(runs, tune.lengths);
  return poured ? laid(text, poured, tune) : ofForm(text, runs, form);
}

/* A draft of lines of one length, as many as its form has; or of lines as they are, if they differ. */
function ofForm(text, runs, form) {
  const ended = runs.find((run) => run.mark)?.characters.length, typed = Number(form.at(-1)) || 7;
  const length = [5, 7].includes(ended) ? ended : typed, found = runs.flatMap((run) => cut(run, length));
  const even = found.every(({ characters }, i) => characters.length === length || (i === found.length - 1 && characters.length < length));
  const room = Math.max(ROOM[form.slice(0, 5)] || 2, found.length > 4 ? 8 : 4, 2 * Math.ceil(found.length / 2));
  if (even) {
    const lengths = Array(room).fill(length);
    return laid(text, found, { lengths, marks: lengths.map((_, i) => "，。"[i % 2]) });
  }
  const lengths = found.map(({ characters }) => characters.length), marks = found.map(({ mark }) => mark.trim());
  return { ...laid(text, found, { lengths, marks }), even: false };
}

/* A draft whose lines are as its form has them. */
function laid(text, found, { lengths, marks, ...form }) {
  const spots = new Map(found.flatMap(({ characters }, i) => characters.map(({ at }, j) => [at, { line: i, index: j }])));
  const lines = found.map(({ characters }) => characters.map((one) => one.text).join(""));
  return {
    ...form, text, lines, marks, lengths,
    cells: [...text].map((character, at) => ({ text: character, line: null, index: null, ...spots.get(at) })),
    lineLength: Math.max(0, ...lengths),
    numLines: lengths.length,
    even: true,
    whole: lines.length > 0 && lengths.every((length, i) => [...(lines[i] || "")].length === length) && !text.includes(EMPTY),
  };
}

/* Stretches of verse as lines of a tune; null if an end falls within a line. */
function pour(runs, lengths) {
  const all = runs.flatMap(({ characters, mark }) => characters.map((one, i) => ({ ...one, ends: i === characters.length - 1 && ENDS.test(mark) })));
  const lines = [];
  for (const length of lengths) {
    const characters = all.splice(0, length);
    if (!characters.length) break;
    if (characters.slice(0, -1).some(({ ends }) => ends) || (characters.length < length && characters.at(-1).ends)) return null;
    lines.push({ characters, mark: "" });
  }
  return all.length ? null : lines;
}

/* The stretches of verse in a text: [{characters: [{text, at}], mark}], at counted in characters. */
function runsOf(text) {
  const runs = [];
  let open = null;
  [...text].forEach((character, at) => {
    if (HAN.test(character)) {
      if (!open) runs.push((open = { characters: [], mark: "" }));
      open.characters.push({ text: character, at });
    } else if (open && /[\s\p{P}]/u.test(character)) {
      open.mark = character;
      open = null;
    }
  });
  return runs;
}

/* A stretch that has no marks in it as lines. */
function cut({ characters, mark }, length) {
  if (characters.length <= length || (mark && characters.length % length)) return [{ characters, mark }];
  const starts = Array.from({ length: Math.ceil(characters.length / length) }, (_, i) => i * length);
  return starts.map((start) => ({ characters: characters.slice(start, start + length), mark }));
}

/* The whole poem as the service reads it: empty places as □. */
export function padded({ text, lines, marks, lengths, even }) {
  return even ? joined(lengths.map((length, i) => (lines[i] || "").padEnd(length, EMPTY)), marks) : text;
}

/* Lines with their marks; a line of the text ends with a sentence. */
export function joined(lines, marks) {
  return lines.map((line, i) => line + marks[i] + (marks[i] === "。" ? "\n" : "")).join("").trim();
}

/* What the draft asks of its places, a string a line: as its tune has it, by the pattern wished for, by the types
   that the proof found, or by the commonest; nothing for lines of several lengths and old-style verse. */
export function cuesFor({ lineLength, numLines, even, cues }, form, pattern, meter) {
  if (!even || form.startsWith("gushi")) return [];
  return cues || cuesOf((!pattern && meter?.line_types) || typesOf(pattern, lineLength, numLines), lineLength);
}

/* The faults of a draft as far as it is written: [{rule, line, character}], both from 1; line null where the
   rule names no spot. */
export function faultsOf({ lines, whole }, meter) {
  return Object.entries(meter.checks).filter(([, { holds }]) => !holds).flatMap(([rule, { where }]) => {
    const there = where.filter(([line, character]) => ![undefined, EMPTY].includes(lines[line - 1]?.[character - 1]));
    if (!where.length && whole) return [{ rule, line: null, character: null }];
    return there.map(([line, character]) => ({ rule, line, character }));
  });
}
