// Portfolios compared with each other and with benchmarks, and a chart of their values.

import { get, Problem, query } from "./api.js";
import { equity } from "./chart.js";
import { el, money, notice, percent, ratio, table, tone, whole } from "./dom.js";

export async function leaderboard(place, { parameters, signal }) {
  document.title = "Leaderboard - Modelday";
  const asked = Object.fromEntries(["experiment", "start_date", "end_date"].map((name) => [name, parameters.get(name) ?? ""]));
  place.append(el("h1", {}, "Leaderboard"), form(asked));

  const board = await get(`leaderboard${query(asked)}`, signal);
  if (!board.count) {
    place.append(notice("No completed model-day there."));
    return;
  }
  place.append(el("p", { class: "faint" }, `${board.start_date} to ${board.end_date}`));
  const chart = await series(board, signal);
  if (chart) place.append(chart);
  const trials = board.rows.some((row) => row.trial > 0);
  const cost = board.rows.some((row) => row.usage);
  const columns = [{ name: "Model" }, ...["Return", "Value", "Sharpe", "Drawdown", "Volatility", "Trades", "Days"].map((name) => ({ name, figure: true })),
    ...(cost ? [{ name: "Cost, $", figure: true }] : [])];
  place.append(table(columns, board.rows.map((row) => ({
    class: row.kind,
    cells: [
      [el("span", { class: "rank" }, `${row.rank}. `), row.model, trials && row.trial !== null ? `, trial ${row.trial}` : "",
        row.kind === "benchmark" ? el("span", { class: "faint" }, " benchmark") : "",
        row.acted === false ? el("span", { class: "faint" }, " never acted") : ""],
      el("span", { class: tone(row.return) }, percent(row.return)),
      money(row.final_value),
      ratio(row.sharpe),
      percent(row.max_drawdown, { sign: false }),
      percent(row.volatility, { sign: false }),
      row.trades === null ? "–" : whole(row.trades),
      row.model_days === null ? "–" : [whole(row.model_days), row.stale_days ? el("span", { class: "faint" }, ` (${row.stale_days} stale)`) : ""],
      ...(cost ? [money(row.usage?.cost)] : []),
    ],
  })), "Leaderboard, best first", "figures"));
}

function form(asked) {
  const field = (name, label, type) => el("label", {}, label, el("input", { name, type, value: asked[name],
    placeholder: name === "experiment" ? "default" : null }));
  return el("form", {
    class: "filter",
    onsubmit: (event) => {
      event.preventDefault();
      location.hash = `#/leaderboard${query(Object.fromEntries(new FormData(event.target)))}`;
    },
  }, field("start_date", "From", "date"), field("end_date", "To", "date"), field("experiment", "Experiment", "text"),
  el("button", { type: "submit" }, "Show"));
}

/** The chart of the portfolios' values; null for a single day. */
async function series(board, signal) {
  if (board.start_date === board.end_date) return null;
  try {
    const answer = await get(`results${query({ start_date: board.start_date, end_date: board.end_date,
      experiment: board.experiment, valuation: "close" })}`, signal);
    return equity(answer.results.map((one) => ({
      name: one.model,
      values: one.daily_portfolio_values.map(({ date, portfolio_value_close: value }) =>
        ({ date, value: value / one.period_metrics.starting_portfolio_value - 1 })),
    })));
  } catch (error) {
    // The table has all figures, so the page works without the chart.
    if (error instanceof Problem) return notice(error.message);
    throw error;
  }
}
