/* The picture of a poem: a sheet of ruled paper, vertical, with its seal and a line at the foot, as a PNG. */

import { headed } from "./sheet.js";

const CHARACTER = 72, STEP = 84, COLUMN = 132, MARGIN = 110, FOOT = 70, GAP = 60;
const INKS = {
  light: { paper: "#f6f0e2", ink: "#221d17", rule: "#dcb8a2", seal: "#b23a2c", faint: "#776a58" },
  dark: { paper: "#1e1b18", ink: "#ece4d4", rule: "#5c3d33", seal: "#c2493a", faint: "#a89f90" },
};
/* Width to height; the sheet's own is what its columns need. */
const RATIOS = { sheet: 0, square: 1, tall: 9 / 16 };

/* Returns a PNG of lines (with punctuation) under a title, set in font, with foot at the bottom;
   shape and tone are keys of RATIOS and INKS. */
export async function draw({ title, lines, font, foot, shape = "sheet", tone = "light" }) {
  const plan = measure(title, lines), ink = INKS[tone];
  // The page's face is loaded once characters use it; the canvas would not wait for it.
  await document.fonts.load(`${CHARACTER}px ${font}`, [title, ...lines, foot, "吟"].join(""));
  const canvas = Object.assign(document.createElement("canvas"), framed(plan, RATIOS[shape]));
  const pen = canvas.getContext("2d");
  pen.fillStyle = ink.paper;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.translate((canvas.width - plan.width) / 2, (canvas.height - plan.height) / 2);
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

/* How a poem lies on its sheet: headings, lines a tier, tiers, columns, and sizes in pixels. */
function measure(title, lines) {
  const tiers = lines.length > 12 ? 2 : 1, many = 2 * Math.ceil(lines.length / tiers / 2);
  const rows = Math.max(...lines.map((line) => [...line].length));
  const headings = headed(title || "", rows - 1), titled = headings.length;
  const last = lines.length - many * (tiers - 1);
  const columns = tiers > 1 ? Math.max(many + titled, last + 1) : many + titled + 1; // one for the seal
  const tier = rows * STEP + GAP;
  return {
    headings, many, tiers, columns, tier,
    width: 2 * MARGIN + columns * COLUMN,
    height: 2 * MARGIN + tiers * tier - GAP + FOOT,
  };
}

/* The smallest canvas of a ratio that holds the sheet. */
function framed({ width, height }, ratio) {
  if (!ratio) return { width, height };
  const wide = Math.max(width, Math.ceil(height * ratio));
  return { width: wide, height: Math.round(wide / ratio) };
}

function set(pen, { headings, many, tier, width }, lines, { ink }, font) {
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillStyle = ink;
  const first = width - MARGIN - COLUMN / 2;
  headings.forEach(({ text, size }, i) => down(pen, text, first - i * COLUMN, MARGIN, font, size));
  lines.forEach((line, i) => {
    const column = (i % many) + (i < many ? headings.length : 0);
    down(pen, line, first - column * COLUMN, MARGIN + Math.floor(i / many) * tier, font, 1);
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
  if (tiers > 1) {
    pen.beginPath();
    pen.moveTo(left, MARGIN + tier - GAP / 2);
    pen.lineTo(left + columns * COLUMN, MARGIN + tier - GAP / 2);
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
