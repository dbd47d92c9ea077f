// Dead letters: messages that a service could not handle.

import { get, post, query } from "./api.js";
import { el, empty, facts, heading, notice, patch, pill, title, trace } from "./dom.js";
import { instant, whole } from "./format.js";
import { once } from "./live.js";

export async function letters(place, { parameters, signal }) {
  title("Dead letters");
  const state = parameters.get("state") ?? "open";
  const list = el("div", {});
  const more = el("button", { type: "button", hidden: true }, "Older letters");
  place.append(...heading([], "Dead letters"), el("p", { class: "faint" }, "Messages that a service could not handle. They hold up nothing."),
    el("nav", { class: "tabs", "aria-label": "States" }, ["open", "replayed", "discarded"].map((name) => el("a", { href: `/board/dead-letters${query({ state: name })}`, "aria-current": name === state ? "true" : null }, name))),
    list, el("div", { class: "buttons" }, more));
  let found = [];
  const take = async (cursor) => {
    const page = await get(`/dead-letters${query({ state, limit: 20, cursor })}`, signal);
    found = cursor ? [...found, ...page.dead_letters] : page.dead_letters;
    more.hidden = page.next_cursor === null;
    more.onclick = () => take(page.next_cursor);
    patch(list, found.length ? found.map(letter) : empty(state === "open" ? "None. Every message was handled." : "None."));
  };
  list.addEventListener("click", async ({ target }) => {
    const { act, letter: id } = target.dataset ?? {};
    if (!act) return;
    const card = target.closest("article");
    for (const button of card.querySelectorAll("button")) button.disabled = true;
    const said = await post(`/dead-letters/${id}/${act}`).then((answer) => notice(`The letter is ${answer.state}.`), (error) => notice(error.message, "error"));
    await take();
    list.prepend(said);
  });
  await once(() => take(), signal);
}

function letter(row) {
  const button = (act, name, kind) => el("button", { type: "button", class: kind, "data-act": act, "data-letter": row.id }, name);
  return el("article", { class: "card", "data-key": row.id },
    el("div", { class: "title" }, el("h2", {}, `${row.id}. ${row.type ?? row.routing_key}`), pill(row.state),
      row.state === "open" ? el("div", { class: "buttons" }, button("replay", "Replay"), button("discard", "Discard", "danger")) : ""),
    el("p", { class: "trouble" }, row.reason),
    el("p", { class: "faint" }, row.queue ?? "unknown queue", ", ", instant(row.died_at)),
    el("details", {}, el("summary", {}, "Message"),
      facts([["Exchange", row.exchange], ["Routing key", row.routing_key], ["Message id", row.message_id ? el("span", { class: "id" }, row.message_id) : null],
        ["Trace", trace(row)], ["Replayed", row.replayed_at ? instant(row.replayed_at) : null], ["Discarded", row.discarded_at ? instant(row.discarded_at) : null], ["By", row.replayed_by ?? row.discarded_by]]),
      el("pre", { tabindex: "0" }, JSON.stringify(row.headers, null, 2)),
      el("pre", { tabindex: "0" }, pretty(row.body), row.body_truncated ? `\n… ${whole(row.body_bytes)} bytes` : "")));
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
