// The sources of prices with what is left of their call quotas, and how much is stored.

import { get, getIfAny, Problem } from "./api.js";
import { el, empty, facts, heading, notice, patch, title } from "./dom.js";
import { counted, instant, whole } from "./format.js";
import { keepFresh } from "./live.js";
import { table } from "./table.js";

export async function sources(place, { signal }) {
  title("Sources");
  const body = el("div", {});
  place.append(...heading([], "Sources of prices"), body);
  await keepFresh(async () => {
    const [known, coverage] = await Promise.all([getIfAny("/providers", signal), getIfAny("/prices/coverage?limit=1", signal).catch((error) => {
      if (error instanceof Problem) return null;
      throw error;
    })]);
    const given = known?.providers ?? [];
    patch(body, stored(coverage), given.length ? el("div", { class: "cards" }, given.map((one, place) => source(one, place, given))) : empty("No source is configured: prices are imported from files."));
  }, { signal });
}

function stored(coverage) {
  if (!coverage) return "";
  const { totals } = coverage;
  return el("section", { class: "card" }, facts([
    ["Stored", `${counted(totals.bars, "bar")} of ${counted(totals.symbols, "symbol")}`],
    ["Dates", coverage.start_date ? `${coverage.start_date} to ${coverage.end_date}` : null],
    ["Missing", totals.missing_sessions ? `${counted(totals.missing_sessions, "session")} of a symbol` : "nothing between the first and the last bar"],
    ["Known to be absent", totals.known_absent ? whole(totals.known_absent) : null],
  ]));
}

function source(one, place, all) {
  const others = all.some((other) => other.key_configured);
  return el("section", { class: "card", "data-key": one.name }, el("h2", {}, one.name.replaceAll("_", " "), el("span", { class: "tag" }, one.plan), place === 0 && all.length > 1 ? el("span", { class: "tag" }, "asked first") : ""),
    one.key_configured ? "" : notice("There is no key: nothing can be downloaded from here.", others ? "" : "warning"),
    one.refused_until ? notice(["Refuses calls until ", instant(one.refused_until), "."], "warning") : "",
    one.windows.length ? one.windows.map((window) => el("div", { class: "quota" },
      el("p", {}, el("strong", {}, `${whole(window.left)} left`), el("span", { class: "faint" }, ` of ${whole(window.limit)} ${window.counts === "distinct_symbols" ? "symbols" : "calls"} each ${window.per}`)),
      el("meter", { min: 0, max: window.limit, low: window.limit / 5, optimum: window.limit, value: window.left, "aria-label": `${one.name}: left of ${window.limit} each ${window.per}` }),
      window.resets_at ? el("p", { class: "faint" }, "More at ", instant(window.resets_at)) : "")) : el("p", { class: "faint" }, "No limit is known."));
}
