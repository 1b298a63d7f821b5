/* Suggestions: any character on the sheet can be touched, and others are offered in its place. */

import { ask } from "./service.js";
import { Failure } from "./stream.js";

const MOST = 16, GAP = 8;

export class Suggestions {
  /* On a sheet of paper; poem() gives {text, title, author}, take(spots, characters) puts characters in their
     places, trouble(error, again) says what went wrong. */
  constructor(sheet, speech, { poem, take, trouble }) {
    Object.assign(this, { sheet, speech, poem, take, trouble, spot: [1, 1], more: [] });
    this.box = Object.assign(document.createElement("div"), { id: "suggestions", hidden: true });
    this.box.role = "group";
    document.querySelector("main").append(this.box);
    sheet.addEventListener("click", (event) => this.touched(event));
    sheet.addEventListener("keydown", (event) => this.key(event));
    this.box.addEventListener("keydown", (event) => this.keyInBox(event));
    document.addEventListener("pointerdown", ({ target }) => {
      if (!this.box.contains(target) && !sheet.contains(target)) this.close();
    });
    addEventListener("resize", () => this.lay()); // a telephone's keyboard goes
  }

  start() {
    this.on = true;
    this.sheet.role = "group";
    this.made();
  }

  end() {
    this.on = false;
    this.close();
    this.sheet.role = "img";
    for (const place of this.places) {
      for (const name of ["role", "tabindex", "aria-label"]) place.removeAttribute(name);
      place.classList.remove("touched");
    }
  }

  get places() {
    return this.sheet.querySelectorAll(".zi");
  }

  /* Makes the places of a sheet that has changed reachable. */
  made() {
    if (!this.on) return;
    for (const place of this.places) {
      const [line, character] = spotOf(place);
      place.role = "button";
      place.tabIndex = -1;
      place.ariaLabel = `${place.textContent} ${this.speech.say("proof.spot", { line, character })}`;
    }
    const here = this.placeAt(this.spot) || this.places[0];
    if (here) here.tabIndex = 0;
  }

  placeAt([line, character]) {
    return this.sheet.querySelectorAll(".line")[line - 1]?.querySelectorAll(".zi")[character - 1];
  }

  touched(event) {
    const place = this.on && event.target.closest(".zi");
    if (!place) return;
    const spot = spotOf(place);
    if (event.shiftKey && this.spots?.length) this.ask([...this.spots, spot].filter(isFirst).sort(byPlace), place);
    else this.ask([spot], place);
  }

  /* The arrows move as the eye does: down a line, and to the left to the next. */
  key(event) {
    const place = this.on && event.target.closest?.(".zi");
    if (!place) return;
    const [line, character] = spotOf(place), { key } = event;
    const to = { ArrowDown: [line, character + 1], ArrowUp: [line, character - 1], ArrowLeft: [line + 1, character], ArrowRight: [line - 1, character] }[key];
    if (to) {
      event.preventDefault();
      this.focus(to);
    } else if (key === "Enter" || key === " ") {
      event.preventDefault();
      place.dispatchEvent(new MouseEvent("click", { bubbles: true, shiftKey: event.shiftKey }));
    }
  }

  focus(spot) {
    const place = this.placeAt(spot);
    if (!place) return;
    this.placeAt(this.spot)?.setAttribute("tabindex", "-1");
    this.spot = spot;
    place.tabIndex = 0;
    place.focus();
  }

  /* Asks what could stand at spots, or in a whole line, and offers it beside the place. */
  async ask(spots, from, line = null) {
    this.close();
    const asking = (this.asking = new AbortController()), place = this.placeAt(spots.at(-1)) || from;
    Object.assign(this, { spots, from, spot: spots.at(-1) });
    for (const each of spots) this.placeAt(each)?.classList.add("touched");
    this.show([element("p", this.speech.say("desk.asking"))], place);
    const { title, ...poem } = this.poem(), where = line ? { line } : { spots };
    const body = { ...poem, ...(title && { title }), ...where, n: MOST };
    try {
      const answer = await ask("revise", { body, signal: asking.signal, language: this.speech.language });
      if (this.asking === asking) this.offer(answer, place, line);
    } catch (error) {
      if (asking.signal.aborted) return;
      if (!(error instanceof Failure)) throw error;
      this.excuse(error, place, () => this.ask(spots, from, line));
    }
  }

  offer({ suggestions, spots }, place, line) {
    const list = element("div", "", line ? "offers lines" : "offers");
    list.append(...suggestions.map(({ characters }) => {
      const button = element("button", characters);
      button.type = "button";
      button.addEventListener("click", () => this.choose(spots, characters));
      return button;
    }));
    if (!suggestions.length) list.append(this.speech.say("desk.none"));
    const [number] = this.spots[0], other = element("button", this.speech.say(line ? "desk.place" : "desk.line", { line: number }), "quiet");
    other.type = "button";
    other.addEventListener("click", () => this.ask(this.spots, this.from, line ? null : number));
    this.show([list, other], place);
    this.box.querySelector("button").focus({ preventScroll: true });
  }

  /* Says why there is nothing to offer; the poem stays as it is. */
  excuse(error, place, again) {
    const refused = Object.values(error.fields)[0];
    if (["denied", "key"].includes(error.kind)) {
      this.close();
      this.trouble(error, again);
      return;
    }
    const retry = element("button", this.speech.say("retry"));
    retry.type = "button";
    retry.addEventListener("click", again);
    const said = element("p", refused || this.speech.say(`error.${error.kind}`), "bad");
    said.role = "alert";
    this.show(refused ? [said] : [said, retry], place);
    if (!refused) retry.focus({ preventScroll: true });
  }

  choose(spots, characters) {
    this.close();
    this.take(spots, characters);
    this.focus(spots.at(-1));
  }

  /* Shows a box beside a place, on the side that has room. */
  show(content, place) {
    this.box.ariaLabel = this.speech.say("desk.offers");
    this.box.replaceChildren(...content);
    this.box.hidden = false;
    this.beside = place;
    this.lay();
  }

  lay() {
    if (this.box.hidden || !this.beside.isConnected) return;
    const { box: { style }, beside: place } = this;
    style.left = "0px"; // its width is then its own
    const { left, right, top, bottom } = place.getBoundingClientRect(), { offsetWidth, offsetHeight } = this.box;
    const { clientWidth, clientHeight } = document.documentElement;
    const free = left - GAP - offsetWidth >= GAP ? left - GAP - offsetWidth : right + 2 * GAP;
    const fits = free + offsetWidth <= clientWidth - GAP;
    const x = fits ? free : Math.max(GAP, Math.min(left, clientWidth - offsetWidth - GAP));
    const y = fits ? Math.min(top, Math.max(GAP, clientHeight - offsetHeight - GAP)) : bottom + GAP;
    style.left = `${x + scrollX}px`;
    style.top = `${y + scrollY}px`;
  }

  close() {
    this.asking?.abort();
    this.asking = null;
    this.box.hidden = true;
    for (const place of this.sheet.querySelectorAll(".touched")) place.classList.remove("touched");
  }

  keyInBox(event) {
    const buttons = [...this.box.querySelectorAll("button")], at = buttons.indexOf(document.activeElement);
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") {
      event.stopPropagation();
      this.close();
      if (this.from?.isConnected) this.from.focus();
      else this.focus(this.spot);
    } else if (step) {
      event.preventDefault();
      buttons[(at + step + buttons.length) % buttons.length].focus();
    }
  }
}

/* Where a place is: [line, character], from 1. */
function spotOf(place) {
  const line = place.parentElement, lines = [...line.parentElement.querySelectorAll(".line")];
  return [lines.indexOf(line) + 1, [...line.querySelectorAll(".zi")].indexOf(place) + 1];
}

function isFirst(spot, i, spots) {
  return spots.findIndex((other) => String(other) === String(spot)) === i;
}

function byPlace([line, character], [otherLine, other]) {
  return line - otherLine || character - other;
}

function element(tag, text = "", kind = "") {
  return Object.assign(document.createElement(tag), { textContent: text, className: kind });
}
