// Who did what: jobs, models and universes, imports of prices, dead letters; newest first.

import { get, getIfAny, Problem, query } from "./api.js";
import { el, empty, heading, notice, patch, path, title } from "./dom.js";
import { counted, instant, short } from "./format.js";
import { once } from "./live.js";
import { table } from "./table.js";

const MOST = 200;

export async function audit(place, { signal }) {
  title("Audit");
  const body = el("div", {});
  place.append(...heading([], "Audit"), el("p", { class: "faint" }, "Who did what: the name of the API token, or anonymous where none is needed."), body);
  await once(async () => {
    const refused = [];
    const allowed = (name, response) => response.catch((error) => {
      if (!(error instanceof Problem)) throw error;
      refused.push(`${name}: ${error.message}`);
      return null;
    });
    const [jobs, changes, imports, ...letters] = await Promise.all([get(`/jobs?limit=${MOST}`, signal), allowed("Models and universes", getIfAny(`/admin/changes?limit=${MOST}`, signal)), allowed("Imports", getIfAny(`/prices/imports?limit=100`, signal)),
      ...["replayed", "discarded"].map((state) => allowed(`Letters that were ${state}`, get(`/dead-letters?state=${state}&limit=100`, signal)))]);
    const done = [
      ...jobs.jobs.flatMap((job) => jobActs(job)),
      ...(changes?.changes ?? []).map((one) => ({ at: one.changed_at, who: one.changed_by, what: `${one.config_hash ? "stored" : "removed"} a ${one.kind}, version ${one.version}${one.origin === "api" ? "" : " from the file"}`,
        about: el("a", { href: `/board/models${query({ [one.kind]: one.name })}` }, one.name) })),
      ...(imports?.imports ?? []).map((one) => ({ at: one.imported_at, who: one.imported_by, what: `imported ${one.kind.replaceAll("_", " ")}`, about: `${counted(one.symbols, "symbol")}, ${one.from} to ${one.to}: ${counted(one.inserted, "new row")}, ${one.replaced} replaced` })),
      ...letters.flatMap((page) => page?.dead_letters ?? []).map((one) => ({ at: one.replayed_at ?? one.discarded_at, who: one.replayed_by ?? one.discarded_by, what: `${one.state} a dead letter`, about: `${one.id}: ${one.type ?? one.routing_key}` })),
    ].sort((a, b) => a.at < b.at ? 1 : -1).slice(0, MOST);
    patch(body, refused.map((text) => notice(text)), done.length ? table([{ name: "When" }, { name: "Who", head: true }, { name: "What" }, { name: "About", class: "grow" }],
      done.map((one) => ({ cells: [instant(one.at), one.who ?? el("span", { class: "faint" }, "not recorded"), one.what, one.about] })), { caption: "Who did what, newest first" }) : empty("Nothing yet."));
  }, signal);
}

function jobActs(job) {
  const about = [el("a", { class: "id", href: path("board", "jobs", job.job_id) }, short(job.job_id)), ` ${job.models.slice(0, 3).join(", ")}${job.models.length > 3 ? ` and ${job.models.length - 3} more` : ""}`];
  const begun = { at: job.created_at, who: job.requested_by, what: job.retry_of ? "retried a job" : "started a job", about };
  if (!job.cancelled_by) return [begun];
  return [begun, { at: job.completed_at ?? job.created_at, who: job.cancelled_by, what: "cancelled a job", about: [el("a", { class: "id", href: path("board", "jobs", job.job_id) }, short(job.job_id))] }];
}
