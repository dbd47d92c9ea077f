// Portfolios compared with each other and with benchmarks: curves, figures to choose and sort by, trials, pairs of models.

import { early, get, query } from "./api.js";
import { chart } from "./chart.js";
import { lines } from "./curves.js";
import { el, empty, heading, notice, patch, title, visit } from "./dom.js";
import { percent, whole } from "./format.js";
import { once } from "./live.js";
import { standings } from "./standings.js";
import { table } from "./table.js";

const MOST = 12;
const PARAMETERS = ["experiment", "start_date", "end_date", "models"];

export async function leaderboard(place, { parameters, signal }) {
  title("Leaderboard");
  const requested = Object.fromEntries(PARAMETERS.map((name) => [name, parameters.get(name) ?? ""]));
  const form = el("div", {});
  const body = el("div", {});
  const curves = chart("Return", "Return since the first day. Dashed lines are benchmarks; dotted stretches rest on what was replaced since. The table below has the figures.");
  const charted = el("section", { hidden: true }, curves.figure);
  place.append(...heading([], "Leaderboard"), form, charted, body);
  await once(async () => {
    const drawn = early(get(`/leaderboard/curves${query({ ...requested, points: 600 })}`, signal));
    const [board, known] = await Promise.all([get(`/leaderboard${query(requested)}`, signal), get("/experiments", signal)]);
    patch(form, filter(requested, known.experiments));
    if (!board.count) {
      charted.hidden = true;
      patch(body, empty("No model has completed a day there.", el("a", { class: "button primary", href: "/board/new" }, "New job")));
      return;
    }
    const show = standings(board, requested);
    patch(body, el("p", { class: "faint" }, `${board.start_date} to ${board.end_date}, experiment ${board.experiment}`), show.node, trials(board), pairs(board), exports(board, requested, show));
    if (board.start_date === board.end_date) return;
    charted.hidden = false;
    await draw(curves, await drawn, board);
  }, signal);
}

/** The best portfolios and the benchmarks. */
function draw(curves, answer, board) {
  const rank = new Map(board.rows.map((row) => [`${row.model} ${row.trial}`, row.rank]));
  const models = answer.curves.filter(({ kind }) => kind === "model").sort((a, b) => rank.get(`${a.model} ${a.trial}`) - rank.get(`${b.model} ${b.trial}`));
  const shown = [...models.slice(0, MOST), ...answer.curves.filter(({ kind }) => kind === "benchmark")];
  return curves.draw(() => [lines({ ...answer, curves: shown }), { percent: true, height: 340 }]);
}

function filter(requested, known) {
  const names = known.map(({ experiment }) => experiment);
  const chosen = requested.experiment || "default";
  const experiments = names.includes(chosen) ? names : [chosen, ...names];
  return el("form", { class: "filter", onsubmit: (event) => {
    event.preventDefault();
    visit(`/board/leaderboard${query(Object.fromEntries(new FormData(event.target)))}`);
  } },
  el("label", {}, "Experiment", el("select", { name: "experiment" }, experiments.map((name) => el("option", { value: name, selected: name === chosen }, name)))),
  el("label", {}, "From", el("input", { name: "start_date", type: "date", value: requested.start_date })),
  el("label", {}, "To", el("input", { name: "end_date", type: "date", value: requested.end_date })),
  el("label", { class: "wide" }, "Models", el("input", { name: "models", value: requested.models, placeholder: "all; names between commas" })),
  el("button", { type: "submit" }, "Show"));
}

/** Each model over its trials, with the interval of its mean. */
function trials(board) {
  const several = board.models.filter(({ trials: number }) => number > 1);
  if (!several.length) return "";
  return el("section", {}, el("h2", {}, "Over trials"), table([{ name: "Model", head: true }, { name: "Trials", figure: true }, { name: "Mean return", figure: true },
    { name: "Standard deviation", figure: true }, { name: "Interval of the mean", figure: true }],
  several.map((one) => ({ key: one.model, cells: [one.model, whole(one.trials), percent(one.mean_return), percent(one.std_dev, { sign: false }),
    one.interval ? `${percent(one.interval.low)} to ${percent(one.interval.high)} (${percent(one.interval.level, { sign: false, digits: 0 })})` : one.reasons.interval ?? "–"] })),
  { caption: "Models over their trials" }));
}

/** Whether pairs of models can be told apart. */
function pairs(board) {
  const once = board.models.length > 1 && board.models.every(({ trials: number }) => number === 1);
  if (!board.comparisons.length) return once
    ? notice("One trial of each model does not tell whether the better one is better or luckier: run several trials to compare models.") : "";
  const verdict = (one) => one.distinguishable === null ? el("span", { class: "faint" }, one.reason ?? "not known")
    : one.distinguishable ? el("span", { class: "pill completed" }, "yes") : el("span", { class: "pill" }, "no");
  return el("section", {}, el("h2", {}, "Can they be told apart?"), table([{ name: "Models", head: true }, { name: "Difference", figure: true }, { name: "p-value", figure: true }, { name: "Told apart" }],
    board.comparisons.map((one) => ({ key: `${one.a} ${one.b}`, cells: [`${one.a} and ${one.b}`, percent(one.difference), one.p_adjusted === null ? "–" : one.p_adjusted.toFixed(3), verdict(one)] })),
    { caption: "Pairs of models" }));
}

function exports(board, requested, show) {
  const csv = (name) => el("a", { class: "button", href: `/${name}${query({ experiment: board.experiment, start_date: requested.start_date, end_date: requested.end_date, format: "csv" })}`, download: `${name}.csv` }, `${name}.csv`);
  return el("section", {}, el("h2", {}, "Take it away"), el("div", { class: "buttons" },
    el("button", { type: "button", onclick: () => save("leaderboard.csv", show.csv()) }, "leaderboard.csv"), ["equity", "trades", "positions"].map(csv)));
}

function save(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  el("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
