// The configured models.

import { get, query } from "./api.js";
import { el, empty, heading, patch, title } from "./dom.js";
import { instant, money, whole } from "./format.js";
import { once } from "./live.js";
import { table } from "./table.js";

export async function models(place, { signal }) {
  title("Models");
  const body = el("div", {});
  place.append(...heading([], "Models"), body);
  await once(async () => {
    const { models: found } = await get("/models", signal);
    const told = found.some((one) => one.ready !== undefined);
    const columns = [{ name: "Model", head: true }, { name: "Kind" }, ...(told ? [{ name: "Ready" }] : []), { name: "Enabled" }, { name: "Trials", figure: true }, { name: "Initial cash", figure: true },
      { name: "Training cutoff" }, { name: "Configuration" }, { name: "Start", unseen: true }];
    patch(body, found.length ? table(columns, found.map((one) => ({ key: one.signature, cells: [
      [one.signature, one.origin === "api" ? el("span", { class: "tag", title: one.changed_at ?? "" }, "by API") : "", one.changed_at ? instant(one.changed_at) : ""],
      one.kind,
      ...(told ? [one.ready ? el("span", { class: "pill completed" }, "ready") : [el("span", { class: "pill failed" }, "not ready"), one.why ? el("p", { class: "trouble" }, one.why) : ""]] : []),
      one.enabled ? "yes" : el("span", { class: "faint" }, "when named"), whole(one.trials), `$${money(one.initial_cash)}`, one.training_cutoff ?? "–",
      el("span", { class: "id", title: one.config_hash }, one.config_hash.slice(0, 10)), el("a", { href: `/board/new${query({ model: one.signature })}`, "aria-label": `New job of ${one.signature}` }, "New job")] })), { caption: "Configured models" })
      : empty("No model is configured."), el("p", { class: "faint" }, "Models are entries of the file that MODELS_FILE names."));
  }, signal);
}
