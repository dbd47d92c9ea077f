// The last events of a job.

import { get } from "./api.js";
import { el, patch } from "./dom.js";
import { clock, named } from "./format.js";

const LINES = 30;

export function eventLog(of, signal) {
  const events = [];
  const list = el("ol", { class: "log" });
  const section = el("details", { class: "events" }, el("summary", {}, "Events"), list);

  function draw() {
    if (section.open) patch(list, events.map(line));
  }
  section.addEventListener("toggle", async () => {
    if (section.open && !events.length) {
      const page = await get(`${of}/events?brief=true&limit=${LINES}`, signal).catch(() => ({ events: [] }));
      for (const event of page.events) put({ id: event.number, type: event.type, data: event.data, at: new Date(event.time) });
    }
    draw();
  });
  const put = (event) => {
    events.unshift(event);
    events.length = Math.min(events.length, LINES);
  };
  return {
    section,
    add: (event) => {
      put({ ...event, at: new Date() });
      draw();
    },
  };
}

function line({ id, type, data: { key }, at }) {
  const about = key ? `${named(key.model, key.trial)} on ${key.trading_date}` : "";
  return el("li", { "data-key": id }, el("span", { class: "faint" }, `${id} · ${clock(at)}`), " ",
    type.replace(/^modelday\./, "").replace(/\.v\d+$/, "").replace("_", "-").replaceAll(".", " "), about ? `: ${about}` : "");
}
