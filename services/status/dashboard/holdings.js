// Orders of a day, and holdings before and after it.

import { el, empty } from "./dom.js";
import { money, whole } from "./format.js";
import { table } from "./table.js";

export function orders(result) {
  const rows = result.trades.map((trade, place) => ({ key: `trade ${place}`, cells: [
    el("span", { class: `side ${trade.action_type}` }, trade.action_type), trade.symbol, whole(trade.quantity), money(trade.price, 4),
    money(trade.quantity * trade.price), Number(trade.fee) ? money(trade.fee, 4) : "–"] }));
  const refused = result.refused_orders.map((order, place) => ({ key: `refused ${place}`, class: "refused", cells: [
    el("span", { class: `side ${order.action_type}` }, order.action_type), [order.symbol, el("span", { class: "tag bad" }, order.code.replaceAll("_", " "))], order.quantity, "–", "–", "–"] }));
  const actions = result.corporate_actions.map((action) => el("p", { class: "fact" },
    `${action.action_type.replaceAll("_", " ")} of ${action.symbol}${action.ratio ? ` ${action.ratio}` : ""}: ${whole(action.shares_before)} → ${whole(action.shares_after)} shares`,
    Number(action.cash) ? `, $${money(action.cash)} in cash` : "", action.estimated ? " (estimated)" : ""));
  if (!rows.length && !refused.length) return [empty("No order was placed."), actions];
  return [table([{ name: "Side" }, { name: "Symbol", head: true }, { name: "Shares", figure: true }, { name: "Price", figure: true },
    { name: "Amount", figure: true }, { name: "Fee", figure: true }], [...rows, ...refused], { caption: "Orders of the day", kind: "wide" }), actions];
}

/** A row for each symbol that was held before or after, with the prices of then and of now, and how old they are. */
export function holdings(result, before, after) {
  const at = (positions, symbol) => positions.find((position) => position.symbol === symbol);
  const held = (position) => new Map(position.holdings.map((one) => [one.symbol, one.quantity]));
  const [was, is] = [held(result.starting_position), held(result.final_position)];
  const symbols = [...new Set([...was.keys(), ...is.keys()])].sort();
  const price = (position, date) => !position || position.price === null ? "–"
    : [money(position.price, 4), position.price_date && position.price_date < date
      ? el("span", { class: "tag warn", title: "There is no price of the day itself." }, position.price_date) : ""];
  const rows = symbols.map((symbol) => {
    const [old, now] = [at(before, symbol), at(after, symbol)];
    const change = (is.get(symbol) ?? 0) - (was.get(symbol) ?? 0);
    return { key: symbol, cells: [symbol, whole(was.get(symbol) ?? 0), price(old, old?.date),
      [whole(is.get(symbol) ?? 0), change ? el("span", { class: change > 0 ? "up" : "down" }, ` (${change > 0 ? "+" : "−"}${whole(Math.abs(change))})`) : ""],
      price(now, result.date), now?.value === null || !now ? "–" : money(now.value)] };
  });
  const cash = { key: "$CASH", cells: ["Cash", money(result.starting_position.cash), "", money(result.final_position.cash), "", money(result.final_position.cash)] };
  const all = { key: "$ALL", class: "total", cells: ["Together", "", money(result.starting_position.portfolio_value_close), "", "", money(result.final_position.portfolio_value_close)] };
  return table([{ name: "Symbol", head: true }, { name: "Before", figure: true }, { name: "Price then", figure: true, title: "At the close of the day before." },
    { name: "After", figure: true }, { name: "Price", figure: true, title: "At this day's close." }, { name: "Value", figure: true }],
  [...rows, cash, all], { caption: "Holdings before and after the day", kind: "wide" });
}
