/* The cards: one small sheet per poem, if there are several to choose from. */

import { Sheet } from "./sheet.js";

export class Cards {
  /* choose(number) is called when one is pressed. */
  constructor(element, speech, choose) {
    this.element = element;
    this.speech = speech;
    this.choose = choose;
  }

  get shown() {
    return !this.element.hidden;
  }

  /* Deals a card to each draft, and hides the cards of a poem that is alone. */
  deal(drafts) {
    this.element.hidden = drafts.length < 2;
    this.element.replaceChildren();
    if (this.shown) drafts.forEach((draft, number) => this.element.append(this.make(draft, number)));
  }

  make(draft, number) {
    const button = document.createElement("button"), paper = document.createElement("div");
    button.type = "button";
    button.ariaPressed = String(number === 0);
    const name = button.appendChild(document.createElement("span"));
    name.textContent = this.speech.say("choose.one", { number: number + 1 });
    name.className = "unseen";
    button.append(paper);
    button.addEventListener("click", () => this.choose(number, draft));
    draft.card = new Sheet(paper);
    draft.card.rule(draft.shape);
    return button;
  }

  press(number) {
    [...this.element.children].forEach((button, i) => (button.ariaPressed = String(i === number)));
  }
}
