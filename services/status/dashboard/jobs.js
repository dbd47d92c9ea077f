// Jobs, newest first: filtered, counted by state, cancelled and retried together. Rows follow their jobs.

import { get, post, query } from "./api.js";
import { el, empty, heading, notice, patch, path, pill, title, visit } from "./dom.js";
import { counted, duration, instant, progressBar, short, warningsOf, whole } from "./format.js";
import { keepFresh } from "./live.js";
import { table } from "./table.js";

const PAGE = 100;
const STATES = ["running", "downloading_data", "pending", "completed", "partial", "failed", "cancelled"];
const ACTIVE = ["pending", "downloading_data", "running"];
const COLUMNS = [{ name: "Choose", unseen: true, class: "tick" }, { name: "Job", head: true }, { name: "State" }, { name: "Model-days", class: "grow" },
  { name: "Models" }, { name: "Accepted" }, { name: "Took", figure: true }];

export async function jobs(place, { parameters, signal }) {
  title("Jobs");
  const requested = Object.fromEntries(["status", "model", "experiment", "text"].map((name) => [name, parameters.get(name) ?? ""]));
  const known = new Map();
  const chosen = new Set();
  const changed = new Set();
  let states = {};
  let next = null;
  let asksAll = true;
  const said = el("div", { role: "status" });
  const tabs = el("nav", { class: "tabs", "aria-label": "States" });
  const acts = el("div", { class: "acts" });
  const list = el("div", {});
  const more = el("button", { type: "button", hidden: true, onclick: () => older() }, "Older jobs");
  place.append(...heading([], "Jobs"), filter(requested), tabs, said, acts, list, el("div", { class: "buttons" }, more));

  const page = (given) => get(`/jobs${query({ ...requested, limit: PAGE, ...given })}`, signal);
  const take = (found) => { for (const job of found) known.set(job.job_id, job); };

  /** The newest jobs, down to the first that is known: many may have been made at once. */
  async function newest() {
    let answer = await page({ counts: true });
    states = answer.states;
    const first = known.size === 0;
    for (;;) {
      const met = answer.jobs.some((job) => known.has(job.job_id));
      take(answer.jobs);
      if (first || met || answer.next_cursor === null) break;
      answer = await page({ cursor: answer.next_cursor });
    }
    if (first) next = answer.next_cursor;
  }

  async function older() {
    const answer = await page({ cursor: next });
    take(answer.jobs);
    next = answer.next_cursor;
    draw();
  }

  async function load() {
    const ids = [...changed].filter((id) => known.has(id));
    const all = asksAll || ids.length !== changed.size || requested.status;
    changed.clear();
    asksAll = false;
    try {
      if (all) {
        if (requested.status) known.clear();
        await newest();
      } else {
        states = (await page({ limit: 1, counts: true })).states;
      }
      const rest = all ? [...known.values()].filter((job) => ACTIVE.includes(job.status)).map((job) => job.job_id) : ids;
      for (let from = 0; from < rest.length; from += PAGE) {
        take((await get(`/jobs${query({ ids: rest.slice(from, from + PAGE).join(), limit: PAGE })}`, signal)).jobs);
      }
    } catch (error) {
      asksAll = true;
      throw error;
    }
    draw();
  }

  function draw() {
    const shown = [...known.values()].sort((a, b) => a.job_id < b.job_id ? 1 : -1);
    more.hidden = next === null;
    patch(tabs, [null, ...STATES].map((state) => {
      const count = state ? states[state] ?? 0 : Object.values(states).reduce((sum, one) => sum + one, 0);
      return el("a", { href: `/board/jobs${query({ ...requested, status: state })}`, "aria-current": (state ?? "") === requested.status ? "true" : null },
        state ? state.replaceAll("_", " ") : "all", el("span", { class: "count" }, whole(count)));
    }));
    if (!shown.length) {
      const filtered = Object.values(requested).some(Boolean);
      patch(list, empty(filtered ? "No job is like this." : "No job yet. Choose models and dates, see what it would take, and start it.",
        filtered ? el("a", { class: "button", href: "/board/jobs" }, "Show all jobs") : el("a", { class: "button primary", href: "/board/new" }, "New job")));
    } else {
      patch(list, table(COLUMNS, shown.map((job) => row(job, chosen.has(job.job_id))), { caption: "Jobs, newest first" }));
    }
    drawActs();
  }

  function drawActs() {
    const picked = [...chosen].map((id) => known.get(id)).filter(Boolean);
    const running = picked.filter((job) => ACTIVE.includes(job.status));
    const failed = picked.filter((job) => !ACTIVE.includes(job.status) && job.progress.failed);
    patch(acts, picked.length ? [
      el("span", {}, `${whole(picked.length)} chosen`),
      el("button", { type: "button", class: "danger", "data-act": "cancel", disabled: !running.length }, `Cancel ${whole(running.length)}`),
      el("button", { type: "button", "data-act": "retry", disabled: !failed.length }, `Retry failed days of ${whole(failed.length)}`),
      el("button", { type: "button", class: "quiet", "data-act": "none" }, "Choose none"),
    ] : []);
  }

  acts.addEventListener("click", async ({ target }) => {
    const act = target.dataset?.act;
    if (!act) return;
    const picked = [...chosen].map((id) => known.get(id)).filter(Boolean);
    const meant = picked.filter((job) => act === "cancel" ? ACTIVE.includes(job.status) : !ACTIVE.includes(job.status) && job.progress.failed);
    chosen.clear();
    const wrong = [];
    if (act !== "none") {
      for (const job of meant) await post(path("jobs", job.job_id, act)).catch((error) => wrong.push(`${short(job.job_id)}: ${error.message}`));
      const verb = act === "cancel" ? "cancelled" : "retried";
      patch(said, notice(`${counted(meant.length - wrong.length, "job")} ${verb}.`), wrong.map((text) => notice(text, "error")));
      asksAll = true;
      await load().catch(() => {});
    }
    for (const box of list.querySelectorAll("input:checked")) box.checked = false;
    draw();
  });
  list.addEventListener("change", ({ target }) => {
    if (target.checked) chosen.add(target.value);
    else chosen.delete(target.value);
    drawActs();
  });

  await keepFresh(load, { path: "/events", signal, event: ({ data }) => changed.add(data.job_id) });
}

function filter(requested) {
  const field = (name, label, wide) => el("label", { class: wide ? "wide" : null }, label,
    el("input", { name, type: name === "text" ? "search" : "text", value: requested[name] }));
  return el("form", { class: "filter", role: "search", onsubmit: (event) => {
    event.preventDefault();
    visit(`/board/jobs${query({ status: requested.status, ...Object.fromEntries(new FormData(event.target)) })}`);
  } }, field("text", "Search", true), field("model", "Model"), field("experiment", "Experiment"), el("button", { type: "submit" }, "Filter"));
}

function row(job, isChosen) {
  const { progress: { completed, failed, skipped, total_model_days: total } } = job;
  const { warnings, facts } = warningsOf(job);
  const models = job.models.slice(0, 2).join(", ") + (job.models.length > 2 ? ` and ${whole(job.models.length - 2)} more` : "");
  return {
    key: job.job_id,
    cells: [
      el("input", { type: "checkbox", value: job.job_id, "aria-label": `Choose job ${short(job.job_id)}`, checked: isChosen }),
      [el("a", { class: "id", href: path("board", "jobs", job.job_id), title: job.job_id }, short(job.job_id)),
        job.experiment === "default" ? null : el("span", { class: "tag" }, job.experiment)],
      pill(job.status),
      [el("div", { class: "days" }, progressBar(job.progress), el("span", { class: "faint" }, `${whole(completed)} of ${whole(total)}`,
        failed ? el("span", { class: "down" }, ` · ${whole(failed)} failed`) : "", skipped ? ` · ${whole(skipped)} skipped` : "")),
      job.error ? el("p", { class: "trouble" }, job.error) : null,
      warnings.length ? el("p", { class: "warned" }, warnings[0].text, warnings.length > 1 ? ` · and ${counted(warnings.length - 1, "more warning")}` : "") : null,
      facts.length ? el("p", { class: "fact" }, facts.map(({ text }) => text).join(" · ")) : null],
      models,
      instant(job.created_at),
      duration(job.total_duration_seconds),
    ],
  };
}
