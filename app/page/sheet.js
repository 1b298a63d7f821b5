/* The sheet of paper: columns from right to left, ruled before anything is written on them. */

const MARKS = { "平": "ping", "仄": "ze" };
const GAP = 0.6; // of a column, between stanzas that stand in one tier
const LEAST = 16.5; // pixels of a character that is read with ease

export class Sheet {
  constructor(element) {
    this.element = element;
    this.lines = [];
    element.addEventListener("scroll", () => this.hintAtMore());
  }

  /* Rules an empty sheet, so that nothing moves as the characters arrive. */
  rule({ lineLength, numLines, stanzas = [numLines], title = "", traditional = false }) {
    this.element.replaceChildren();
    this.element.className = "";
    this.element.lang = traditional ? "zh-Hant" : "zh-Hans";
    this.characters = lineLength + 1;
    this.element.style.setProperty("--characters", this.characters);
    this.headings = headed(title, lineLength).map(({ text, size }) => {
      const column = this.column("heading");
      column.style.setProperty("--title", size);
      column.textContent = text;
      return column;
    });
    this.lines = Array.from({ length: numLines }, () => this.column("line"));
    this.stanzas = stanzas;
    const seal = this.column("end").appendChild(document.createElement("span"));
    seal.className = "seal";
    seal.textContent = "吟";
    seal.ariaHidden = "true";
    this.reserved = 0;
    this.element.scrollLeft = 0;
    this.fit();
  }

  /* Lays a long poem out in the tiers that make it largest, couplets whole, on a stage that grows for
     it; what must be scrolled even so is set large enough to be read from a distance. */
  fit() {
    const { parentElement: stage, style } = this.element, all = this.lines.length;
    const best = this.layout({ stanzas: this.stanzas, titled: this.headings.length, characters: this.characters });
    stage.style.setProperty("--tall", `${Math.max(best.tall || 0, this.reserved || 0)}px`);
    this.lines.forEach((column, i) => column.classList.toggle("turn", best.starts.includes(i)));
    const stanzas = best.tiers > 1 ? [] : startsOf(this.stanzas);
    this.lines.forEach((column, i) => column.classList.toggle("stanza", stanzas.includes(i)));
    style.columnCount = best.tiers > 1 ? best.tiers : "auto";
    style.setProperty("--columns", best.columns);
    style.setProperty("--tiers", best.tiers);
    style.setProperty("--least", all > 8 && !best.fits ? "1.5rem" : "1rem");
    this.hintAtMore();
  }

  /* Makes room for a poem before it comes, so that nothing moves when it does. */
  reserve({ lineLength, numLines, stanzas = [numLines] }, title) {
    const titled = headed(title, lineLength).length;
    this.reserved = this.layout({ stanzas, titled, characters: lineLength + 1 }).tall || 0;
    this.element.parentElement.style.setProperty("--tall", `${this.reserved}px`);
  }

  /* The best layout of stanzas of so many lines on the stage: its tiers, where they start, and its height if the
     stage must grow. */
  layout({ stanzas, titled, characters }) {
    const stage = this.element.parentElement, grown = stage.style.getPropertyValue("--tall");
    stage.style.setProperty("--tall", "0px");
    const { clientWidth, clientHeight } = stage, pitch = Number(getComputedStyle(this.element).getPropertyValue("--pitch"));
    stage.style.setProperty("--tall", grown || "0px");
    const [first, ...others] = arrangements(stanzas, titled);
    let best = { ...first, size: LEAST };
    const options = (others.length ? [first, ...others] : []).map((option) => {
      const { tiers, columns } = option;
      return { ...option, fits: true, width: clientWidth / (columns * pitch + 1.8), rows: tiers * (characters * 1.16 + 1) + 2.2 };
    });
    for (const option of options) {
      const size = Math.min(option.width, clientHeight / option.rows);
      if (size > best.size) best = { ...option, size: size * 1.1 };
    }
    if (best.fits) return best;
    for (const option of options) {
      const size = Math.min(option.width, 20), tall = size * option.rows;
      if (size > best.size && tall < innerHeight * 0.86) best = { ...option, size, tall };
    }
    return best;
  }

  /* Shows that there is more beside what is seen. */
  hintAtMore() {
    const { scrollWidth, clientWidth, scrollLeft, parentElement } = this.element;
    parentElement.classList.toggle("more", scrollWidth + scrollLeft > clientWidth + 2);
  }

  column(kind) {
    const column = document.createElement("p");
    column.className = kind;
    return this.element.appendChild(column);
  }

  /* Writes one more character. */
  put(line, text, still = false) {
    const zi = document.createElement("span");
    zi.className = /[，。、]/.test(text) ? "stop" : "zi";
    if (!still) zi.classList.add("wet");
    zi.textContent = text;
    (this.lines[line] ??= this.column("line")).append(zi);
  }

  /* Makes the sheet hold exactly these lines and this title, touching only what differs. */
  settle(lines, title = "") {
    headed(title, this.characters - 1).forEach(({ text }, i) => {
      if (this.headings[i]) this.headings[i].textContent = text;
    });
    lines.forEach((text, line) => {
      const column = this.lines[line];
      [...text].forEach((character, index) => {
        const zi = column?.children[index];
        if (!zi) this.put(line, character, true);
        else if (zi.textContent !== character) zi.textContent = character;
      });
    });
  }

  /* Makes the lines hold exactly these characters, and cues where there are none yet; sealed once it is whole. */
  compose({ lines, marks, lengths, whole }, cues) {
    this.lines.forEach((column, i) => {
      const text = [...(lines[i] || "")], length = lengths[i];
      const written = Array.from({ length }, (_, j) => (["□", undefined].includes(text[j]) ? null : text[j]));
      const cells = written.map((character, j) => [character || (cues[i] || "")[j] || "", character ? "zi" : "zi cue"]);
      if (marks[i] && text.length === length) cells.push([marks[i], "stop"]);
      cells.forEach(([character, kind], j) => {
        const zi = column.children[j] || column.appendChild(document.createElement("span"));
        if (zi.textContent !== character) zi.textContent = character;
        zi.className = kind;
        delete zi.dataset.tone;
      });
      while (column.children.length > cells.length) column.lastChild.remove();
    });
    this.element.classList.toggle("sealed", whole);
  }

  /* Ends the poem: its seal is set. */
  seal() {
    this.element.classList.add("sealed");
  }

  /* Puts tones, rhymes and faults beside the characters; the style sheet shows them on demand. wrong: the spots of
     the faults, if they are not all that the proof has. */
  mark({ tones, rhyme_lines: rhymes, checks }, wrong = Object.values(checks).flatMap(({ where }) => where)) {
    const faults = new Set(wrong.map(String));
    tones.forEach((line, i) => {
      [...line].forEach((tone, j) => {
        const zi = this.lines[i]?.querySelectorAll(".zi")[j];
        if (!zi || zi.classList.contains("cue")) return;
        zi.dataset.tone = MARKS[tone] || "";
        zi.classList.toggle("rhyme", j === line.length - 1 && rhymes.includes(i + 1));
        zi.classList.toggle("fault", faults.has(String([i + 1, j + 1])));
      });
    });
  }
}

/* The ways to lay out stanzas, the simplest first: tiers, the lines that start another one, columns a tier. */
function arrangements(stanzas, titled) {
  const all = stanzas.reduce((sum, lines) => sum + lines), many = stanzas.length;
  const first = { tiers: 1, starts: [], columns: all + titled + 1 + GAP * (many - 1) };
  if (many > 1) {
    const columns = Math.max(stanzas[0] + titled, ...stanzas.slice(1, -1), stanzas[many - 1] + 1);
    return [first, { tiers: many, starts: startsOf(stanzas), columns }];
  }
  if (all <= 8) return [first];
  return [first, ...[2, 3, 4].map((tiers) => {
    const lines = 2 * Math.ceil(all / tiers / 2), last = all - lines * (tiers - 1);
    const starts = Array.from({ length: tiers - 1 }, (_, i) => (i + 1) * lines);
    return { tiers, starts, columns: Math.max(lines + titled, last + 1) };
  })];
}

/* The lines that start a stanza, but for the first. */
function startsOf(stanzas) {
  let line = 0;
  return stanzas.slice(0, -1).map((lines) => (line += lines));
}

/* A title's columns, one or two, and the size of their characters, for a sheet with lines of this length. */
export function headed(title, lineLength) {
  const characters = [...title], room = lineLength + 1;
  if (!title || characters.length * 0.8 <= room) return title ? [{ text: title, size: 0.8 }] : [];
  const half = Math.ceil(characters.length / 2), size = Math.min(0.8, room / half);
  return [characters.slice(0, half), characters.slice(half)].map((part) => ({ text: part.join(""), size }));
}

/* A poem's lines with their punctuation: pauses stay within a line, marks end it. */
export function punctuated({ text, lines }) {
  const even = lines.every((line) => line.length === lines[0].length), { length } = lines;
  if (even && length % 2 === 0 && !text.includes("\n\n")) return lines.map((line, i) => line + "，。"[i % 2]);
  const marked = text.match(/[\p{Script=Han}□、]+[^\p{Script=Han}□、\s]*/gu) || [];
  return marked.length === length ? marked : text.match(/[\p{Script=Han}□]+[^\p{Script=Han}□\s]*/gu) || [];
}
