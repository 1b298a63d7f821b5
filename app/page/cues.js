/* What the patterns of regulated verse ask of each place: 平, 仄, 中 for either, 韵 for a rhyme.

   Line types and their order as in docs/check.md; source: Wang Li, 诗词格律 (1962). */

/* A line of seven by its type; a line of five is its end. */
const TYPES = { a: "中平中仄平平仄", A: "中平中仄仄平平", b: "中仄中平平仄仄", B: "中仄平平仄仄平" };
const NAMES = { 5: { a: "仄起", A: "仄起", b: "平起", B: "平起" }, 7: { a: "平起", A: "平起", b: "仄起", B: "仄起" } };
const ORDER = "aBbA";

/* What line 1 begins with, by a pattern's name; of nothing, the commonest. */
function opening(name, lineLength) {
  const starts = name.slice(0, 2), rhymes = name.includes("不入韵") ? "ab" : name ? "AB" : "";
  const fits = (type) => (!starts || NAMES[lineLength][type] === starts) && (!rhymes || rhymes.includes(type));
  return [lineLength === 5 ? "a" : "A", ..."aAbB"].find(fits);
}

/* The types of so many lines under a pattern's name, such as 仄起首句入韵; an empty name leaves the choice. */
export function typesOf(name, lineLength, numLines) {
  const begins = opening(name, lineLength), from = ORDER.indexOf({ A: "a", B: "b" }[begins] || begins);
  const rest = Array.from({ length: numLines - 1 }, (_, i) => ORDER[(from + i + 1) % 4]);
  return [begins, ...rest].join("");
}

/* The cues of each line, one a place. */
export function cuesOf(types, lineLength) {
  return [...types].map((type) => {
    const cues = TYPES[type].slice(-lineLength);
    return /[AB]/.test(type) ? `${cues.slice(0, -1)}韵` : cues;
  });
}
