/* The page: wishes in, a poem on the sheet, and what can be done with it. */

import { Failure, write } from "./stream.js";
import { Sheet, punctuated } from "./sheet.js";
import { Controls } from "./controls.js";
import { describe } from "./proof.js";
import { draw } from "./picture.js";
import { Imprint } from "./imprint.js";
import { KeyForm } from "./key.js";
import { Speech } from "./speech.js";
import { plain } from "./typed.js";
import * as wish from "./wishes.js";

const SLOW_MS = 4000, SILENT_MS = 25000, MAX_WAITS = 3;
const KEEPING = ["copy", "picture", "save", "link", "marks"];

class Page {
  constructor() {
    this.$ = (id) => document.getElementById(id);
    this.form = this.$("wishes");
    this.sheet = new Sheet(this.$("sheet"));
    this.speech = new Speech();
    this.controls = new Controls(this.form, this.speech);
    this.imprint = new Imprint(this.speech, () => this.savePicture());
    this.keyForm = new KeyForm(this.speech, () => this.again());
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.drafts = [];
    this.chosen = 0;
  }

  start() {
    this.speech.apply();
    this.controls.own({ ...wish.recall(), ...wish.touched(this.form) });
    this.$("more").open = matchMedia("(min-width: 62rem)").matches || this.controls.hasMore();
    this.listen();
    this.$("write").disabled = false; // pressed earlier, it would do nothing
    this.follow();
  }

  listen() {
    const on = (id, type, act) => this.$(id).addEventListener(type, act);
    on("wishes", "submit", (event) => {
      event.preventDefault();
      this.write(wish.drawSeed());
    });
    on("stop", "click", () => this.stop());
    on("retry", "click", () => this.again());
    on("another", "click", () => this.write(wish.drawSeed()));
    on("copy", "click", () => this.copy(this.asText(), "status.copied", "error.copy"));
    on("link", "click", () => this.copy(location.href, "status.linked", "status.linked.here"));
    on("marks", "click", () => this.showMarks(this.$("proof").hidden));
    on("language", "click", () => this.speak());
    on("wishes", "change", ({ target }) => target.name === "script" && this.rewrite(target.value));
    addEventListener("popstate", () => this.follow());
    addEventListener("keydown", (event) => event.key === "Escape" && !event.isComposing && this.stop());
    new ResizeObserver(() => this.resized()).observe(this.$("stage"));
  }

  speak() {
    this.speech.change();
    this.controls.refresh();
    this.status("");
    const draft = this.drafts[this.chosen];
    if (draft?.poem) this.show(draft.poem);
  }

  /* Shows the poems that the address has been left with, or writes what it asks for. */
  follow() {
    const link = wish.fromFragment(location.hash);
    if (!link) return;
    this.controls.show(link.wishes);
    if (this.controls.hasMore()) this.$("more").open = true;
    if (history.state) this.restore(history.state);
    else this.write(link.seed, { count: 1, link });
  }

  write(seed, { wishes = wish.readForm(this.form), count = Number(wishes.n), link = null } = {}) {
    this.stop();
    this.order = { seed, wishes, count, link, waits: 0, addressed: link !== null };
    this.run(this.order);
  }

  /* Lays out poems that were written before. */
  restore({ seed, wishes, answer, chosen }) {
    this.stop();
    this.order = { seed, wishes, count: answer.poems.length, waits: 0, addressed: true };
    this.clear();
    this.finish(this.order, answer);
    if (chosen) this.choose(chosen);
    this.busy(null);
    this.status("");
  }

  /* The same poems in another script: what was written stays where it differs from them. */
  async rewrite(script) {
    const order = this.laid;
    if (this.work || !this.poem || order.wishes.script === script) return;
    const work = new AbortController(), watch = this.watch(work), wishes = { ...order.wishes, script };
    this.busy(work);
    try {
      const request = wish.toRequest(wishes, order.seed, order.count);
      const answer = await write(request, { signal: work.signal, onCharacter: () => {}, onEvent: watch.alive });
      const same = answer.poems.every((poem, i) => isSame(poem, this.drafts[i].poem));
      if (same) this.turn({ ...order, wishes, addressed: true }, answer);
      else this.status(this.speech.say("status.other.model"));
    } catch (error) {
      const { kind } = work.signal.reason || error;
      if (kind) this.status(this.speech.say(`error.${kind}`), true);
    } finally {
      watch.end();
      if (this.work === work) this.busy(null);
    }
  }

  /* Puts an answer in place of its equal in the other script. */
  turn(order, answer) {
    const { chosen } = this;
    this.order = order;
    this.ruled = false;
    this.finish(order, answer);
    if (chosen) this.choose(chosen);
  }

  again() {
    this.order.waits = 0;
    this.run(this.order);
  }

  /* Carries out one order, up to its poem or the sentence that says why there is none. */
  async run(order) {
    const work = new AbortController();
    this.busy(work);
    this.prepare(order);
    if (order.addressed) this.lay(order);
    this.pump(work);
    const watch = this.watch(work);
    try {
      const answer = await write(wish.toRequest(order.wishes, order.seed, order.count), {
        signal: work.signal,
        onCharacter: (character) => {
          this.lay(order);
          this.queue.push(character);
        },
        onEvent: watch.alive,
      });
      await this.drained(work.signal);
      this.finish(order, answer);
    } catch (error) {
      if (this.work === work) this.fail(order, work.signal.reason instanceof Failure ? work.signal.reason : error);
    } finally {
      watch.end();
      if (this.work === work) this.busy(null);
    }
  }

  /* Makes ready for another sheet; the old one stays until there is something to write. */
  clear() {
    clearTimeout(this.waiting);
    this.queue = [];
    this.ruled = false;
    this.controls.complainOf({});
    this.$("retry").hidden = true;
  }

  prepare(order) {
    this.clear();
    const drafts = this.drawUp(order);
    if (order.count > 1 && this.$("cards").hidden) this.deal(drafts); // makes room before anything can jump
    this.sheet.reserve(drafts[0].shape, drafts[0].title);
    this.status(this.speech.say("status.writing"));
    this.$("stage").scrollIntoView({ block: "nearest", behavior: this.still.matches ? "auto" : "smooth" });
  }

  /* Lays a new sheet once there is something to write on it: a refusal leaves the old poem. */
  lay(order) {
    if (this.ruled) return;
    this.ruled = true;
    this.laid = order;
    this.chosen = 0;
    this.$("proof").classList.add("stale");
    this.drafts = this.drawUp(order);
    this.deal(this.drafts);
    this.sheet.rule({ ...this.drafts[0].shape, title: this.drafts[0].title });
    this.announce([this.drafts[0].title]);
    this.reachable();
  }

  /* What is known of an order's poems before they are written. */
  drawUp({ wishes, count }) {
    const title = plain(wishes.title), shape = { ...wish.measure(wishes), traditional: wishes.script === "traditional" };
    return Array.from({ length: count }, () => ({ lines: [], poem: null, card: null, shape, title }));
  }

  /* One small sheet per poem, if there are several to choose from. */
  deal(drafts) {
    const several = drafts.length > 1;
    this.$("cards").hidden = !several;
    this.$("cards").replaceChildren();
    if (!several) return;
    drafts.forEach((draft, number) => {
      const button = document.createElement("button"), paper = document.createElement("div");
      button.type = "button";
      button.ariaPressed = String(number === 0);
      const name = button.appendChild(document.createElement("span"));
      name.textContent = this.speech.say("choose.one", { number: number + 1 });
      name.className = "unseen";
      button.append(paper);
      button.addEventListener("click", () => drafts === this.drafts && this.choose(number));
      draft.card = new Sheet(paper);
      draft.card.rule(draft.shape);
      draft.button = button;
      this.$("cards").append(button);
    });
  }

  choose(number) {
    this.chosen = number;
    const { shape, title, lines, poem } = this.drafts[number];
    this.drafts.forEach(({ button }, i) => button && (button.ariaPressed = String(i === number)));
    this.sheet.rule({ ...shape, title });
    this.sheet.settle(lines);
    this.announce([title, ...lines]);
    if (poem) this.show(poem);
  }

  /* Says so if the server is slow, and gives up on one that stays silent. */
  watch(work) {
    const slow = setTimeout(() => this.status(this.speech.say("status.slow")), SLOW_MS);
    let silent;
    const alive = () => {
      clearTimeout(silent);
      silent = setTimeout(() => work.abort(new Failure("slow")), SILENT_MS);
    };
    alive();
    return { alive, end: () => [slow, silent].forEach(clearTimeout) };
  }

  /* Waits until everything that has come stands on the sheet. */
  async drained(signal) {
    while (this.queue.length && !signal.aborted) await new Promise((go) => this.frame(go));
  }

  frame(act) {
    if (document.hidden) setTimeout(act, 50);
    else requestAnimationFrame(act);
  }

  /* Moves what has come onto the sheet, a little every frame, as long as this order lasts. */
  pump(work) {
    if (this.work !== work || work.signal.aborted) return;
    const many = this.still.matches ? this.queue.length : Math.ceil(this.queue.length / 30) * this.drafts.length;
    this.queue.splice(0, many).forEach((character) => this.put(character));
    this.frame(() => this.pump(work));
  }

  put({ poem, line, text }) {
    const draft = this.drafts[poem];
    draft.lines[line] = (draft.lines[line] || "") + text;
    draft.card?.put(line, text);
    if (poem !== this.chosen) return;
    this.sheet.put(line, text);
    if (/[，。]/.test(text)) this.say(draft.lines[line]);
  }

  /* The poem for those who listen: the log has whole lines, where the sheet has characters. */
  announce(lines) {
    this.$("log").replaceChildren();
    lines.filter(Boolean).forEach((line) => this.say(line));
  }

  say(line) {
    const said = document.createElement("p");
    said.textContent = line;
    this.$("log").append(said);
  }

  finish(order, answer) {
    const { poems, model } = answer;
    this.lay(order);
    this.answer = answer;
    poems.forEach((poem, i) => {
      const draft = this.drafts[i];
      draft.poem = poem;
      draft.lines = punctuated(poem.lines);
      draft.title = poem.title || "";
      draft.card?.settle(draft.lines);
    });
    this.sheet.settle(this.drafts[this.chosen].lines, this.drafts[this.chosen].title);
    this.show(poems[this.chosen]);
    this.status(this.speech.say(...differs(order.link, model)));
  }

  /* Shows everything about the poem on the sheet, and sets its address. */
  show(poem) {
    this.sheet.mark(poem.meter);
    this.sheet.seal();
    const { wishes, seed } = this.laid, { answer, chosen } = this;
    this.$("proof").replaceChildren(...describe(poem, answer.model, this.speech.say, wishes.script));
    const state = { seed, wishes, answer, chosen }; // a reload finds all the poems there
    const fragment = wish.toFragment(wishes, poem.seed, answer.model);
    history[this.laid.addressed ? "replaceState" : "pushState"](state, "", fragment);
    this.laid.addressed = true;
    this.$("proof").classList.remove("stale");
    for (const id of KEEPING) this.$(id).disabled = false;
  }

  fail(order, error) {
    if (!this.ruled) this.$("cards").hidden = this.drafts.length < 2;
    this.queue.splice(0).forEach((character) => this.put(character));
    if (!(error instanceof Failure)) {
      if (error.name !== "AbortError") throw error;
      this.status(this.speech.say("status.stopped"));
      return;
    }
    const more = this.controls.complainOf(error.fields);
    this.status([this.speech.say(`error.${error.kind}`), more].filter(Boolean).join(" "), true);
    if (["denied", "key"].includes(error.kind)) this.keyForm.ask();
    else if (!["refused", "long"].includes(error.kind)) {
      this.offerRetry(order, Math.min(error.retryAfter || 0, 600));
    }
  }

  /* The retry button: it waits as long as the server asked, then presses itself, a few times. */
  offerRetry(order, wait) {
    const patient = wait > 0 && order.waits < MAX_WAITS, retry = this.$("retry");
    retry.hidden = false;
    const count = (seconds) => {
      retry.disabled = seconds > 0;
      retry.textContent = this.speech.say(seconds > 0 ? "retry.in" : "retry", { seconds });
      if (seconds > 0) this.waiting = setTimeout(() => count(seconds - 1), 1000);
      else if (patient) {
        order.waits += 1;
        this.run(order);
      }
    };
    count(wait);
  }

  stop() {
    clearTimeout(this.waiting);
    this.work?.abort();
  }

  /* Shows that work is under way or, with null, that it has ended. */
  busy(work) {
    const [shown, hidden] = work ? ["stop", "write"] : ["write", "stop"];
    const focused = document.activeElement === this.$(hidden);
    this.work = work;
    this.$(shown).hidden = false;
    if (focused) this.$(shown).focus({ preventScroll: true }); // the reader is looking at the poem
    this.$(hidden).hidden = true;
    this.sheet.element.ariaBusy = String(Boolean(work));
    this.$("another").disabled = false;
    for (const id of KEEPING) this.$(id).disabled = Boolean(work) || !this.poem;
  }

  status(text, bad = false) {
    this.$("status").textContent = text;
    this.$("status").classList.toggle("bad", bad);
  }

  showMarks(shown) {
    this.$("proof").hidden = !shown;
    this.$("marks").ariaExpanded = String(shown);
    this.$("stage").classList.toggle("marked", shown);
  }

  resized() {
    if (this.sheet.lines.length) this.sheet.fit();
    this.reachable();
  }

  /* A sheet wider than its stage can be scrolled, so the keyboard must reach it. */
  reachable() {
    const { scrollWidth, clientWidth } = this.sheet.element;
    if (scrollWidth > clientWidth + 1) this.sheet.element.tabIndex = 0;
    else this.sheet.element.removeAttribute("tabindex");
  }

  get poem() {
    return this.drafts[this.chosen]?.poem;
  }

  asText() {
    return [this.poem.title, this.poem.text].filter(Boolean).join("\n");
  }

  async copy(text, done, failed) {
    try {
      await navigator.clipboard.writeText(text);
      this.status(this.speech.say(done));
    } catch {
      this.status(this.speech.say(failed));
    }
  }

  async savePicture() {
    try {
      const { title, lines } = this.poem;
      const link = document.createElement("a");
      const blob = await draw({
        title,
        lines: punctuated(lines),
        font: getComputedStyle(this.sheet.element).fontFamily,
        ...this.imprint.wishes(this.poem),
      });
      link.href = URL.createObjectURL(blob);
      link.download = `${title || lines[0]}.png`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
      this.status(this.speech.say("status.saved"));
    } catch {
      this.status(this.speech.say("error.picture"), true);
    }
  }
}

/* Whether two answers are one poem in two scripts. */
function isSame(one, other) {
  return one.bits_per_character === other.bits_per_character && String(one.meter.tones) === String(other.meter.tones);
}

/* What to say of a poem: that it is written or, of a link's, why it may be another. */
function differs(link, { checksum, dtype }) {
  if (link?.model && !checksum.startsWith(link.model)) return ["status.other.model"];
  if (link?.dtype && dtype !== link.dtype) return ["status.other.dtype", { ours: dtype, theirs: link.dtype }];
  return ["status.done"];
}

new Page().start();
