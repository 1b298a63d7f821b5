/* The service as the page sees it: one request, its server-sent events, and what can go wrong. */

import { authorization, hasKey } from "./key.js";

const SLOW_MS = 4000, SILENT_MS = 25000;
const KINDS = { 401: "denied", 404: "unknown", 408: "slow", 413: "long", 422: "refused", 429: "busy", 503: "busy", 504: "slow" };

/* Why there is no poem: a kind that the page has a sentence for, messages by field, seconds to wait. */
export class Failure extends Error {
  constructor(kind, { fields = {}, retryAfter = null } = {}) {
    super(kind);
    this.kind = kind;
    this.fields = fields;
    this.retryAfter = retryAfter;
  }

  static of(status, detail, retryAfter = null) {
    return new Failure(KINDS[status] || "broken", { fields: byField(detail), retryAfter });
  }
}

/* FastAPI's detail, [{loc: ["body", field], msg}], as {field: message}. */
function byField(detail) {
  const fields = {};
  for (const { loc = [], msg = "" } of Array.isArray(detail) ? detail : []) {
    fields[loc[1] || ""] ??= msg;
  }
  return fields;
}

/* Splits a server-sent stream into {type, data}; comments have the type "ping". */
async function* parse(body) {
  const reader = body.getReader(), decoder = new TextDecoder();
  let buffer = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    buffer += decoder.decode(value, { stream: true });
    const blocks = buffer.split("\n\n");
    buffer = blocks.pop();
    for (const block of blocks) yield event(block);
  }
}

function event(block) {
  let type = "ping", data = "";
  for (const line of block.split("\n")) {
    if (line.startsWith("event:")) type = line.slice(6).trim();
    if (line.startsWith("data:")) data += line.slice(5).trim();
  }
  return { type, data: data ? JSON.parse(data) : null };
}

/* Asks for poems. Calls onCharacter({poem, line, text}) for each character, and slow() if they take long; gives up
   on a service that stays silent. Returns the whole answer; throws Failure, or AbortError when work is aborted. */
export async function writePatiently(request, work, { slow, onCharacter, language }) {
  const slowly = setTimeout(slow, SLOW_MS), { signal } = work;
  let silent;
  const onEvent = () => {
    clearTimeout(silent);
    silent = setTimeout(() => work.abort(new Failure("slow")), SILENT_MS);
  };
  onEvent();
  try {
    return await write(request, { signal, onCharacter, onEvent, language });
  } catch (error) {
    throw signal.reason instanceof Failure ? signal.reason : error;
  } finally {
    clearTimeout(slowly);
    clearTimeout(silent);
  }
}

/* The same without patience; onEvent() is called for every event, pings included. */
async function write(request, { signal, onCharacter, onEvent, language }) {
  let begun = false;
  try {
    const response = await fetch("generate/stream", {
      method: "POST",
      headers: { "Content-Type": "application/json", "Accept-Language": language, ...authorization() },
      body: JSON.stringify(request),
      signal,
    });
    if (!response.ok) throw await refusal(response);
    for await (const { type, data } of parse(response.body)) {
      onEvent();
      if (type === "poem") return data;
      if (type === "failure") throw Failure.of(data.status, data.detail);
      if (type === "character") {
        begun = true;
        onCharacter(data);
      }
    }
  } catch (error) {
    if (error instanceof Failure || signal.aborted) throw error;
  }
  throw new Failure(begun ? "lost" : "gone");
}

export async function refusal(response) {
  const after = Number.parseInt(response.headers.get("Retry-After"), 10);
  const { detail } = await response.json().catch(() => ({}));
  if (response.status === 401 && hasKey()) return new Failure("key");
  return Failure.of(response.status, detail, Number.isNaN(after) ? null : after);
}
