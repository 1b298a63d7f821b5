/* The key of a service that asks for one: kept for this visit or, on wish, in this browser. */

const KEPT = "yin.key";
let current = recall();

function recall() {
  try {
    return localStorage.getItem(KEPT) || "";
  } catch {
    return "";
  }
}

/* The header that shows the key; none if there is no key. */
export function authorization() {
  return current ? { Authorization: `Bearer ${current}` } : {};
}

/* Whether there is a key to show. */
export function hasKey() {
  return Boolean(current);
}

/* Shows this key from now on; an empty one is forgotten. Storage may be forbidden. */
export function useKey(key, keep) {
  current = key;
  try {
    if (key && keep) localStorage.setItem(KEPT, key);
    else localStorage.removeItem(KEPT);
  } catch { /* forbidden or full */ }
}

/* Where the key is asked for: shown once the service has refused, with the button that forgets it. */
export class KeyForm {
  constructor(speech, goOn) {
    this.$ = (id) => document.getElementById(id);
    this.speech = speech;
    this.$("key-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.take(goOn);
    });
    this.$("forget").addEventListener("click", () => this.forget());
    this.$("forget").hidden = !hasKey();
  }

  /* Asks for a key. */
  ask() {
    this.$("key-form").hidden = false;
    this.$("key").focus();
  }

  take(goOn) {
    const key = this.$("key").value.trim(), fit = /^[\x21-\x7e]+$/.test(key); // what a header can hold
    this.$("key-hint").textContent = this.speech.say(fit ? "key.hint" : "key.unfit");
    this.$("key-hint").classList.toggle("bad", !fit);
    if (!fit) return;
    useKey(key, this.$("key-keep").checked);
    this.$("key").value = "";
    this.$("key-form").hidden = true;
    this.$("forget").hidden = false;
    goOn();
  }

  forget() {
    useKey("", false);
    this.$("forget").hidden = true;
    this.$("start").focus();
  }
}
