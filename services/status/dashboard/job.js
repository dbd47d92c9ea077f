// One job: how far it is, phase by phase, what its portfolios are worth, its days, its failures by cause, its events.

import { get, post, query } from "./api.js";
import { chart } from "./chart.js";
import { lines } from "./curves.js";
import { el, facts, heading, notice, patch, path, pill, title, trace, visit } from "./dom.js";
import { eventLog } from "./events.js";
import { cost, counted, duration, instant, named, progressBar, short, warningsOf, whole } from "./format.js";
import { count, inWords, strip } from "./grid.js";
import { keepFresh } from "./live.js";
import { table } from "./table.js";

const ENDED = ["completed", "partial", "failed", "cancelled"];

export async function job(place, { path: [, id], signal }) {
  title(`Job ${short(id)}`);
  const of = path("jobs", id);
  const parts = Object.fromEntries(["head", "said", "summary", "failures", "days"].map((name) => [name, el("div", {})]));
  parts.said.setAttribute("role", "status");
  const equity = chart("Value", "Return since the first day shown, beside the benchmarks. The figures are on the leaderboard.");
  const charted = el("section", { hidden: true }, equity.figure);
  const lanes = new Map();
  const log = eventLog(of, signal);
  place.append(parts.head, parts.said, parts.summary, parts.failures, charted, parts.days, log.section);
  let completed = -1;

  async function load() {
    const [status, grid] = await Promise.all([get(`${of}?details=false`, signal), get(`${of}/grid`, signal)]);
    const failures = status.progress.failed ? await get(`${of}/failures`, signal) : { failures: [] };
    patch(parts.head, heading([["Jobs", "/board/jobs"]], ["Job ", el("span", { class: "id" }, short(id))], pill(status.status), actions(status)));
    patch(parts.summary, summary(status));
    patch(parts.failures, byCause(id, failures.failures));
    days(grid, status);
    if (status.progress.completed !== completed) await curves(status);
    completed = status.progress.completed;
  }

  async function curves(status) {
    if (!status.progress.completed) return;
    const answer = await get(`/leaderboard/curves${query({ job_id: id, points: 500 })}`, signal);
    if (answer.dates.length < 2) return;
    charted.hidden = false;
    // A chart of very many lines says nothing: the first are drawn.
    const benchmarks = answer.curves.filter(({ kind }) => kind === "benchmark");
    const models = answer.curves.filter(({ kind }) => kind === "model").slice(0, 12);
    await equity.draw(() => [lines({ ...answer, curves: [...models, ...benchmarks] }), { percent: true, height: 280 }]);
  }

  function days(grid, status) {
    const { dates } = grid;
    if (!grid.lanes.length) return;
    const rows = grid.lanes.map((lane) => {
      const key = `${lane.model} ${lane.trial}`;
      if (!lanes.has(key)) lanes.set(key, strip(id, dates, lane));
      lanes.get(key).update(lane.states);
      const letters = count(lane.states);
      return el("li", { class: "lane", "data-key": key },
        el("a", { class: "name", href: `${path("board", "portfolios", status.experiment, lane.model)}${query({ trial: lane.trial || null })}` }, named(lane.model, lane.trial)),
        lanes.get(key).link,
        el("span", { class: "done", title: inWords(lane.states) }, `${whole(letters.c ?? 0)} done`,
          letters.f ? el("span", { class: "down" }, ` · ${whole(letters.f)} failed`) : "",
          (letters.h ?? 0) + (letters.a ?? 0) + (letters.s ?? 0) ? ` · ${whole((letters.h ?? 0) + (letters.a ?? 0) + (letters.s ?? 0))} skipped` : ""));
    });
    patch(parts.days, el("section", {}, el("h2", {}, "Days"),
      el("p", { class: "faint" }, `${counted(grid.total_lanes, "portfolio")}, ${dates[0]} to ${dates.at(-1)}. Choose a square, or move along a row with the arrow keys, and open its day.`),
      el("ul", { class: "lanes", "data-key": "lanes" }, rows), key(),
      grid.next_after === null ? "" : notice(`The first ${whole(grid.lanes.length)} of ${counted(grid.total_lanes, "portfolio")} are shown.`)));
  }

  function actions(status) {
    const kind = !ENDED.includes(status.status) ? "cancel" : status.progress.failed ? "retry" : null;
    return kind ? el("div", { class: "buttons", "data-key": kind }, el("button", { type: "button", class: kind === "cancel" ? "danger" : null, "data-act": kind },
      kind === "cancel" ? "Cancel" : "Retry failed days")) : null;
  }

  parts.head.addEventListener("click", async ({ target }) => {
    const act = target.dataset?.act;
    if (!act) return;
    target.disabled = true;
    try {
      const answer = await post(`${of}/${act}`);
      if (answer.job_id && answer.job_id !== id) return visit(path("board", "jobs", answer.job_id));
      patch(parts.said, notice("The job is being cancelled."));
      await load();
    } catch (error) {
      patch(parts.said, notice(error.message, "error"));
    }
    target.disabled = false;
  });

  await keepFresh(load, { path: `${of}/events`, signal, event: log.add });
}

function phase(name, state, detail) {
  return el("li", { class: state }, el("span", { class: "dot", "aria-hidden": "true" }), el("span", {}, el("strong", {}, name), el("span", { class: "faint" }, detail)));
}

function phases(status) {
  const ended = ENDED.includes(status.status);
  const { download, progress } = status;
  const begun = progress.completed + progress.failed + progress.running > 0;
  const prices = status.waiting ? `waits until ${status.waiting.until}`
    : download ? `${whole(download.symbols_done)} of ${counted(download.symbols_total, "symbol")}${download.budget === null ? "" : `, ${counted(download.budget, "call")} left`}`
      : "all stored";
  const fetched = !download || download.symbols_done >= download.symbols_total;
  const open = progress.pending + progress.running;
  return el("ol", { class: "phases" },
    phase("Accepted", "past", ""),
    phase("Prices", status.status === "downloading_data" ? "now" : begun || ended || fetched ? "past" : "next", prices),
    phase("Days", ended ? "past" : begun || status.status === "running" ? "now" : "next", open && !ended ? `${whole(open)} to go` : counted(progress.completed, "completed", "completed")),
    phase(ended ? status.status.replace(/^./, (first) => first.toUpperCase()) : "Ended", ended ? `past ${status.status}` : "next", ended ? duration(status.total_duration_seconds) : ""));
}

function summary(status) {
  const { progress: counts, date_range: dates, usage } = status;
  const { warnings, facts: plain } = warningsOf(status);
  const shown = ["completed", "running", "pending", "failed", "skipped"].filter((name) => counts[name] || name === "completed");
  return [
    el("section", { class: "card" }, phases(status), progressBar(counts),
      el("p", { class: "numbers" }, shown.map((name) => el("span", { class: `key ${name}` }, `${whole(counts[name])} ${name}`)),
        el("span", { class: "faint" }, `of ${counted(counts.total_model_days, "model-day")}`)),
      facts([
        ["Dates", dates.length ? `${dates[0]} to ${dates.at(-1)}` : null],
        ["Experiment", el("a", { href: `/board/leaderboard${query({ experiment: status.experiment })}` }, status.experiment)],
        ["Priority", status.priority === "normal" ? null : status.priority, "Which jobs go first while more lanes are ready than can run."],
        ["Accepted", instant(status.created_at)],
        ["Requested by", status.requested_by],
        ["Cancelled by", status.cancelled_by],
        ["Retry of", status.retry_of ? el("a", { class: "id", href: path("board", "jobs", status.retry_of) }, short(status.retry_of)) : null],
        ["Cost", usage ? cost(usage.cost) : null, "What its agents cost; a dash where that is not known."],
        ["Tokens", usage ? whole(usage.prompt_tokens + usage.completion_tokens) : null],
        ["Stale days", status.stale_days ? whole(status.stale_days) : null, "Days that rest on days or prices that were replaced since."],
        ["Trace", trace(status)],
        ["Id", el("span", { class: "id" }, status.job_id)],
      ]),
      plain.length ? el("p", { class: "fact" }, plain.map(({ text }) => text).join(" · ")) : ""),
    status.waiting ? notice(status.waiting.message, "warning") : "",
    (status.paused ?? []).map(({ message }) => notice(message, "warning")),
    status.error ? notice(status.error, "error") : "",
    warnings.map(({ text }) => notice(text, "warning")),
  ];
}

function byCause(id, failures) {
  if (!failures.length) return [];
  return el("section", {}, el("h2", {}, "Failures by cause"), table(
    [{ name: "Days", figure: true }, { name: "Cause", head: true, class: "grow" }, { name: "Models" }, { name: "Dates" }],
    failures.map((one, place) => ({ key: `cause ${place}`, cells: [
      whole(one.days),
      el("a", { href: `${path("board", "jobs", id, one.model, one.first_date)}${query({ trial: one.trial || null })}` }, one.error || "no reason was given"),
      one.models.slice(0, 3).join(", ") + (one.models.length > 3 ? ` and ${one.models.length - 3} more` : ""),
      one.first_date === one.last_date ? one.first_date : `${one.first_date} to ${one.last_date}`] })), { caption: "Failed days by cause" }));
}

const key = () => el("p", { class: "numbers faint" }, [["completed", "completed"], ["failed", "failed"], ["running", "running"], ["pending", "pending"],
  ["skipped", "skipped"], ["closed", "market closed"], ["earlier", "completed earlier"]].map(([kind, text]) => el("span", { class: `key ${kind}` }, text)));
