/* What was typed, read kindly: stray spaces and marks, whole lines, characters of today, other names. */

import { nameOf } from "./aliases.js";
import { inScript } from "./glyphs.js";

const MARKS = /[\s\p{P}\p{S}]+/u;
/* Characters that verse of the old poets does not have, and what stands for them there. */
const TODAYS = { "她": "他", "它": "他", "牠": "他", "祂": "他", "妳": "你" };

/* Text without the spaces and marks that nobody meant, in characters of the old poets. */
export function plain(text) {
  return [...text.split(MARKS).join("")].map((character) => TODAYS[character] || character).join("");
}

/* Words that are wholly of other letters, such as moon; empty if there is a Chinese character among them. */
export function foreign(text) {
  return /\p{L}/u.test(text) && !/\p{Script=Han}/u.test(text) ? text.trim() : "";
}

/* The first character of today in a text and what is written for it, or null. */
export function ofToday(text) {
  const character = [...text].find((one) => one in TODAYS);
  return character ? { character, old: TODAYS[character] } : null;
}

/* The whole lines, all of five or all of seven characters, that a text consists of; none if it is a mere start. */
export function wholeLines(text, lineLength) {
  const parts = text.split(MARKS).filter(Boolean).map(plain), all = parts.join("");
  if (parts.length > 1 && parts.every((part) => part.length === parts[0].length && /^(.{5}|.{7})$/u.test(part))) return parts;
  const length = [lineLength, 5, 7].find((each) => all.length > 7 && all.length % (2 * each) === 0);
  return parts.length === 1 && length ? all.match(RegExp(`.{${length}}`, "gu")) : [];
}

/* The lines of a text that has marks between or after them; none if it is a mere start. */
export function linesOf(text) {
  return MARKS.test(text.trim()) ? text.split(MARKS).filter(Boolean).map(plain) : [];
}

/* The form that lines can begin: of their length, and longer than they are. */
export function formFor(lines, form) {
  const room = { jueju: 4, lushi: 8 };
  const kind = [form.slice(0, 5), "jueju", "lushi", "gushi"].find((each) => lines.length < (room[each] || Infinity));
  return `${kind}-${lines[0].length}`;
}

/* Whom an author's other name stands for, in the script that is written; null if it is no other name. */
export function poetOf(text, script) {
  const name = nameOf(inScript(plain(text), "simplified"));
  return name && inScript(name, script);
}
