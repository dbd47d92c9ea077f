// All jobs, newest first; each row follows its job.

import { follow, get, jobOf, query } from "./api.js";
import { duration, el, gently, instant, notice, pill, progress, redraw, table, tableRow, whole } from "./dom.js";

const PAGE = 20;
const COLUMNS = [{ name: "Job" }, { name: "State" }, { name: "Model-days" }, { name: "Models" }, { name: "Accepted" },
  { name: "Took", figure: true }];

export async function jobs(place, { signal, tell }) {
  const known = new Map();
  const changed = new Set();
  let next = null;
  let drawn = null;
  const list = el("div", { "aria-live": "off" });
  const more = el("button", { type: "button", hidden: true, onclick: () => load(next) }, "Older jobs");
  place.append(el("h1", {}, "Jobs"), list, el("div", { class: "buttons" }, more));

  async function load(cursor) {
    const page = await get(`jobs${query({ limit: PAGE, cursor })}`, signal);
    for (const job of page.jobs) known.set(job.job_id, job);
    if (cursor || next === null) next = page.next_cursor;
    more.hidden = next === null;
    draw();
  }

  function draw() {
    const newest = [...known.values()].sort((a, b) => a.job_id < b.job_id ? 1 : -1);
    if (!newest.length) {
      list.replaceChildren(notice("No job yet. Start one with POST /simulate/trigger or `modelday run`; it shows here at once."));
      return;
    }
    const order = newest.map((job) => job.job_id).join();
    if (order !== drawn) {
      redraw(list, table(COLUMNS, newest.map(row), "Jobs, newest first"));
      drawn = order;
      return;
    }
    // The link keeps its element, so that a click during an update is not lost.
    const rows = list.querySelectorAll("tbody tr");
    newest.forEach((job, place) => {
      const [first] = rows[place].children;
      const [, ...rest] = tableRow(COLUMNS, row(job)).children;
      rows[place].replaceChildren(first, ...rest);
    });
  }

  const refresh = gently(async () => {
    const ids = [...changed];
    changed.clear();
    try {
      // A new job is on the first page; for many changed jobs, one page is cheaper than one request each.
      if (ids.length > 5 || ids.some((id) => !known.has(id))) await load();
      else for (const id of ids) known.set(id, await get(`jobs/${id}?details=false`, signal));
      draw();
    } catch (error) {
      if (!signal.aborted) for (const id of ids) changed.add(id);
    }
  }, signal);

  await load();
  await follow("events", {
    open: () => {
      tell("live");
      for (const [id, job] of known) if (!job.completed_at) changed.add(id);
      changed.add("");
      refresh();
    },
    lost: () => tell("lost"),
    event: (event) => {
      changed.add(jobOf(event));
      refresh();
    },
  }, signal);
}

function row(job) {
  const { progress: { completed, failed, skipped, total_model_days: total } } = job;
  const told = [];
  if (job.error) told.push(el("p", { class: "trouble" }, job.error));
  if (job.warnings) told.push(el("p", { class: "warned" }, job.warnings[0],
    job.warnings.length > 1 ? ` (and ${job.warnings.length - 1} more)` : ""));
  const models = job.models.slice(0, 3).join(", ") + (job.models.length > 3 ? ` and ${job.models.length - 3} more` : "");
  return {
    cells: [
      [el("a", { class: "id", href: `#/jobs/${job.job_id}`, title: job.job_id }, short(job.job_id)),
        job.experiment === "default" ? null : el("span", { class: "faint" }, ` ${job.experiment}`)],
      pill(job.status),
      [progress(job.progress), el("span", { class: "faint" },
        `${whole(completed)} of ${whole(total)}`, failed ? `, ${whole(failed)} failed` : "",
        skipped ? `, ${whole(skipped)} skipped` : ""), told],
      models,
      instant(job.created_at),
      duration(job.total_duration_seconds),
    ],
  };
}

/** The end of an id: the beginning is the time, which is alike for jobs started together. */
export const short = (id) => `…${id.slice(-8)}`;
