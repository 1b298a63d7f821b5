/* The retry button: it waits as long as the server asked, then presses itself, a few times. */

const MAX_WAITS = 3;

export class Retry {
  constructor(button, speech, act) {
    this.button = button;
    this.speech = speech;
    this.act = act;
    this.waits = 0;
    button.addEventListener("click", () => {
      this.reset();
      act();
    });
  }

  /* Counts anew how often it has pressed itself. */
  reset() {
    this.waits = 0;
  }

  cancel() {
    clearTimeout(this.waiting);
  }

  hide() {
    this.cancel();
    this.button.hidden = true;
  }

  offer(wait) {
    const patient = wait > 0 && this.waits < MAX_WAITS;
    this.button.hidden = false;
    this.count(wait, patient);
  }

  count(seconds, patient) {
    this.button.disabled = seconds > 0;
    this.button.textContent = this.speech.say(seconds > 0 ? "retry.in" : "retry", { seconds });
    if (seconds > 0) this.waiting = setTimeout(() => this.count(seconds - 1, patient), 1000);
    else if (patient) {
      this.waits += 1;
      this.act();
    }
  }
}
