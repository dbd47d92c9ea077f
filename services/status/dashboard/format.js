// Figures, instants and names, as all pages show them.

import { el, svg } from "./dom.js";

const INSTANT = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
const CLOCK = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const WHOLE = new Intl.NumberFormat("en-US");
const NONE = "–";

const isNone = (value) => value === null || value === undefined;

export const instant = (text) => text ? el("time", { datetime: text, title: text }, INSTANT.format(new Date(text))) : NONE;
export const clock = (date) => CLOCK.format(date);
export const whole = (number) => isNone(number) ? NONE : WHOLE.format(number);
/** `3 days`, `1 day`. */
export const counted = (number, one, many = `${one}s`) => `${whole(number)} ${Number(number) === 1 ? one : many}`;

export function duration(seconds) {
  if (isNone(seconds)) return NONE;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round(seconds % 3600 / 60)} min`;
}

/** Dollars with at least two digits after the point, and as many as there are up to `most`. */
export const money = (number, most = 2) => isNone(number) ? NONE
  : Number(number).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: most }).replace("-", "−");

/** What an agent cost: small amounts keep their digits. */
export const cost = (number) => isNone(number) ? NONE : `$${money(number, Math.abs(number) < 1 ? 4 : 2)}`;

export const ratio = (number) => isNone(number) ? NONE : Number(number).toFixed(2).replace("-", "−");

/** A fraction as percent with its sign. */
export function percent(fraction, { sign = true, digits = 2 } = {}) {
  if (isNone(fraction)) return NONE;
  const text = Math.abs(fraction * 100).toFixed(digits).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  const side = Number(text.replaceAll(",", "")) === 0 ? "" : fraction < 0 ? "−" : sign ? "+" : "";
  return `${side}${text}%`;
}

export const tone = (number) => number > 0 ? "up" : number < 0 ? "down" : null;

/** A gain or loss in its colour. */
export const gain = (number, text) => el("span", { class: tone(number) }, text);

/** The end of an id: the beginning is the time, which is alike for jobs made together. */
export const short = (id) => `…${id.slice(-8)}`;

/** A model's name, with the trial where there are several. */
export const named = (model, trial) => trial ? `${model} · trial ${trial}` : model;

/** Progress of model-days, as a bar. */
export function progressBar({ total_model_days: total, completed, failed, skipped, running }) {
  const parts = { completed, failed, skipped, running };
  const label = Object.entries(parts).filter(([, count]) => count).map(([name, count]) => `${whole(count)} ${name}`);
  const bar = svg("svg", { class: "bar", viewBox: "0 0 100 1", preserveAspectRatio: "none", role: "img",
    "aria-label": `${label.join(", ") || "nothing done"} of ${counted(total, "model-day")}` });
  let from = 0;
  for (const [name, count] of Object.entries(parts)) {
    const width = total ? 100 * count / total : 0;
    if (count) bar.append(svg("rect", { x: from, y: 0, width, height: 1, class: name }));
    from += width;
  }
  return bar;
}

/** Warnings that tell a fact and nothing to worry about. */
const FACTS = ["MARKET_CLOSED", "ALREADY_COMPLETED"];

/** The warnings of a job, and the facts among them. */
export function warningsOf(job) {
  const all = (job.warnings ?? []).map((text, place) => ({ text, code: job.warning_codes?.[place] }));
  return { warnings: all.filter(({ code }) => !FACTS.includes(code)), facts: all.filter(({ code }) => FACTS.includes(code)) };
}
