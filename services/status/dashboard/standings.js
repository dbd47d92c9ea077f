// The table of the leaderboard. Portfolios that rest on what was replaced since are shown below and have no rank.

import { query } from "./api.js";
import { el, patch, path, visit } from "./dom.js";
import { cost, gain, money, named, percent, ratio, whole } from "./format.js";
import { table } from "./table.js";

const KEY = "modelday-columns";
const fraction = (name, field, title) => ({ name, field, title, show: (row) => percent(row[field]), value: (row) => row[field] });
const plain = (name, field, title) => ({ name, field, title, show: (row) => ratio(row[field]), value: (row) => row[field] });

/** Every column; those that are `usual` are shown at first. */
const COLUMNS = [
  { name: "Return", usual: true, show: (row) => gain(row.return, percent(row.return)), value: (row) => row.return },
  { name: "Value", usual: true, title: "Dollars at the end.", show: (row) => money(row.final_value), value: (row) => row.final_value },
  { name: "Sharpe", usual: true, title: "Mean daily return beyond that of cash over its standard deviation, over a year.", show: (row) => ratio(row.sharpe), value: (row) => row.sharpe },
  { name: "Drawdown", usual: true, title: "The largest fall from an earlier high.", show: (row) => percent(row.max_drawdown), value: (row) => row.max_drawdown },
  { name: "Volatility", usual: true, title: "Standard deviation of the daily returns, over a year.", show: (row) => percent(row.volatility, { sign: false }), value: (row) => row.volatility },
  fraction("Annual return", "annual_return", "Over a year of 252 sessions; noise when there are few."),
  plain("Sortino", "sortino", "As Sharpe, over the deviation of losses only."),
  plain("Calmar", "calmar", "Annual return over the largest fall."),
  { name: "Win rate", title: "Share of days with a gain.", show: (row) => percent(row.win_rate, { sign: false }), value: (row) => row.win_rate },
  fraction("Alpha", "alpha", "Return over a year that beta does not explain."),
  plain("Beta", "beta", "How far it moves with the benchmark."),
  plain("Information ratio", "information_ratio", "Mean daily return beyond the benchmark's over its standard deviation, over a year."),
  plain("Turnover", "turnover", "Dollars bought and sold over the mean value."),
  { name: "Trades", usual: true, show: (row) => whole(row.trades), value: (row) => row.trades },
  { name: "Days", usual: true, show: (row) => whole(row.model_days), value: (row) => row.model_days },
  { name: "Cost", usual: true, title: "What its agent cost over the dates shown; a dash where that is not known or nothing was to be paid.", show: (row) => cost(row.usage?.cost), value: (row) => row.usage?.cost ?? null },
  { name: "Tokens", show: (row) => row.usage ? whole(row.usage.prompt_tokens + row.usage.completion_tokens) : "–", value: (row) => row.usage ? row.usage.prompt_tokens + row.usage.completion_tokens : null },
  { name: "In-sample", title: "Return up to the model's training cutoff.", show: (row) => percent(row.in_sample?.return), value: (row) => row.in_sample?.return ?? null },
  { name: "Out-of-sample", title: "Return after the model's training cutoff.", show: (row) => percent(row.out_of_sample?.return), value: (row) => row.out_of_sample?.return ?? null },
];

function stored() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? null;
  } catch {
    return null;
  }
}

/** The table with its choices, and its rows as CSV. */
export function standings(board, requested) {
  const usual = COLUMNS.filter((column) => column.usual && (column.name !== "Cost" || board.rows.some((row) => row.usage))).map(({ name }) => name);
  let shown = stored() ?? usual;
  let sorting = { column: null, down: true };
  const chosen = new Set();
  const node = el("div", { "data-own": "", "data-key": `standings ${board.experiment}` });
  const several = board.rows.some((row) => row.trial > 0);
  const isStale = (row) => row.stale_days > 0;
  const sound = board.rows.filter((row) => !isStale(row));
  const places = new Map(sound.filter(({ kind }) => kind === "model").map((row, place) => [row, place + 1]));

  const columns = () => COLUMNS.filter(({ name }) => shown.includes(name));
  function name(row) {
    if (row.kind === "benchmark") return [row.model, el("span", { class: "tag" }, "benchmark")];
    return [el("a", { href: `${path("board", "portfolios", board.experiment, row.model)}${query({ trial: row.trial || null })}` }, several ? named(row.model, row.trial) : row.model),
      row.acted === false ? el("span", { class: "tag warn", title: "Its agent called no tool in any of its days." }, "never acted") : "",
      isStale(row) ? el("span", { class: "tag warn", title: `Days from ${row.stale_from} on rest on days or prices that were replaced since.` }, `${whole(row.stale_days)} stale`) : "",
      row.total_return_symbols?.length ? el("span", { class: "tag warn", title: `${row.total_return_symbols.join(", ")}: at prices that are adjusted for dividends, at which nobody traded` }, "total return") : "",
      row.stale?.length ? el("span", { class: "tag warn", title: row.stale.map((one) => `${one.symbol}: price of ${one.price_date ?? "an unknown day"}`).join(", ") }, "old prices") : ""];
  }
  function rows(of) {
    return of.map((row) => ({
      key: `${row.kind} ${row.model} ${row.trial}`,
      class: row.kind,
      cells: [row.kind === "model" ? el("input", { type: "checkbox", value: row.model, "aria-label": `Choose ${named(row.model, row.trial)}`, checked: chosen.has(row.model) }) : "",
        places.has(row) ? whole(places.get(row)) : el("span", { class: "faint" }, "–"), name(row), ...columns().map((column) => column.show(row))],
      values: [null, places.get(row) ?? null, named(row.model, row.trial), ...columns().map((column) => column.value(row))],
    }));
  }
  function draw() {
    const heads = [{ name: "Choose", unseen: true, class: "tick" }, { name: "#", figure: true, sort: true, title: "Rank by return" }, { name: "Model", head: true, sort: true },
      ...columns().map((column) => ({ ...column, figure: true, sort: true }))];
    const change = (column) => {
      sorting = { column, down: sorting.column === column ? !sorting.down : column > 2 };
      draw();
    };
    const as = sorting.column === null ? { column: null, change } : { ...sorting, change };
    const show = (of, caption) => table(heads, rows(of), { caption, kind: "figures wide", sorting: as });
    const stale = board.rows.filter(isStale);
    patch(node, el("div", { class: "choices" }, choices(), el("div", { class: "buttons" }, chosen.size ? el("button", { type: "button", "data-act": "compare" }, `Compare ${whole(chosen.size)}`) : "",
      requested.models ? el("button", { type: "button", class: "quiet", "data-act": "all" }, "Show all models") : "")),
    show(sound, "Leaderboard, best first"),
    stale.length ? [el("h2", {}, "Not ranked"), el("p", { class: "faint" }, "Some of their days rest on days or prices that were replaced since. A job with “reprocess stale” runs these days again."), show(stale, "Portfolios that are not ranked")] : "");
  }
  const choices = () => el("details", { class: "columns" }, el("summary", {}, "Columns"), el("fieldset", {}, el("legend", { class: "hidden" }, "Columns"),
    COLUMNS.map((column) => el("label", {}, el("input", { type: "checkbox", name: "column", value: column.name, checked: shown.includes(column.name) }), column.name))));

  node.addEventListener("change", ({ target }) => {
    if (target.name === "column") {
      shown = [...node.querySelectorAll("input[name=column]:checked")].map(({ value }) => value);
      localStorage.setItem(KEY, JSON.stringify(shown));
      sorting = { column: null, down: true };
    } else if (target.checked) chosen.add(target.value);
    else chosen.delete(target.value);
    draw();
  });
  node.addEventListener("click", ({ target }) => {
    const act = target.dataset?.act;
    if (act) visit(`/board/leaderboard${query({ ...requested, models: act === "compare" ? [...chosen].join() : "" })}`);
  });
  draw();
  const quoted = (text) => /[",\n]/.test(text) ? `"${text.replaceAll("\"", "\"\"")}"` : /^[=+@-]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  const csv = () => [["rank", "kind", "model", "trial", ...COLUMNS.map(({ name: of }) => of)],
    ...board.rows.map((row) => [places.get(row) ?? "", row.kind, row.model, row.trial ?? "", ...COLUMNS.map((column) => column.value(row) ?? "")])]
    .map((line) => line.map((value) => quoted(String(value))).join()).join("\r\n");
  return { node, csv };
}
