/* The service's shorter answers: one question, one JSON answer. */

import { authorization } from "./key.js";
import { Failure, refusal } from "./stream.js";

/* Asks at a path, posting a body if there is one. Throws Failure, or AbortError when signal aborts. */
export async function ask(path, { body = null, signal = null, language = "zh" } = {}) {
  const posted = body && { method: "POST", body: JSON.stringify(body) };
  const headers = { "Accept-Language": language, ...(body && { "Content-Type": "application/json" }), ...authorization() };
  let response;
  try {
    response = await fetch(path, { ...posted, headers, signal });
    if (response.ok) return await response.json();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Failure("gone");
  }
  throw await refusal(response);
}
