/* The pen: moves characters that have come onto the sheet, a few every frame. */

export class Pen {
  /* put(character) writes one; still is a media query that matches where nothing should move. */
  constructor(put, still) {
    this.put = put;
    this.still = still;
    this.queue = [];
  }

  clear() {
    this.queue = [];
  }

  push(character) {
    this.queue.push(character);
  }

  /* Writes as long as going() holds, for so many poems at once. */
  write(going, poems) {
    if (!going()) return;
    const many = this.still.matches ? this.queue.length : Math.ceil(this.queue.length / 30) * poems;
    this.queue.splice(0, many).forEach(this.put);
    this.frame(() => this.write(going, poems));
  }

  /* Writes at once what is left. */
  finish() {
    this.queue.splice(0).forEach(this.put);
  }

  /* Waits until everything that has come stands on the sheet. */
  async drained(signal) {
    while (this.queue.length && !signal.aborted) await new Promise((go) => this.frame(go));
  }

  frame(act) {
    if (document.hidden) setTimeout(act, 50);
    else requestAnimationFrame(act);
  }
}
