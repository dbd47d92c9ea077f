// A portfolio: what it was worth beside benchmarks, its falls, what it held and traded, its months, its rolling figures.

import { early, get, query } from "./api.js";
import { chart, colour, line, pale, seriesColour, shade } from "./chart.js";
import { lines } from "./curves.js";
import { el, empty, facts, heading, notice, patch, path, title } from "./dom.js";
import { largestFalls } from "./falls.js";
import { cost, counted, gain, money, named, percent, ratio, whole } from "./format.js";
import { once } from "./live.js";
import { drawdown, months, rolling, turnover } from "./series.js";
import { table } from "./table.js";

const ROLLING = 60;
const SHOWN_SYMBOLS = 7;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export async function portfolio(place, { path: [, experiment, model], parameters, signal }) {
  const trial = Number(parameters.get("trial") ?? 0);
  title(named(model, trial));
  const head = el("div", {});
  const top = el("div", {});
  const monthsOf = el("div", {});
  const last = el("div", {});
  const deepest = el("div", {});
  const charts = {
    value: chart("Return", "Return since the first day, beside benchmarks. Dotted stretches rest on what was replaced since."),
    fall: chart("Drawdown", "The fall from the highest value so far."),
    held: chart("Positions", "Dollars in each position at the close; small ones are joined."),
    trades: chart("Trades", "The closing price, with what was bought and sold at its price."),
    rolling: chart(`Rolling ${ROLLING} days`, "Sharpe ratio and volatility over a year, of the days before."),
    turnover: chart("Turnover", "Dollars bought and sold in each month over the mean value."),
  };
  const symbols = el("div", {});
  const section = (...parts) => el("section", { hidden: true }, parts);
  const wide = section(charts.value.figure, charts.fall.figure);
  const held = section(charts.held.figure);
  const traded = section(symbols, charts.trades.figure);
  const more = el("section", { class: "two", hidden: true }, charts.rolling.figure, charts.turnover.figure);
  place.append(head, top, wide, deepest, monthsOf, held, traded, more, last);

  await once(async () => {
    const portfolioOf = { experiment, model, trial };
    // All at once; the charts of each are drawn as soon as it is there.
    const [board, equity, trades, curves, positions] = [
      get(`/leaderboard${query({ experiment, models: model })}`, signal), all("equity", portfolioOf, signal), all("trades", portfolioOf, signal),
      get(`/leaderboard/curves${query({ experiment, models: model, trial, points: 1500 })}`, signal), get(`/positions${query({ ...portfolioOf, sample: 150 })}`, signal),
    ].map(early);
    const [{ rows }, days] = await Promise.all([board, equity]);
    const row = rows.find((one) => one.kind === "model" && one.model === model && one.trial === trial);
    patch(head, heading([["Leaderboard", `/board/leaderboard${query({ experiment })}`]], named(model, trial), el("span", { class: "tag" }, experiment), others(rows, experiment, model, trial)));
    if (!row || !days.length) {
      patch(top, empty("This portfolio has not completed a day."));
      return;
    }
    patch(top, figures(row, days), row.stale_from ? notice(`The days from ${row.stale_from} on are stale: days or prices that they rest on were replaced since. They are drawn dotted and ranked nowhere until a job with “reprocess stale” runs them again.`, "warning") : "");
    const dates = days.map(({ date }) => date);
    const values = days.map((day) => day.value_at_close);
    const returns = days.map((day) => day.return);
    patch(monthsOf, monthly(months(dates, returns)));
    const shapes = () => shading(row, dates);
    wide.hidden = held.hidden = false;
    more.hidden = dates.length <= ROLLING;
    const fall = drawdown(values, days[0].starting_value);
    await Promise.all([
      curves.then((answer) => answer.dates.length > 1 && charts.value.draw(() => [lines(answer), { percent: true, height: 340, shapes: shapes() }])),
      charts.fall.draw(() => [[line("Drawdown", dates, fall, colour("--bad"), { fill: "tozeroy", fillcolor: pale(colour("--bad"), 0.14) })], { percent: true, height: 180, shapes: shapes() }]),
      trades.then(async (done) => {
        patch(last, recent(done));
        patch(deepest, await largestFalls(days, done, portfolioOf, signal));
      }),
      positions.then((answer) => charts.held.draw(() => [stacked(answer.positions), { dollars: true, height: 300, shapes: shapes().map(unnamed) }])),
      trades.then((done) => trading(done, dates)),
      more.hidden ? null : drawRolling(returns, dates),
      more.hidden ? null : trades.then((done) => drawTurnover(turnover(done, dates, values))),
    ]);
  }, signal);

  function drawRolling(returns, dates) {
    const { sharpe, volatility } = rolling(returns, ROLLING);
    return charts.rolling.draw(() => [[line("Sharpe", dates, sharpe, seriesColour(0)), line("Volatility", dates, volatility, seriesColour(1), { yaxis: "y2" })], { height: 260, second: true }]);
  }

  function drawTurnover(turned) {
    return charts.turnover.draw(() => [[{ type: "bar", name: "Turnover", x: turned.map(({ month }) => month), y: turned.map(({ share }) => share), marker: { color: colour("--accent") }, colour: colour("--accent") }], { height: 260, bars: true }]);
  }

  /** The price of a symbol with its trades; the one that was traded most is shown first. */
  async function trading(trades, dates) {
    if (!trades.length) return;
    const volumes = new Map();
    for (const one of trades) volumes.set(one.symbol, (volumes.get(one.symbol) ?? 0) + one.quantity * one.price);
    const names = [...volumes].sort((a, b) => b[1] - a[1]).map(([symbol]) => symbol);
    traded.hidden = false;
    const draw = async (symbol) => {
      const { bars } = await get(`/prices/bars${query({ symbol, start: dates[0], end: dates.at(-1), limit: 10_000 })}`, signal);
      const of = (side) => trades.filter((one) => one.symbol === symbol && one.action_type === side);
      const marks = (side, symbolOf, its) => ({ type: "scatter", mode: "markers", name: side === "buy" ? "Bought" : "Sold", x: of(side).map(({ date }) => date), y: of(side).map(({ price }) => price),
        text: of(side).map(({ quantity }) => counted(quantity, "share")), hovertemplate: "%{text} at %{y:,.2f}", colour: its, marker: { symbol: symbolOf, size: 10, color: its, line: { width: 1, color: colour("--card") } } });
      await charts.trades.draw(() => [[line(symbol, bars.map(({ date }) => date), bars.map(({ close }) => Number(close)), colour("--faint")),
        marks("buy", "triangle-up", colour("--good")), marks("sell", "triangle-down", colour("--bad"))], { dollars: true, height: 280 }]);
    };
    patch(symbols, el("label", { class: "inline" }, "Symbol ", el("select", { onchange: (event) => draw(event.currentTarget.value) }, names.map((name) => el("option", { value: name }, name)))));
    await draw(names[0]);
  }
}

/** All rows of a table. */
async function all(name, of, signal) {
  const rows = [];
  let cursor = null;
  do {
    const page = await get(`/${name}${query({ ...of, limit: 10_000, cursor })}`, signal);
    rows.push(...page[name]);
    cursor = page.next_cursor;
  } while (cursor);
  return rows;
}

function others(rows, experiment, model, trial) {
  const trials = rows.filter((row) => row.kind === "model" && row.model === model);
  if (trials.length < 2) return "";
  return el("nav", { class: "tabs", "aria-label": "Trials" }, trials.map((row) => row.trial).sort((a, b) => a - b).slice(0, 30).map((one) =>
    el("a", { href: `${path("board", "portfolios", experiment, model)}${query({ trial: one || null })}`, "aria-current": one === trial ? "true" : null }, `trial ${one}`)));
}

function figures(row, equity) {
  const last = equity.at(-1);
  const part = (name, one) => [name, one ? `${percent(one.return)} (${one.start_date} to ${one.end_date})` : null];
  return el("section", { class: "card" }, el("div", { class: "big" }, el("strong", {}, `$${money(row.final_value)}`), gain(row.return, percent(row.return)),
    el("span", { class: "faint" }, `${equity[0].date} to ${last.date}, ${counted(equity.length, "day")}`)),
  facts([["Sharpe", ratio(row.sharpe)], ["Sortino", ratio(row.sortino)], ["Largest fall", percent(row.max_drawdown)], ["Volatility", percent(row.volatility, { sign: false })],
    ["Calmar", ratio(row.calmar)], ["Win rate", percent(row.win_rate, { sign: false })], ["Alpha", percent(row.alpha)], ["Beta", ratio(row.beta)], ["Turnover", ratio(row.turnover)],
    ["Trades", whole(row.trades)], ["Cash", `$${money(last.cash)}`], ["Cost", row.usage ? cost(row.usage.cost) : null], part("In-sample", row.in_sample), part("Out-of-sample", row.out_of_sample),
    ["Last day", el("a", { href: `${path("board", "jobs", last.job_id, row.model, last.date)}${query({ trial: row.trial || null })}` }, last.date)]]));
}

/** Shades what the model's training data may contain, and what is stale. */
function shading(row, dates) {
  const shades = [];
  const last = dates.at(-1);
  if (row.training_cutoff >= dates[0]) shades.push(shade(dates[0], row.training_cutoff < last ? row.training_cutoff : last, pale(colour("--accent"), 0.08), "in training data"));
  if (row.stale_from) shades.push(shade(dates.findLast((date) => date < row.stale_from) ?? dates[0], last, pale(colour("--warn"), 0.12), "stale"));
  return shades;
}

/** Without its text, which areas would cover. */
const unnamed = (shape) => ({ ...shape, label: undefined });

/** The largest positions over time, the others joined. */
function stacked(positions) {
  const dates = [...new Set(positions.map(({ date }) => date))];
  const worth = new Map();
  for (const { symbol, value } of positions) if (symbol !== "$CASH") worth.set(symbol, (worth.get(symbol) ?? 0) + (value ?? 0));
  const largest = [...worth].sort((a, b) => b[1] - a[1]).slice(0, SHOWN_SYMBOLS).map(([symbol]) => symbol);
  const sums = new Map();
  for (const { date, symbol, value } of positions) {
    const name = symbol === "$CASH" ? "Cash" : largest.includes(symbol) ? symbol : "Others";
    if (!sums.has(name)) sums.set(name, new Map());
    sums.get(name).set(date, (sums.get(name).get(date) ?? 0) + (value ?? 0));
  }
  const names = ["Cash", ...largest, ...(sums.has("Others") ? ["Others"] : [])];
  return names.map((name, place) => {
    const its = name === "Cash" ? colour("--bench1") : name === "Others" ? colour("--bench0") : seriesColour(place - 1);
    return line(name, dates, dates.map((date) => sums.get(name)?.get(date) ?? 0), its, { stackgroup: "all", line: { width: 0.5 }, fillcolor: pale(its, 0.65) });
  });
}

/** The return of each month that any year has, a row for each year. */
function monthly(found) {
  const years = [...new Set(found.map(({ year }) => year))].sort().reverse();
  const cell = (gains) => {
    if (!gains.length) return "";
    const value = gains.reduce((product, { gain: one }) => product * (1 + one), 1) - 1;
    const strength = value === 0 ? 0 : Math.min(4, 1 + Math.floor(Math.abs(value) / 0.03));
    return el("span", { class: `heat ${value < 0 ? "loss" : "win"}${strength}` }, percent(value, { digits: 1 }));
  };
  const shown = MONTHS.map((name, place) => ({ name, month: place + 1 })).filter(({ month }) => found.some((one) => one.month === month));
  return el("section", {}, el("h2", {}, "Monthly returns"), table([{ name: "Year", head: true }, ...shown.map(({ name }) => ({ name, figure: true })), { name: "Whole year", figure: true }],
    years.map((year) => ({ key: year, cells: [year, ...shown.map(({ month }) => cell(found.filter((one) => one.year === year && one.month === month))), cell(found.filter((one) => one.year === year))] })),
    { caption: "Monthly returns", kind: shown.length > 6 ? "months wide" : "months few wide" }));
}

function recent(trades) {
  if (!trades.length) return "";
  const shown = trades.slice(-15).reverse();
  return el("section", {}, el("h2", {}, "Last trades"), table([{ name: "Day", head: true }, { name: "Side" }, { name: "Symbol" }, { name: "Shares", figure: true }, { name: "Price", figure: true }, { name: "Amount", figure: true }],
    shown.map((one) => ({ key: `${one.date} ${one.sequence}`, cells: [el("a", { href: `${path("board", "jobs", one.job_id, one.model, one.date)}${query({ trial: one.trial || null })}` }, one.date),
      el("span", { class: `side ${one.action_type}` }, one.action_type), one.symbol, whole(one.quantity), money(one.price, 4), money(one.quantity * one.price)] })), { caption: "Last trades", kind: "wide" }));
}
