/* A draft: what stands in a text in the making, line by line, and what is still empty. */

import { cuesOf, typesOf } from "./cues.js";

const HAN = /[\p{Script=Han}□]/u, EMPTY = "□";
const ROOM = { jueju: 4, lushi: 8 };

/* Reads a text for a form, such as jueju-7: {text, cells, lines, marks, lineLength, numLines, even, whole}.

   cells are the characters of the text in order, {text, line, index}, both null for a mark; lines are texts of
   verse alone, marks what ends each; even says whether all lines are of one length, but for the last, unfinished
   one, and lineLength is that of the longest if not; whole, whether nothing is missing. */
export function readDraft(text, form) {
  const runs = runsOf(text), ended = runs.find((run) => run.mark);
  const length = [5, 7].includes(ended?.characters.length) ? ended.characters.length : Number(form.at(-1));
  const found = runs.flatMap((run) => cut(run, length)), last = found.at(-1)?.characters || [];
  const even = found.slice(0, -1).every(({ characters }) => characters.length === length) && last.length <= length;
  const room = Math.max(ROOM[form.slice(0, 5)] || 2, found.length > 4 ? 8 : 4, 2 * Math.ceil(found.length / 2));
  const spots = new Map(found.flatMap(({ characters }, i) => characters.map(({ at }, j) => [at, { line: i, index: j }])));
  return {
    text,
    cells: [...text].map((character, at) => ({ text: character, line: null, index: null, ...spots.get(at) })),
    lines: found.map(({ characters }) => characters.map((one) => one.text).join("")),
    marks: found.map(({ mark }, i) => (even ? "，。"[i % 2] : mark.trim())),
    lineLength: even ? length : Math.max(...found.map(({ characters }) => characters.length)),
    numLines: even ? room : found.length,
    even,
    whole: found.length > 0 && !text.includes(EMPTY) && (!even || (found.length === room && last.length === length)),
  };
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
export function padded({ text, lines, lineLength, numLines, even }) {
  if (!even) return text;
  return punctuate(Array.from({ length: numLines }, (_, i) => (lines[i] || "").padEnd(lineLength, EMPTY)));
}

/* Lines with their marks, a couplet a line. */
export function punctuate(lines) {
  return lines.map((line, i) => line + (i % 2 ? "。\n" : "，")).join("").trim();
}

/* What the draft asks of its places, a string a line: by the pattern wished for, by the types that the proof
   found, or by the commonest; nothing for lines of several lengths and old-style verse. */
export function cuesFor({ lineLength, numLines, even }, form, pattern, meter) {
  if (!even || form.startsWith("gushi")) return [];
  return cuesOf((!pattern && meter?.line_types) || typesOf(pattern, lineLength, numLines), lineLength);
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
