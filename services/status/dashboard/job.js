// One job: its progress, model by model, and its actions.

import { follow, get, post, Problem } from "./api.js";
import { clock, duration, el, gently, instant, notice, pill, progress, svg, table, whole } from "./dom.js";
import { short } from "./jobs.js";

const LINES = 15;
const ENDED = ["completed", "partial", "failed", "cancelled"];

export async function job(place, { rest: [id], signal, tell }) {
  document.title = `Job ${short(id)} - Modelday`;
  const head = el("div", {});
  const said = el("div", { role: "status" });
  const facts = el("div", {});
  const days = el("div", {});
  const log = el("ol", { class: "log" });
  const logged = el("section", { hidden: true }, el("h2", {}, "What happens"), log);
  place.append(head, said, facts, days, logged);
  let answered = "";

  async function load() {
    const status = await get(`jobs/${encodeURIComponent(id)}`, signal);
    const answer = JSON.stringify(status);
    if (answer === answered) return;
    answered = answer;
    draw(status);
  }

  function draw(status) {
    // A button with the same action keeps its element, so that a click during an update is not lost.
    const offered = `${status.status} ${status.progress.failed > 0}`;
    if (offered !== head.dataset.offered) head.replaceChildren(
      el("p", { class: "crumb" }, el("a", { href: "#/jobs" }, "Jobs")),
      el("div", { class: "title" }, el("h1", {}, "Job ", el("span", { class: "id" }, short(id))), pill(status.status), actions(status)),
    );
    head.dataset.offered = offered;
    facts.replaceChildren(...summary(status));
    days.replaceChildren(...models(status));
  }

  function actions(status) {
    const act = (verb, action) => async (event) => {
      const button = event.currentTarget;
      button.disabled = true;
      try {
        const answer = await post(`jobs/${encodeURIComponent(id)}/${action}`);
        if (answer.job_id && answer.job_id !== id) location.hash = `#/jobs/${answer.job_id}`;
        else said.replaceChildren(notice(verb));
        await load();
      } catch (error) {
        said.replaceChildren(notice(error.message, "error"));
      }
      button.disabled = false;
    };
    const buttons = [];
    if (!ENDED.includes(status.status)) {
      buttons.push(el("button", { type: "button", class: "danger", onclick: act("The job is being cancelled.", "cancel") }, "Cancel"));
    } else if (status.progress.failed) {
      buttons.push(el("button", { type: "button", onclick: act("A new job runs the failed days.", "retry") }, "Retry failed days"));
    }
    return el("div", { class: "buttons" }, buttons);
  }

  const refresh = gently(async () => {
    try {
      await load();
    } catch (error) {
      if (error instanceof Problem) said.replaceChildren(notice(error.message, "error"));
    }
  }, signal);

  await load();
  await follow(`jobs/${encodeURIComponent(id)}/events`, {
    open: () => {
      tell("live");
      refresh();
    },
    lost: () => tell("lost"),
    event: (event) => {
      logged.hidden = false;
      log.prepend(line(event));
      while (log.childElementCount > LINES) log.lastElementChild.remove();
      refresh();
    },
  }, signal);
  if (signal.aborted) return;
  tell(null);
  refresh();
}

function summary(status) {
  const { progress: counts } = status;
  const dates = status.date_range;
  const fact = (name, value) => value === null || value === undefined ? [] : [el("dt", {}, name), el("dd", {}, value)];
  const numbers = ["completed", "running", "pending", "failed", "skipped"].filter((name) => counts[name] || name === "completed");
  return [
    el("section", { class: "card" },
      progress(counts),
      el("p", { class: "numbers" }, numbers.map((name) =>
        el("span", { class: `key ${name}` }, `${whole(counts[name])} ${name}`)), el("span", { class: "faint" }, `of ${whole(counts.total_model_days)} model-days`)),
      el("dl", {},
        fact("Dates", dates.length ? `${dates[0]} to ${dates.at(-1)}` : null),
        fact("Experiment", status.experiment),
        fact("Retry of", status.retry_of ? el("a", { href: `#/jobs/${status.retry_of}`, class: "id" }, short(status.retry_of)) : null),
        fact("Accepted", instant(status.created_at)),
        fact("Requested by", status.requested_by),
        fact("Cancelled by", status.cancelled_by),
        fact("Ended", status.completed_at ? instant(status.completed_at) : null),
        fact("Took", status.completed_at ? duration(status.total_duration_seconds) : null),
        fact("Waits for", status.waiting_for),
        fact("Prices", status.download ? `${whole(status.download.symbols_done)} of ${whole(status.download.symbols_total)} symbols` : null),
        fact("Stale days", status.stale_days || null),
        fact("Trace", status.trace_id ? el("span", { class: "id" }, status.trace_id) : null),
        fact("Id", el("span", { class: "id" }, status.job_id)))),
    status.waiting ? notice(status.waiting.message, "warning") : "",
    status.error ? notice(status.error, "error") : "",
    ...(status.warnings ?? []).map((text) => notice(text, "warning")),
  ];
}

function models(status) {
  const lanes = new Map();
  for (const day of status.details) {
    const name = day.trial ? `${day.model}, trial ${day.trial}` : day.model;
    if (!lanes.has(name)) lanes.set(name, []);
    lanes.get(name).push(day);
  }
  if (!lanes.size) return [];
  const rows = [...lanes].map(([name, days]) => {
    const count = (state) => days.filter((day) => day.status === state).length;
    const done = days.length - count("pending") - count("running");
    return { cells: [name, strip(name, days), `${whole(done)} of ${whole(days.length)}`, whole(count("failed"))] };
  });
  const failed = status.details.filter((day) => day.status === "failed");
  return [
    el("h2", {}, "Models"),
    table([{ name: "Model" }, { name: "Days" }, { name: "Done", figure: true }, { name: "Failed", figure: true }], rows, "Progress of each model"),
    status.details_next ? notice(`The first ${whole(status.details.length)} model-days are shown.`) : "",
    failed.length ? el("section", {}, el("h2", {}, "Failed days"), table(
      [{ name: "Date" }, { name: "Model" }, { name: "Why" }],
      failed.slice(0, 100).map((day) => ({ cells: [day.date, day.model, day.error ?? ""] })), "Failed days")) : "",
  ];
}

/** A model's days as squares in the colour of their state. */
function strip(name, days) {
  const perRow = 31, side = 10, step = 12;
  const width = Math.min(days.length, perRow) * step, height = Math.ceil(days.length / perRow) * step;
  const counts = {};
  for (const { status } of days) counts[status] = (counts[status] ?? 0) + 1;
  const label = Object.entries(counts).map(([state, count]) => `${count} ${state}`).join(", ");
  return svg("svg", { class: "strip", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${name}: ${label}` },
    days.map((day, place) => svg("rect", {
      class: day.status, x: place % perRow * step, y: Math.floor(place / perRow) * step, width: side, height: side, rx: 2,
    }, svg("title", {}, `${day.date}: ${day.status}${day.error ? `, ${day.error}` : ""}`))));
}

function line({ id, type, data }) {
  const key = data.key;
  const about = key ? `${key.model}${key.trial ? `, trial ${key.trial}` : ""} on ${key.trading_date}`
    : data.model ?? "";
  return el("li", {}, el("span", { class: "faint" }, `${id} · ${clock(new Date())}`), " ",
    type.replace(/^modelday\./, "").replace(/\.v\d+$/, "").replace("_", "-").replaceAll(".", " "), about ? `: ${about}` : "");
}
