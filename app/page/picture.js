/* The picture of a poem: a sheet of ruled paper, vertical, with seal and seed, as a PNG. */

const CHARACTER = 72, STEP = 84, COLUMN = 132, MARGIN = 110, FOOT = 70, GAP = 60;
const PAPER = "#f6f0e2", INK = "#221d17", RULE = "#dcb8a2", SEAL = "#b23a2c", FAINT = "#776a58";

/* Returns a PNG of lines (with punctuation) under a title, set in font, with foot at the bottom. */
export async function draw({ title, lines, font, foot }) {
  const tiers = lines.length > 12 ? 2 : 1, many = 2 * Math.ceil(lines.length / tiers / 2);
  const titled = title ? 1 : 0, last = lines.length - many * (tiers - 1);
  const columns = tiers > 1 ? Math.max(many + titled, last + 1) : many + titled + 1; // one for the seal
  const rows = Math.max(...lines.map((line) => [...line].length), [...(title || "")].length * 0.8);
  const tier = rows * STEP + GAP;
  const width = 2 * MARGIN + columns * COLUMN, height = 2 * MARGIN + tiers * tier - GAP + FOOT;
  // The page's face is loaded once characters use it; the canvas would not wait for it.
  await document.fonts.load(`${CHARACTER}px ${font}`, [title, ...lines, foot, "吟"].join(""));
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const pen = canvas.getContext("2d");
  pen.fillStyle = PAPER;
  pen.fillRect(0, 0, width, height);
  frame(pen, columns, tiers, tier);
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillStyle = INK;
  const first = width - MARGIN - COLUMN / 2;
  if (title) down(pen, title, first, MARGIN, font, 0.8);
  lines.forEach((line, i) => {
    const column = (i % many) + (i < many ? titled : 0);
    down(pen, line, first - column * COLUMN, MARGIN + Math.floor(i / many) * tier, font, 1);
  });
  stamp(pen, MARGIN + COLUMN / 2, height - MARGIN - FOOT - CHARACTER * 0.75, font);
  pen.font = `26px ${font}`;
  pen.fillStyle = FAINT;
  pen.fillText(`吟 · ${foot}`, width / 2, height - MARGIN / 2 - 12);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  if (!blob) throw new Error("the canvas gave no picture");
  return blob;
}

function frame(pen, columns, tiers, tier) {
  const pad = 22, left = MARGIN, top = MARGIN - 8, bottom = MARGIN + tiers * tier - GAP + 8;
  pen.strokeStyle = RULE;
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
    if (/[，。]/.test(character)) pen.fillText(character, x + CHARACTER * 0.55, y - CHARACTER * 0.6);
    else pen.fillText(character, x, y);
  });
}

function stamp(pen, x, y, font) {
  const side = CHARACTER * 0.95;
  pen.fillStyle = SEAL;
  pen.beginPath();
  pen.roundRect(x - side / 2, y - side / 2, side, side, 12);
  pen.fill();
  pen.fillStyle = PAPER;
  pen.font = `${side * 0.72}px ${font}`;
  pen.fillText("吟", x, y + side * 0.03);
}
