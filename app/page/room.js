/* Rooms: what comes only when it is asked for, with its words and its style. */

let styled = null;

/* Puts markup into the page, after an element or at its end, once its words and its style have come. */
export async function furnish(speech, markup, after = null) {
  await dress(speech);
  const made = document.createElement("template");
  made.innerHTML = markup;
  const room = made.content.firstElementChild;
  if (after) after.after(room);
  else document.body.append(room);
  speech.fill(room);
  return room;
}

/* Brings the words and the style of the rooms. */
export async function dress(speech) {
  styled ??= style();
  await Promise.all([speech.enter(), styled]);
}

function style() {
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: "rooms.css" });
  return new Promise((done, failed) => {
    link.addEventListener("load", done);
    link.addEventListener("error", () => {
      styled = null; // next time, perhaps
      link.remove();
      failed(new Error("the style of the rooms has not come"));
    });
    document.head.append(link);
  });
}
