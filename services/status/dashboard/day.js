// One model-day: what the model saw, said and did, what came of it, and the days before and after.

import { get, getIfAny, Problem, query } from "./api.js";
import { conversation } from "./conversation.js";
import { el, empty, facts, heading, notice, patch, path, pill, title, trace } from "./dom.js";
import { cost, duration, gain, instant, money, named, percent, short, whole } from "./format.js";
import { STATES } from "./grid.js";
import { holdings, orders } from "./holdings.js";
import { once } from "./live.js";

/** What the reasons for the end of an agent's day mean. */
const ENDS = {
  finished: "it said that it was done", no_more_to_say: "it had no more to say", max_steps: "it used up its steps",
  bad_arguments: "its calls could not be read", budget: "the job's budget was used up", timeout: "it took too long",
};

export async function day(place, { path: [, job, model, date], parameters, signal }) {
  const trial = Number(parameters.get("trial") ?? 0);
  const name = named(model, trial);
  title(`${name}, ${date}`);
  await once(async () => {
    const of = path("jobs", job);
    const grid = await get(`${of}/grid${query({ model, trial })}`, signal);
    const states = grid.lanes[0]?.states ?? "";
    const at = grid.dates.indexOf(date);
    const letter = states[at];
    const address = (on) => `${path("board", "jobs", job, model, on)}${query({ trial: trial || null })}`;
    const selected = { job_id: job, model, trial, start_date: date, end_date: date };
    const [ended, results, after, traced] = await Promise.all([
      getIfAny(`${path("jobs", job, "model-days", model, date)}${query({ trial: trial || null })}`, signal),
      letter === "c" ? getIfAny(`/results${query({ ...selected, reasoning: "summary" })}`, signal) : null,
      letter === "c" ? get(`/positions${query({ ...selected, limit: 10_000 })}`, signal) : null,
      get(`${of}/trace${query({ model, trial: trial || null, date })}`, signal),
    ]);
    const result = results?.results?.[0] ?? null;
    const before = await pricesBefore(result, grid, states, at, signal);
    patch(place,
      heading([["Jobs", "/board/jobs"], [`Job ${short(job)}`, path("board", "jobs", job)]], [name, el("span", { class: "faint" }, ` ${weekday(date)} ${date}`)],
        letter ? pill(STATES[letter].replaceAll(" ", "_"), STATES[letter]) : null, steps(grid, states, at, address)),
      letter === undefined ? notice("The job was not requested for this day.") : "",
      ended?.error ? notice(ended.error, ended.status === "failed" ? "error" : "") : "",
      result?.stale ? notice("This day is stale: a day or a price that it rests on was replaced since. It counts for no ranking until it is run again.", "warning") : "",
      el("section", { class: "card" }, figures({ ended, result, model, trial, job, traced })),
      result ? el("div", { class: "two" },
        el("section", {}, el("h2", {}, "Orders"), orders(result)),
        el("section", {}, el("h2", {}, "Holdings"), holdings(result, before, after.positions))) : "",
      el("section", {}, el("h2", {}, "Conversation"), ended?.transcript?.length ? conversation(ended.transcript)
        : empty(letter === "." || letter === "r" ? "The day has not ended yet." : ended ? "This model decides without a conversation." : "There is none: the day was not run.")));
  }, signal).catch((error) => {
    if (!(error instanceof Problem)) throw error;
    patch(place, heading([["Jobs", "/board/jobs"]], name), notice(error.message, "error"));
  });
}

const weekday = (date) => new Date(`${date}T12:00:00Z`).toLocaleDateString("en-GB", { weekday: "short", timeZone: "UTC" });

/** Links to the neighbouring days that were run. */
function steps(grid, states, at, address) {
  const isRun = (place) => "cfr".includes(states[place]);
  const places = [...states].map((_, place) => place).filter(isRun);
  const [before, after] = [places.filter((place) => place < at).at(-1), places.find((place) => place > at)];
  const link = (place, text, rel) => place === undefined
    ? el("span", { class: "button off" }, text)
    : el("a", { class: "button", rel, href: address(grid.dates[place]), title: grid.dates[place] }, text);
  return el("nav", { class: "steps", "aria-label": "Days" }, link(before, "← Previous day", "prev"), link(after, "Next day →", "next"));
}

/** What was held at the end of the day before, with the prices then. */
async function pricesBefore(result, grid, states, at, signal) {
  if (!result?.starting_position.holdings.length) return [];
  const earlier = [...states].map((_, place) => place).filter((place) => place < at && "ca".includes(states[place])).at(-1);
  if (earlier === undefined) return [];
  const { experiment, model, trial } = result;
  const on = grid.dates[earlier];
  return (await get(`/positions${query({ experiment, model, trial, start_date: on, end_date: on, limit: 10_000 })}`, signal)).positions;
}

function figures({ ended, result, model, trial, job, traced }) {
  const usage = ended?.usage;
  const end = ended?.end_reason;
  return facts([
    ["Value at the close", result ? `$${money(result.final_position.portfolio_value_close)}` : null],
    ["Day's result", result ? gain(result.daily_metrics.profit, `${money(result.daily_metrics.profit)} (${percent(result.daily_metrics.return_pct / 100)})`) : null,
      "From the open of the day before to this day's open."],
    ["Cash", result ? `$${money(result.final_position.cash)}` : null],
    ["Orders", result ? `${whole(result.trades.length)} filled, ${whole(result.refused_orders.length)} refused` : null],
    ["Why it ended", end ? `${end.replaceAll("_", " ")}${ENDS[end] ? `: ${ENDS[end]}` : ""}` : null],
    ["Cost", usage ? cost(usage.cost ?? null) : null, "A dash where it is not known."],
    ["Tokens", usage ? `${whole(usage.prompt_tokens)} in, ${whole(usage.completion_tokens)} out` : null],
    ["Calls", usage?.calls ? whole(usage.calls) : null],
    ["Took", result ? duration(result.metadata.session_duration_seconds) : null],
    ["Ended", ended ? instant(ended.completed_at) : null],
    ["Attempt", ended?.attempt > 1 ? whole(ended.attempt) : null],
    ["In its training data", result?.in_sample === null || !result ? null : result.in_sample ? "yes" : "no"],
    ["Portfolio", result ? el("a", { href: `${path("board", "portfolios", result.experiment, model)}${query({ trial: trial || null })}` }, "open") : null],
    ["Job", el("a", { class: "id", href: path("board", "jobs", job) }, short(job))],
    ["Trace", trace(traced)],
  ]);
}
