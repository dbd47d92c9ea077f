// The largest falls of a portfolio: from when to when, the day that lost most, and the symbols that lost.

import { get, query } from "./api.js";
import { el, path } from "./dom.js";
import { gain, money, percent } from "./format.js";
import { falls } from "./series.js";
import { table } from "./table.js";

const MOST = 3;
const MOST_SYMBOLS = 4;

/** A table of them; nothing where the value never fell. */
export async function largestFalls(equity, trades, portfolio, signal) {
  const values = equity.map((day) => day.value_at_close);
  const found = falls(values, equity[0].starting_value).sort((a, b) => a.depth - b.depth).slice(0, MOST);
  if (!found.length) return "";
  const rows = await Promise.all(found.map(async (fall) => row(fall, equity, await losses(fall, equity, trades, portfolio, signal))));
  return el("section", {}, el("h2", {}, "Largest falls"), table([{ name: "Fall", head: true }, { name: "From" }, { name: "Lowest" }, { name: "Regained" }, { name: "Worst day" }, { name: "What lost", class: "grow" }],
    rows, { caption: "Largest falls", kind: "falls" }));
}

function row({ high, low, back, depth }, equity, lost) {
  const within = equity.slice(high + 1, low + 1);
  const worst = within.reduce((one, other) => other.return < one.return ? other : one);
  const day = (one) => el("a", { href: `${path("board", "jobs", one.job_id, one.model, one.date)}${query({ trial: one.trial || null })}` }, one.date);
  return { key: within[0].date, cells: [percent(depth), high < 0 ? "the beginning" : equity[high].date, day(equity[low]), back === null ? "not yet" : equity[back].date,
    [day(worst), " ", gain(worst.return, percent(worst.return))],
    lost.length ? lost.map(([symbol, dollars], place) => [place ? ", " : "", `${symbol}\u00a0−\u2060$${money(-dollars)}`]) : "nothing single"] };
}

/** What each symbol lost in a fall: its change in value, with what was bought and sold of it. */
async function losses({ high, low }, equity, trades, portfolio, signal) {
  const [from, to] = [high < 0 ? "" : equity[high].date, equity[low].date];
  const at = async (date) => date ? (await get(`/positions${query({ ...portfolio, start_date: date, end_date: date })}`, signal)).positions : [];
  const [before, after] = await Promise.all([at(from), at(to)]);
  const change = new Map();
  const add = (symbol, dollars) => change.set(symbol, (change.get(symbol) ?? 0) + dollars);
  for (const one of before) if (one.symbol !== "$CASH") add(one.symbol, -(one.value ?? 0));
  for (const one of after) if (one.symbol !== "$CASH") add(one.symbol, one.value ?? 0);
  for (const one of trades) {
    if (one.date > from && one.date <= to) add(one.symbol, (one.action_type === "sell" ? 1 : -1) * one.quantity * one.price);
  }
  return [...change].filter(([, dollars]) => dollars < -0.005).sort((a, b) => a[1] - b[1]).slice(0, MOST_SYMBOLS);
}
