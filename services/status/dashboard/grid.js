// Model-days as squares: a row for each portfolio, a column for each date, a letter of the API for each square.

import { colour } from "./chart.js";
import { el, path } from "./dom.js";
import { named, whole } from "./format.js";
import { query } from "./api.js";

export const STATES = {
  c: "completed", f: "failed", r: "running", ".": "pending", s: "skipped", h: "market closed", a: "completed by an earlier job", " ": "not requested",
};
const COLOURS = { c: "--done", f: "--bad", r: "--busy", ".": "--idle", s: "--skip", h: "--closed", a: "--earlier", " ": null };
/** Where several days share a column, the first of these that is among them shows. */
const LOUDEST = "frs.cah ";
const HEIGHT = 18;

/** How many squares have each letter. */
export function count(states) {
  const counts = {};
  for (const letter of states) counts[letter] = (counts[letter] ?? 0) + 1;
  return counts;
}

/** What a row says in words. */
export const inWords = (states) => Object.entries(count(states)).filter(([letter]) => letter !== " ")
  .map(([letter, days]) => `${whole(days)} ${STATES[letter]}`).join(", ");

/**
 * The squares of a lane: a link to one of its days, which the pointer and the arrow keys choose.
 */
export function strip(job, dates, lane) {
  const canvas = el("canvas", { height: HEIGHT, "aria-hidden": "true" });
  const label = el("span", { class: "label", "aria-hidden": "true" });
  const link = el("a", { class: "strip", "data-own": "", href: "#" }, canvas, label);
  let states = lane.states;
  let at = Math.max(0, states.search(/[cfr]/));

  const name = () => `${named(lane.model, lane.trial)} on ${dates[at]}: ${STATES[states[at]]}`;
  const address = () => `${path("board", "jobs", job, lane.model, dates[at])}${query({ trial: lane.trial || null })}`;
  function point(place) {
    at = Math.min(dates.length - 1, Math.max(0, place));
    link.setAttribute("href", address());
    link.setAttribute("aria-label", name());
    label.textContent = `${dates[at]} · ${STATES[states[at]]}`;
    paint();
  }
  function paint() {
    const width = canvas.clientWidth;
    if (!width) return;
    const scale = devicePixelRatio;
    if (canvas.width !== Math.round(width * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(HEIGHT * scale);
    }
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, HEIGHT);
    const step = Math.min(width / dates.length, HEIGHT);
    const columns = step < 2 ? Math.floor(width / 2) : dates.length;
    const wide = step < 2 ? 2 : step;
    const gap = wide > 5 ? 1.5 : 0;
    for (let column = 0; column < columns; column += 1) {
      const [from, to] = [Math.floor(column * dates.length / columns), Math.max(Math.floor((column + 1) * dates.length / columns), Math.floor(column * dates.length / columns) + 1)];
      const loudest = LOUDEST[Math.min(...[...states.slice(from, to)].map((letter) => LOUDEST.indexOf(letter)))];
      const fill = COLOURS[loudest];
      if (!fill) continue;
      context.fillStyle = colour(fill);
      context.fillRect(column * wide, 2, wide - gap, HEIGHT - 4);
      if (at >= from && at < to && link.matches(":hover, :focus-visible")) {
        context.strokeStyle = colour("--ink");
        context.lineWidth = 2;
        context.strokeRect(column * wide - 0.5, 1, Math.max(wide - gap, 3) + 1, HEIGHT - 2);
      }
    }
  }
  link.addEventListener("pointermove", (event) => {
    const width = canvas.clientWidth;
    const used = Math.min(width / dates.length, HEIGHT) * dates.length;
    const place = Math.floor((event.clientX - canvas.getBoundingClientRect().left) / Math.min(used, width) * dates.length);
    if (place !== at) point(place);
  });
  for (const event of ["pointerleave", "focus", "blur", "pointerenter"]) link.addEventListener(event, paint);
  link.addEventListener("keydown", (event) => {
    const moves = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: dates.length - 1 };
    if (!(event.key in moves)) return;
    event.preventDefault();
    point(moves[event.key]);
  });
  new ResizeObserver(paint).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => link.isConnected && paint());
  point(at);
  return { link, update: (now) => {
    if (now === states) return;
    states = now;
    point(at);
  } };
}
