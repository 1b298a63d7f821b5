/* The worker: keeps the page's files, so that it opens where the service cannot be reached. The service is always
   asked first, so no page is older than the service; FILES, {name: digest}, and VERSION stand above. */

const KEPT = `yin ${registration.scope} `, NAME = KEPT + VERSION;

addEventListener("install", (event) => event.waitUntil(keepAll()));
addEventListener("activate", (event) => event.waitUntil(forgetOthers()));
addEventListener("fetch", (event) => {
  const file = fileOf(event.request);
  if (file) event.respondWith(answer(event.request, file));
});

/* Keeps every file, if all of them are of this version. */
async function keepAll() {
  const cache = await caches.open(NAME);
  await Promise.all(Object.entries(FILES).map(async ([file, digest]) => {
    const address = file === "index.html" ? "./" : file, response = await fetch(address, { cache: "no-cache" });
    if (!response.ok || (await digestOf(response.clone())) !== digest) throw new Error(`${file} is of another version`);
    await cache.put(file, response);
  }));
  await skipWaiting();
}

/* Forgets the files of other versions, of this address alone. */
async function forgetOthers() {
  const others = (await caches.keys()).filter((name) => name.startsWith(KEPT) && name !== NAME);
  await Promise.all(others.map((name) => caches.delete(name)));
  await clients.claim();
}

/* Which of the files a request is for; null for anything else, above all the API. */
function fileOf({ method, url }) {
  const [address] = url.split(/[?#]/);
  if (method !== "GET" || !address.startsWith(registration.scope)) return null;
  const file = address.slice(registration.scope.length) || "index.html";
  return file in FILES ? file : null;
}

async function answer(request, file) {
  try {
    const response = await fetch(request).catch(() => fetch(request)); // a connection may be left of a service before
    if (response.status < 500) return response; // else a proxy answers for a service that is gone
  } catch { /* it cannot be reached */ }
  const kept = await (await caches.open(NAME)).match(file);
  return kept || Response.error();
}

async function digestOf(response) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await response.arrayBuffer()));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
