// For operators: dead letters, and the rest of the price providers' call quotas.

import { get, post, Problem, query } from "./api.js";
import { el, instant, notice, pill, table, whole } from "./dom.js";

export async function operation(place, { parameters, signal }) {
  document.title = "Operation - Modelday";
  const budgets = el("section", {});
  const letters = el("section", {});
  place.append(el("h1", {}, "Operation"), budgets, letters);
  const results = await Promise.allSettled([
    providers(budgets, signal),
    deadLetters(letters, parameters.get("letters") ?? "open", signal),
  ]);
  const failed = results.find(({ status }) => status === "rejected");
  if (failed) throw failed.reason;
}

async function providers(place, signal) {
  let answer;
  try {
    answer = await get("providers", signal);
  } catch (error) {
    // A deployment without the service that has them shows nothing here.
    if (error instanceof Problem && error.status === 404) return;
    if (error instanceof Problem) return place.append(el("h2", {}, "Price providers"), notice(error.message, "error"));
    throw error;
  }
  place.append(el("h2", {}, "Price providers"), ...answer.providers.map((provider) => el("div", { class: "card" },
    el("h3", {}, provider.name.replaceAll("_", " "), el("span", { class: "faint" }, ` ${provider.plan}`)),
    provider.key_configured ? "" : notice("There is no key: nothing can be downloaded from here.", answer.providers.some((other) => other.key_configured) ? "" : "warning"),
    provider.refused_until ? notice(`Refuses calls until ${provider.refused_until}.`, "warning") : "",
    provider.windows.length ? table(
      [{ name: "Each" }, { name: "Left", figure: true }, { name: "Limit", figure: true }, { name: "More at" }],
      provider.windows.map((window) => ({ cells: [
        [window.per, window.counts === "distinct_symbols" ? el("span", { class: "faint" }, " (symbols)") : ""],
        whole(window.left), whole(window.limit), instant(window.resets_at)] })),
      `Budget of ${provider.name}`) : el("p", { class: "faint" }, "No limit is known."))));
}

async function deadLetters(place, state, signal) {
  const tabs = el("nav", { class: "tabs", "aria-label": "Dead letters" }, ["open", "replayed", "discarded"].map((name) =>
    el("a", { href: `#/operation?letters=${name}`, "aria-current": name === state ? "true" : null }, name)));
  const list = el("div", {});
  const more = el("button", { type: "button", hidden: true }, "Older letters");
  place.append(el("h2", {}, "Dead letters"), el("p", { class: "faint" }, "Messages that a service could not handle. They hold up nothing."),
    tabs, list, el("div", { class: "buttons" }, more));

  async function load(cursor) {
    const page = await get(`dead-letters${query({ state, limit: 20, cursor })}`, signal);
    list.append(...page.dead_letters.map(letter));
    if (!list.childElementCount) list.append(notice(state === "open" ? "None. Good." : "None."));
    more.hidden = page.next_cursor === null;
    more.onclick = () => load(page.next_cursor);
  }
  try {
    await load();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    list.append(notice(error.message, "error"));
  }
}

function letter(row) {
  const said = el("div", { role: "status" });
  const state = el("span", {}, pill(row.state));
  const buttons = el("div", { class: "buttons" });
  const act = (action) => async () => {
    for (const button of buttons.children) button.disabled = true;
    try {
      const answer = await post(`dead-letters/${row.id}/${action}`);
      state.replaceChildren(pill(answer.state));
      buttons.remove();
      said.replaceChildren();
    } catch (error) {
      said.replaceChildren(notice(error.message, "error"));
      for (const button of buttons.children) button.disabled = false;
    }
  };
  if (row.state === "open") {
    buttons.append(el("button", { type: "button", onclick: act("replay") }, "Replay"),
      el("button", { type: "button", class: "danger", onclick: act("discard") }, "Discard"));
  }
  const fact = (name, value) => value === null ? [] : [el("dt", {}, name), el("dd", {}, value)];
  return el("article", { class: "card letter" },
    el("div", { class: "title" }, el("h3", {}, `${row.id}. ${row.type ?? row.routing_key}`), state, buttons),
    el("p", { class: "trouble" }, row.reason),
    said,
    el("p", { class: "faint" }, row.queue ?? "unknown queue", ", ", instant(row.died_at)),
    el("details", {}, el("summary", {}, "Message"),
      el("dl", {}, fact("Exchange", row.exchange), fact("Routing key", row.routing_key), fact("Message id", row.message_id),
        fact("Settled", row.replayed_at || row.discarded_at ? instant(row.replayed_at ?? row.discarded_at) : null),
        fact("By", row.replayed_by ?? row.discarded_by)),
      el("pre", {}, JSON.stringify(row.headers, null, 2)),
      el("pre", {}, pretty(row.body), row.body_truncated ? `\n… ${whole(row.body_bytes)} bytes` : "")));
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
