// Keeps a page up to date: it loads again when events say that something changed, and at most as much as a slow line bears.

import { Away, follow, received } from "./api.js";

/** Most bytes a second that refreshing reads, on average. */
const BYTES_A_SECOND = 40_000;
/** Least time between two refreshes. */
const LEAST = 1000;
const live = document.getElementById("live");
const note = document.getElementById("away");

/** Shows whether the page receives events. */
export function tell(state) {
  live.textContent = { live: "live", lost: "reconnecting…" }[state] ?? "";
  live.className = state ?? "";
}

const pause = (time, signal) => new Promise((resolve) => {
  setTimeout(resolve, time);
  signal.addEventListener("abort", resolve, { once: true });
});

/** Says that the server is away, and waits until it is worth another try. */
export async function away(signal) {
  note.textContent = "The server does not answer, or is busy. Trying again every few seconds; what is shown may be out of date.";
  note.hidden = false;
  await pause(2000, signal);
}

const back = () => { note.hidden = true; };

/**
 * Calls `load` now, and whenever the stream of `path` has something, until `signal` is aborted. Loads that fail since the
 * server is away are repeated. `event` is called with each event.
 */
export async function keepFresh(load, { path, signal, event }) {
  let due = true;
  let wake = () => {};
  const nudge = () => {
    due = true;
    wake();
  };
  let failed = null;
  const stream = {
    open: () => {
      tell("live");
      nudge();
    },
    lost: () => {
      tell("lost");
      nudge();
    },
    event: (one) => {
      event?.(one);
      nudge();
    },
  };
  let over = path === undefined;
  const following = over ? Promise.resolve() : follow(path, stream, signal);
  following.catch((error) => { failed = error; }).finally(() => {
    over = true;
    if (path === undefined) return;
    if (!signal.aborted) tell(null);
    nudge();
  });
  while (!signal.aborted) {
    if (failed) throw failed;
    if (!due) {
      if (over) return;
      await new Promise((resolve) => {
        wake = resolve;
        signal.addEventListener("abort", resolve, { once: true });
      });
      continue;
    }
    due = false;
    const before = received();
    try {
      await load();
      if (signal.aborted) return;
      back();
      document.querySelector(".page").dataset.loaded = true;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Away)) throw error;
      due = true;
      await away(signal);
      continue;
    }
    await pause(Math.max(LEAST, (received() - before) / BYTES_A_SECOND * 1000), signal);
  }
}

/** Loads what does not change by itself, with patience while the server is away. */
export async function once(load, signal) {
  return keepFresh(load, { signal });
}
