/* The picture of a poem: a sheet of ruled paper, vertical, with its seal and a line at the foot, as a PNG. */

import { headed } from "./sheet.js";

const CHARACTER = 72, STEP = 84, COLUMN = 132, MARGIN = 110, FOOT = 70, GAP = 60;
const INKS = {
  light: { paper: "#f6f0e2", ink: "#221d17", rule: "#dcb8a2", seal: "#b23a2c", faint: "#776a58" },
  dark: { paper: "#1e1b18", ink: "#ece4d4", rule: "#5c3d33", seal: "#c2493a", faint: "#a89f90" },
};
/* Width to height, or both in pixels: a telephone's screen, A4 at 300 dots an inch. The sheet's own is what its
   columns need. */
const SHAPES = {
  sheet: {},
  square: { ratio: 1 },
  tall: { ratio: 9 / 16 },
  phone: { width: 1290, height: 2796 },
  upright: { width: 2480, height: 3508 },
  across: { width: 3508, height: 2480 },
};

/* Returns a PNG of lines (with punctuation) in stanzas of so many, under a title, set in font, with foot at the
   bottom; shape and tone are keys of SHAPES and INKS. */
export async function draw({ title, lines, stanzas = [lines.length], font, foot, shape = "sheet", tone = "light" }) {
  const { width, height } = SHAPES[shape], ink = INKS[tone];
  const plan = measure(title, lines, stanzas, width < height || shape === "tall");
  // The page's face is loaded once characters use it; the canvas would not wait for it.
  await document.fonts.load(`${CHARACTER}px ${font}`, [title, ...lines, foot, "吟"].join(""));
  const canvas = Object.assign(document.createElement("canvas"), framed(plan, SHAPES[shape]));
  const pen = canvas.getContext("2d"), scale = Math.min(canvas.width / plan.width, canvas.height / plan.height);
  pen.fillStyle = ink.paper;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.translate((canvas.width - scale * plan.width) / 2, (canvas.height - scale * plan.height) / 2);
  pen.scale(scale, scale);
  frame(pen, plan, ink);
  set(pen, plan, lines, ink, font);
  stamp(pen, MARGIN + COLUMN / 2, plan.height - MARGIN - FOOT - CHARACTER * 0.75, ink, font);
  pen.font = `26px ${font}`;
  pen.fillStyle = ink.faint;
  pen.fillText(["吟", foot].filter(Boolean).join(" · "), plan.width / 2, plan.height - MARGIN / 2 - 12);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  if (!blob) throw new Error("the canvas gave no picture");
  return blob;
}

/* How a poem lies on its sheet: headings, the lines that start each tier, columns, and sizes in pixels. An upright
   picture has more tiers. */
function measure(title, lines, stanzas, upright) {
  const starts = startsOf(lines.length, stanzas, upright), tiers = starts.length;
  const rows = Math.max(...lines.map((line) => [...line].length));
  const headings = headed(title || "", rows - 1), sizes = starts.map((start, i) => (starts[i + 1] ?? lines.length) - start);
  const columns = Math.max(...sizes.map((size, i) => size + (i ? 0 : headings.length) + (i === tiers - 1 ? 1 : 0)));
  const tier = rows * STEP + GAP;
  return {
    headings, starts, tiers, columns, tier,
    width: 2 * MARGIN + columns * COLUMN,
    height: 2 * MARGIN + tiers * tier - GAP + FOOT,
  };
}

/* The lines that start a tier: stanzas each have theirs; couplets stay whole. */
function startsOf(all, stanzas, upright) {
  if (stanzas.length > 1) return stanzas.map((_, i) => stanzas.slice(0, i).reduce((sum, lines) => sum + lines, 0));
  const tiers = all > 12 || (upright && all > 4) ? 2 : 1, many = 2 * Math.ceil(all / tiers / 2);
  return Array.from({ length: tiers }, (_, i) => i * many);
}

/* The canvas of a shape: as large as is said, or the smallest that holds the sheet. */
function framed({ width, height }, { ratio, ...size }) {
  if (size.width) return size;
  if (!ratio) return { width, height };
  const wide = Math.max(width, Math.ceil(height * ratio));
  return { width: wide, height: Math.round(wide / ratio) };
}

function set(pen, { headings, starts, tier, width }, lines, { ink }, font) {
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillStyle = ink;
  const first = width - MARGIN - COLUMN / 2;
  headings.forEach(({ text, size }, i) => down(pen, text, first - i * COLUMN, MARGIN, font, size));
  lines.forEach((line, i) => {
    const row = starts.findLastIndex((start) => start <= i), column = i - starts[row] + (row ? 0 : headings.length);
    down(pen, line, first - column * COLUMN, MARGIN + row * tier, font, 1);
  });
}

function frame(pen, { columns, tiers, tier }, { rule }) {
  const pad = 22, left = MARGIN, top = MARGIN - 8, bottom = MARGIN + tiers * tier - GAP + 8;
  pen.strokeStyle = rule;
  pen.lineWidth = 2;
  for (let i = 1; i < columns; i += 1) {
    pen.beginPath();
    pen.moveTo(left + i * COLUMN, top - pad);
    pen.lineTo(left + i * COLUMN, bottom + pad);
    pen.stroke();
  }
  for (let i = 1; i < tiers; i += 1) {
    pen.beginPath();
    pen.moveTo(left, MARGIN + i * tier - GAP / 2);
    pen.lineTo(left + columns * COLUMN, MARGIN + i * tier - GAP / 2);
    pen.stroke();
  }
  pen.strokeRect(left, top - pad, columns * COLUMN, bottom - top + 2 * pad);
  pen.lineWidth = 5;
  pen.strokeRect(left - 12, top - pad - 12, columns * COLUMN + 24, bottom - top + 2 * pad + 24);
}

/* Writes text downward; punctuation goes where vertical setting puts it. */
function down(pen, text, x, top, font, size) {
  pen.font = `${CHARACTER * size}px ${font}`;
  [...text].forEach((character, i) => {
    const y = top + (i + 0.5) * STEP * size;
    if (/[，。、]/.test(character)) pen.fillText(character, x + CHARACTER * 0.55, y - CHARACTER * 0.6);
    else pen.fillText(character, x, y);
  });
}

function stamp(pen, x, y, { seal, paper }, font) {
  const side = CHARACTER * 0.95;
  pen.fillStyle = seal;
  pen.beginPath();
  pen.roundRect(x - side / 2, y - side / 2, side, side, 12);
  pen.fill();
  pen.fillStyle = paper;
  pen.font = `${side * 0.72}px ${font}`;
  pen.fillText("吟", x, y + side * 0.03);
}
