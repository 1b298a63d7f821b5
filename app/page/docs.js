/* The API as openapi.json describes it, with examples that run in place. */

import { authorization, hasKey } from "./key.js";

const $ = (id) => document.getElementById(id);

/* Makes an element: its properties, then what it holds. */
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

class Description {
  constructor(openapi) {
    this.openapi = openapi;
  }

  /* Follows a reference to what it names. */
  resolve(schema = {}) {
    const name = schema.$ref?.split("/").at(-1);
    return name ? { ...this.openapi.components.schemas[name], ...schema, name } : schema;
  }

  /* A schema in words: "string, 1 to 7 characters", "list of integer". */
  words(schema) {
    const { type, enum: values, anyOf, items, name } = this.resolve(schema);
    if (anyOf) return anyOf.map((one) => this.words(one)).filter((one) => one !== "null").join(" or ");
    if (values) return values.join(" | ");
    if (items) return `list of ${this.words(items)}`;
    return [type === "object" && name ? name : type || "anything", limits(schema)].filter(Boolean).join(", ");
  }

  *operations() {
    for (const [path, methods] of Object.entries(this.openapi.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const { schema } = operation.requestBody?.content["application/json"] || {};
        yield { path, method: method.toUpperCase(), ...operation, schema: this.resolve(schema) };
      }
    }
  }
}

function limits({ minLength, maxLength, minimum, maximum, exclusiveMinimum }) {
  if (maxLength) return `${minLength} to ${maxLength} characters`;
  if (exclusiveMinimum !== undefined) return `above ${exclusiveMinimum}, up to ${maximum}`;
  const exact = maximum > Number.MAX_SAFE_INTEGER ? `2^${Math.log2(maximum)} - 1` : maximum;
  return maximum === undefined ? "" : `${minimum} to ${exact}`;
}

function fields(description, { properties = {}, required = [] }) {
  const list = make("dl");
  for (const [name, schema] of Object.entries(properties)) {
    const kind = [description.words(schema), required.includes(name) && "required",
      schema.default !== undefined && `${JSON.stringify(schema.default)} by default`];
    const says = make("dd", {}, schema.description || "", make("small", {}, kind.filter(Boolean).join("; ")));
    list.append(make("dt", {}, name), says);
  }
  return list;
}

function answers(description, responses) {
  const list = make("dl");
  for (const [status, { description: says, content = {} }] of Object.entries(responses)) {
    const kinds = Object.entries(content).map(([type, { schema }]) => {
      const { name } = description.resolve(schema);
      return [type, name].filter(Boolean).join(": ");
    });
    const more = Object.values(content).flatMap((one) => [...answered(description, one)]);
    list.append(make("dt", {}, status), make("dd", {}, says, make("small", {}, kinds.join(", ")), ...more));
  }
  return list;
}

/* A path as one would ask for it: its parameters by their examples. */
function exampleOf(path, parameters = []) {
  return parameters.filter((each) => each.in === "path").reduce((made, { name, schema }) =>
    made.replace(`{${name}}`, encodeURIComponent(schema.examples?.[0] ?? name)), path);
}

/* What an answer holds, field by field, and an example of it: each to be opened. */
function* answered(description, { schema, example }) {
  const shape = description.resolve(schema);
  if (shape.properties) yield make("details", {}, make("summary", {}, "Fields"), fields(description, shape));
  if (example === undefined) return;
  const text = typeof example === "string" ? example : JSON.stringify(example, null, 1);
  yield make("details", {}, make("summary", {}, "An answer"), make("samp", {}, text));
}

/* Where an operation can be tried: its examples, the body to send, the answer. */
function trial({ path: template, method, schema, summary, parameters }) {
  const path = exampleOf(template, parameters);
  const [first, ...others] = schema.examples || [];
  const said = make("output"), answer = make("pre", { tabIndex: 0, ariaLabel: `Answer of ${path}` });
  const command = make("pre", { tabIndex: 0, ariaLabel: `Command for ${path}` });
  const send = make("button", { type: "button", className: "seal", ariaLabel: `Send: ${summary}` }, "Send");
  const buttons = make("div", { className: "row" }, send), box = make("div", {}, make("h3", {}, "Try it"));
  let body = null;
  if (method === "POST") {
    body = make("textarea", { spellcheck: false, ariaLabel: `Body of ${path}` });
    const fill = (example) => {
      body.value = JSON.stringify(example, null, 1);
      command.textContent = curl(path, body.value);
    };
    fill(first);
    body.addEventListener("input", () => (command.textContent = curl(path, body.value)));
    others.unshift(first);
    others.forEach((example, i) => {
      const label = `Example ${i + 1}`;
      const choice = make("button", { type: "button", ariaLabel: `${label} of ${path}` }, label);
      choice.addEventListener("click", () => fill(example));
      if (others.length > 1) buttons.append(choice);
    });
    box.append(body);
  } else command.textContent = curl(path);
  send.addEventListener("click", () => run({ path, method, body: body?.value, said, answer }));
  buttons.append(said);
  box.append(buttons, answer, make("h3", {}, "The same from a shell"), command);
  return box;
}

function curl(path, body) {
  const key = hasKey() ? ` -H "Authorization: Bearer $YIN_KEY"` : ""; // the key itself is not for show
  const url = `${new URL(`.${path}`, document.baseURI)}${key}`;
  if (body === undefined) return `curl -s ${url}`;
  const quoted = body.replaceAll(/\n\s*/g, " ").replaceAll("'", "'\\''");
  return `curl -sN ${url} -H 'Content-Type: application/json' -d '${quoted}'`;
}

/* Sends a request and shows its answer as it comes. */
async function run({ path, method, body, said, answer }) {
  const started = performance.now();
  said.textContent = "…";
  answer.textContent = "";
  try {
    const headers = { ...authorization(), ...(body === undefined ? {} : { "Content-Type": "application/json" }) };
    const response = await fetch(`.${path}`, { method, body, headers });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) answer.append(part.value);
    if (response.headers.get("Content-Type")?.includes("json")) {
      answer.textContent = JSON.stringify(JSON.parse(answer.textContent), null, 1);
    }
    said.textContent = `${response.status}, ${Math.round(performance.now() - started)} ms`;
  } catch {
    said.textContent = "the service cannot be reached, or the answer broke off";
  }
}

/* Text in which whatever stands between backticks is code. */
function prose(text) {
  return text.split("`").map((part, i) => (i % 2 ? make("code", {}, part) : part));
}

function section(description, operation) {
  const { path, method, operationId, summary, schema, responses } = operation;
  const text = (operation.description || summary).split("\n\n").map((part) => make("p", {}, ...prose(part)));
  const made = make("section", { id: operationId },
    make("h2", {}, make("span", {}, method), path), ...text);
  if (schema.properties) made.append(make("h3", {}, "Fields"), fields(description, schema));
  made.append(trial(operation), make("h3", {}, "Answers"), answers(description, responses));
  return made;
}

async function show() {
  let openapi;
  try {
    const response = await fetch("openapi.json", { headers: authorization() });
    if (response.status === 401) {
      $("description").textContent = "This service asks for a key: write a poem first, and keep the key in this browser.";
      return;
    }
    openapi = await response.json();
  } catch {
    $("description").textContent = "The service cannot be reached; load this page again.";
    return;
  }
  const description = new Description(openapi);
  $("title").textContent = `${openapi.info.title} API ${openapi.info.version}`;
  $("description").textContent = openapi.info.description;
  for (const operation of description.operations()) {
    const { operationId, method, path } = operation;
    $("contents").append(make("a", { href: `#${operationId}` }, `${method} ${path}`));
    $("operations").append(section(description, operation));
  }
  document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

show();
