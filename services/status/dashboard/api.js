// Calls the API: requests with the token, and streams that reconnect by themselves.

const KEY = "modelday-token";

/** An error response. `detail` says what to do, `errors` which fields are wrong. */
export class Problem extends Error {
  constructor(status, { detail, errors }) {
    super(detail);
    this.status = status;
    this.errors = errors ?? [];
  }
}

/** The server did not answer. */
export class Away extends Error {}

export const token = {
  get: () => sessionStorage.getItem(KEY),
  set: (text) => sessionStorage.setItem(KEY, text),
  forget: () => sessionStorage.removeItem(KEY),
};

let asking = null;

/** Prompts for a token, once for all requests that need one. */
function askForToken(why) {
  asking ??= new Promise((resolve) => {
    const dialog = document.getElementById("ask");
    const input = document.getElementById("token");
    document.getElementById("ask-why").textContent = why;
    input.value = "";
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    dialog.addEventListener("close", () => {
      token.set(input.value.trim());
      document.getElementById("forget").hidden = false;
      asking = null;
      resolve();
    }, { once: true });
    dialog.showModal();
  });
  return asking;
}

async function request(path, options = {}) {
  for (;;) {
    const used = token.get();
    const headers = { Accept: "application/json", ...options.headers };
    if (used) headers.Authorization = `Bearer ${used}`;
    const response = await fetch(path, { ...options, headers, cache: "no-store" }).catch((error) => {
      throw error.name === "AbortError" ? error : new Away("The server does not answer.");
    });
    // A gateway answers so while the service behind it is away, and a service while its servers are.
    if ([502, 503, 504].includes(response.status)) throw new Away("The service does not answer at the moment; try again.");
    if (response.status !== 401) return response;
    // Another request may have set a new token meanwhile.
    if (token.get() !== used) continue;
    token.forget();
    await askForToken(used ? "That token is not known here." : "Requests to this installation need an API token.");
  }
}

async function problem(response) {
  const body = await response.json().catch(() => ({}));
  return new Problem(response.status, { detail: body.detail ?? `${response.status} ${response.statusText}`, errors: body.errors });
}

let bytes = 0;

/** How many bytes of responses were read so far. */
export const received = () => bytes;

async function read(response) {
  if (!response.ok) throw await problem(response);
  const text = await response.text();
  bytes += text.length;
  return text;
}

/** The JSON of a path. */
export const get = async (path, signal) => JSON.parse(await read(await request(path, { signal })));

/** The JSON of a path; null when there is nothing, or no service for it. */
export async function getIfAny(path, signal) {
  return get(path, signal).catch((error) => {
    if (error instanceof Problem && error.status === 404) return null;
    throw error;
  });
}

/** A request whose answer is looked at later; it may have failed by then. */
export function early(request) {
  request.catch(() => {});
  return request;
}

/** A file of a path, as text. */
export const getText = async (path, accept) => read(await request(path, { headers: { Accept: accept } }));

/** Posts `body` as JSON, or nothing. */
export const post = (path, body, signal) => send("POST", path, body, signal);

/** Puts `body` as JSON. */
export const put = (path, body) => send("PUT", path, body);

/** Deletes what has this path. */
export const remove = (path) => send("DELETE", path);

async function send(method, path, body, signal) {
  const sent = body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  const text = await read(await request(path, { method, signal, ...sent }));
  return text ? JSON.parse(text) : {};
}

/** A query string of the values that are not empty. */
export function query(values) {
  const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== "" && value !== false);
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

/**
 * Follows a stream of brief events from now on until it ends or `signal` is aborted. `on.open` is called at each connect,
 * also after a lost connection; `on.event` with each event.
 */
export async function follow(path, on, signal) {
  let last = null;
  let pause = 1000;
  while (!signal.aborted) {
    try {
      const headers = { Accept: "text/event-stream" };
      if (last !== null) headers["Last-Event-ID"] = last;
      const response = await request(`${path}?after=now&brief=true`, { headers, signal });
      if (response.status === 204) return;
      // The log was reset, for instance by a restore: continue with new events.
      if (response.status === 409) last = null;
      if (!response.ok) throw await problem(response);
      pause = 1000;
      on.open();
      for await (const event of events(response.body)) {
        last = event.id;
        on.event(event);
      }
    } catch (error) {
      if (signal.aborted) return;
      const passes = !(error instanceof Problem) || error.status >= 500 || [409, 429].includes(error.status);
      if (!passes) throw error;
      on.lost();
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(pause * 2, 10000);
  }
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const blocks = text.split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      const event = { id: null, type: "message", data: [] };
      for (const line of block.split("\n")) {
        const [, name, rest] = /^([^:]*): ?(.*)$/.exec(line) ?? [];
        if (name === "id") event.id = rest;
        else if (name === "event") event.type = rest;
        else if (name === "data") event.data.push(rest);
      }
      if (event.data.length) yield { ...event, data: JSON.parse(event.data.join("\n")) };
    }
  }
}
