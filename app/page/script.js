/* The page: wishes in, a poem on the sheet. */

import { Controls } from "./controls.js";
import { Keepsakes } from "./keepsakes.js";
import { KeyForm } from "./key.js";
import { Manuscript } from "./manuscript.js";
import { Retry } from "./retry.js";
import { Speech } from "./speech.js";
import { Failure, writePatiently } from "./stream.js";
import * as wish from "./wishes.js";

const KEEPING = "#revise, #copy, #picture, #save, #link, #star, #marks";

class Page {
  constructor() {
    this.$ = (id) => document.getElementById(id);
    this.form = this.$("wishes");
    this.speech = new Speech();
    this.controls = new Controls(this.form, this.speech);
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.manuscript = new Manuscript(this.speech, this.still, (poem, pressed) => this.shown(poem, pressed));
    this.keepsakes = new Keepsakes(this.manuscript, this.speech, {
      status: (key, bad) => this.status(this.speech.say(key), bad),
      open: (entry) => this.openEntry(entry),
    });
    this.retry = new Retry(this.$("retry"), this.speech, () => this.again());
    this.keyForm = new KeyForm(this.speech, () => this.again());
  }

  async start() {
    await this.speech.load();
    this.controls.own({ ...wish.recall(), ...wish.touched(this.form) });
    this.$("more").open = matchMedia("(min-width: 62rem)").matches || this.controls.hasMore();
    this.listen();
    this.$("write").disabled = false; // pressed earlier, it would do nothing
    this.$("shelf").disabled = this.$("desk-open").disabled = false;
    this.follow();
    navigator.serviceWorker?.register("worker.js").catch(() => {}); // forbidden: then the page needs the service
  }

  listen() {
    const on = (id, type, act) => this.$(id).addEventListener(type, act);
    on("wishes", "submit", (event) => {
      event.preventDefault();
      this.write(wish.drawSeed());
    });
    on("wishes", "change", ({ target }) => target.name === "script" && this.rewrite(target.value));
    on("stop", "click", () => this.stop());
    on("another", "click", () => this.write(wish.drawSeed()));
    on("marks", "click", () => this.enter((rooms) => rooms.turnProof()));
    on("revise", "click", () => this.enter((rooms) => rooms.openDesk(this.manuscript.poem)));
    on("desk-open", "click", () => this.enter((rooms) => rooms.turnToDesk()));
    on("tunes-open", "click", () => this.enter((rooms) => rooms.openTunes()));
    on("rhymes-open", "click", () => this.enter((rooms) => rooms.openRhymes(this.form.elements.rhyme.value)));
    on("language", "click", () => this.speak());
    addEventListener("popstate", () => this.follow());
    addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.isComposing && !document.querySelector("dialog[open]")) this.stop();
    });
  }

  async speak() {
    try {
      await this.speech.change();
      this.status("");
    } catch {
      this.status(this.speech.say("error.gone"), true);
    }
    this.controls.refresh();
    if (this.rooms?.atDesk) this.rooms.desk.draw();
    else if (this.manuscript.poem) this.manuscript.show();
  }

  /* Shows the poems that the address has been left with, or writes what it asks for. */
  follow() {
    const link = wish.fromFragment(location.hash);
    if (!link) return;
    if (link.text) {
      this.enter((rooms) => rooms.openDesk({ text: link.text, ...link.wishes }));
      return;
    }
    this.rooms?.leaveDesk();
    this.display(link.wishes);
    if (history.state) this.restore(history.state);
    else this.write(link.seed, { count: 1, link, candidates: link.candidates });
  }

  /* Fills the form with the wishes of a poem. */
  display(wishes) {
    this.controls.show(wishes);
    if (this.controls.hasMore()) this.$("more").open = true;
  }

  write(seed, { wishes = wish.readForm(this.form), count = Number(wishes.n), link = null, candidates = 0 } = {}) {
    this.stop();
    this.rooms?.leaveDesk();
    this.retry.reset();
    this.order = { seed, wishes, count, link, candidates, addressed: link !== null };
    this.run(this.order);
  }

  /* Carries out one order, up to its poem or the sentence that says why there is none. */
  async run(order) {
    const work = new AbortController(), { pen } = this.manuscript;
    this.again = () => this.run(this.order);
    this.busy(work);
    try {
      if (wish.isTune(order.wishes.form)) await this.enter((rooms) => rooms.measure(order));
      if (this.work !== work) return;
      this.prepare(order);
      if (order.addressed) this.manuscript.lay(order);
      pen.write(() => this.work === work && !work.signal.aborted, order.count);
      const answer = await this.ask(order, work, (character) => {
        this.manuscript.lay(order);
        pen.push(character);
      });
      await pen.drained(work.signal);
      this.finish(order, answer);
      this.busy(null);
      this.rewrite(wish.readForm(this.form).script); // it may have been changed meanwhile
    } catch (error) {
      if (this.work === work) this.fail(error);
    } finally {
      if (this.work === work) this.busy(null);
    }
  }

  /* Asks the service for an order's poems. */
  async ask({ wishes, seed, count, candidates }, work, onCharacter) {
    const slow = () => this.status(this.speech.say("status.slow")), { language } = this.speech;
    const answer = await writePatiently(wish.toRequest(wishes, seed, count, candidates), work, { slow, onCharacter, language });
    return { ...answer, language };
  }

  prepare(order) {
    this.clear();
    this.manuscript.prepare(order);
    this.status(this.speech.say("status.writing"));
    this.reveal();
  }

  clear() {
    this.controls.complainOf({});
    this.retry.hide();
    this.manuscript.note();
  }

  reveal() {
    this.$("stage").scrollIntoView({ block: "nearest", behavior: this.still.matches ? "auto" : "smooth" });
  }

  finish(order, answer) {
    this.manuscript.finish(order, answer);
    this.keepsakes.keep();
    this.controls.answered(answer.poems[0]);
    this.status(this.speech.say(...differs(order.link, answer.model)));
  }

  /* Lays out poems that were written before. */
  restore({ seed, wishes, answer, chosen }) {
    this.stop();
    this.order = { seed, wishes, count: answer.poems.length, addressed: true };
    this.controls.offerTune(wishes.form, answer.poems[0].meter?.tune?.name);
    this.clear();
    this.manuscript.prepare(this.order);
    this.manuscript.finish(this.order, answer, chosen);
    this.keepsakes.showStar();
    this.busy(null);
    this.status("");
  }

  /* Enters one of the rooms, which come when they are first asked for: act(rooms). */
  async enter(act) {
    try {
      const { Rooms } = await import("./rooms.js");
      this.rooms ??= new Rooms(this);
      await this.rooms.furnish(); // their words and their style
    } catch {
      this.status(this.speech.say("error.gone"), true);
      return;
    }
    await act(this.rooms);
  }

  /* Opens a poem of the shelf, at an address of its own. */
  openEntry({ state }) {
    history.pushState(state, "", wish.toFragment(state.wishes, state.answer.poems[0], state.answer.model));
    this.follow();
    this.reveal();
  }

  /* The same poems in another script: what was written stays where it differs from them. */
  async rewrite(script) {
    const { order, drafts, chosen } = this.manuscript;
    if (this.rooms?.atDesk) this.rooms.desk.draw();
    if (this.work || !this.manuscript.poem || order.draft || order.wishes.script === script) return;
    const work = new AbortController(), { candidates } = this.manuscript.poem;
    const turned = { ...order, candidates, wishes: { ...order.wishes, script }, addressed: true };
    this.busy(work);
    try {
      const answer = await this.ask(turned, work, () => {});
      if (this.work !== work) return;
      if (answer.poems.every((poem, i) => isSame(poem, drafts[i].poem))) this.turn(turned, answer, chosen);
      else this.status(this.speech.say("status.other.model"));
    } catch (error) {
      if (error instanceof Failure) this.status(this.speech.say(`error.${error.kind}`), true);
      else if (error.name !== "AbortError") throw error;
    } finally {
      if (this.work === work) this.busy(null);
    }
  }

  turn(order, answer, chosen) {
    this.order = order;
    this.manuscript.prepare(order);
    this.manuscript.finish(order, answer, chosen);
    this.keepsakes.keep();
    this.status("");
  }

  /* Sets the address of the poem on the sheet; a reload finds all the poems of its order there. */
  shown(poem, pressed) {
    const { order, answer, chosen } = this.manuscript, { wishes, seed } = order;
    const fragment = wish.toFragment(wishes, poem, answer.model);
    history[order.addressed ? "replaceState" : "pushState"]({ seed, wishes, answer, chosen }, "", fragment);
    order.addressed = true;
    this.allowKeeping(true);
    if (pressed) this.keepsakes.keep();
  }

  fail(error) {
    this.manuscript.abandon();
    if (!(error instanceof Failure)) {
      if (error.name !== "AbortError") throw error;
      this.status(this.speech.say("status.stopped"));
      return;
    }
    this.complain(error, this.again);
  }

  /* Says what went wrong where it belongs; again() is what another try would do. */
  complain(error, again) {
    this.again = again;
    const more = this.controls.complainOf(error.fields);
    this.status([this.speech.say(`error.${error.kind}`), more].filter(Boolean).join(" "), true);
    if (["denied", "key"].includes(error.kind)) this.keyForm.ask();
    else if (!["refused", "long"].includes(error.kind)) this.retry.offer(Math.min(error.retryAfter || 0, 600));
  }

  stop() {
    this.retry.cancel();
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
    this.$("sheet").ariaBusy = String(Boolean(work));
    this.$("another").disabled = false;
    this.allowKeeping(!work && Boolean(this.manuscript.poem));
  }

  allowKeeping(allowed) {
    for (const button of document.querySelectorAll(KEEPING)) button.disabled = !allowed;
  }

  status(text, bad = false) {
    this.$("status").textContent = text;
    this.$("status").classList.toggle("bad", bad);
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
