// What a job would run, download and cost.

import { el, facts, notice } from "./dom.js";
import { cost, counted, instant, whole } from "./format.js";
import { table } from "./table.js";

export function planOf(plan) {
  const { model_days: days, prices } = plan;
  return [
    el("h2", {}, "Plan"),
    el("p", { class: "big" }, el("strong", {}, counted(days.to_run, "model-day")), el("span", { class: "faint" }, `to run of ${whole(plan.total_model_days)} requested`)),
    facts([
      ["Dates", `${plan.start_date} to ${plan.end_date}`],
      ["Market closed", days.market_closed ? whole(days.market_closed) : null],
      ["Completed already", days.already_completed ? whole(days.already_completed) : null],
      ["Prices incomplete", days.incomplete_prices ? whole(days.incomplete_prices) : null, "Days whose prices would be downloaded first, or are not there."],
      ["To download", prices.symbols ? `${counted(prices.symbols, "symbol")}, ${counted(prices.requests, "call")}` : "nothing"],
      ["Calls left", prices.budget_left === null || prices.budget_left === undefined || !prices.symbols ? null : whole(prices.budget_left)],
      ["Days of call quota", prices.windows ? whole(prices.windows) : null, "In how many windows of the quota the prices are there."],
      ["More calls", prices.budget_suffices === false && prices.budget_returns_at ? instant(prices.budget_returns_at) : null],
      ["Cost", plan.cost.total === null || plan.cost.total === undefined ? `at least ${cost(plan.cost.known)}` : cost(plan.cost.total), plan.cost.basis],
    ]),
    prices.outlook ? notice(prices.outlook, "warning") : "",
    plan.cost.reason ? el("p", { class: "fact" }, plan.cost.reason) : "",
    plan.cost.budget_suffices === false ? notice("The budget would not suffice.", "warning") : "",
    (plan.warnings ?? []).map((text) => notice(text, "warning")),
    table([{ name: "Model", head: true }, { name: "To run", figure: true }, { name: "First" }, { name: "Cost", figure: true }],
      plan.models.map((model) => ({ key: model.model, cells: [[model.model, model.trials > 1 ? el("span", { class: "faint" }, ` × ${model.trials}`) : ""], whole(model.model_days.to_run), model.first_date ?? "–",
        ["llm", "http"].includes(model.kind) ? cost(model.estimate?.cost?.total ?? null) : "none"] })), { caption: "What each model would run" }),
  ];
}
