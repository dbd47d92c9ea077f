// The models that jobs may name, and the universes that they may trade.

import { get, query } from "./api.js";
import { el, empty, heading, patch, title } from "./dom.js";
import { model, universe } from "./entries.js";
import { counted, money, whole } from "./format.js";
import { once } from "./live.js";
import { table } from "./table.js";

export async function models(place, { parameters, signal }) {
  if (parameters.has("model") || parameters.get("new") === "model") return model(place, parameters.get("model"), signal);
  if (parameters.has("universe") || parameters.get("new") === "universe") return universe(place, parameters.get("universe"), signal);
  title("Models");
  const body = el("div", {});
  place.append(...heading([], "Models", el("div", { class: "buttons" }, add("model"), add("universe"))), body);
  await once(async () => {
    const [{ models: found }, { universes }] = await Promise.all([get("/models", signal), get("/universes", signal)]);
    patch(body, found.length ? modelTable(found) : empty("No model is configured."),
      el("p", { class: "faint" }, "Models are entries of the file that MODELS_FILE names, or are stored here and by PUT /models/NAME. A name opens its entry."),
      universes.length ? [el("h2", {}, "Universes"), universeTable(universes)] : "");
  }, signal);
}

const add = (what) => el("a", { class: "button", href: `/board/models${query({ new: what })}` }, `New ${what}`);
const entry = (what, name) => el("a", { href: `/board/models${query({ [what]: name })}` }, name);
const origin = (one) => one.origin === "api" ? el("span", { class: "tag" }, `by API, version ${whole(one.version)}`) : "";
const hash = (one) => one.config_hash ? el("span", { class: "id", title: one.config_hash }, one.config_hash.slice(0, 10)) : "–";

function modelTable(found) {
  const columns = [{ name: "Model", head: true }, { name: "Kind" }, { name: "Ready" }, { name: "Enabled" }, { name: "Trials", figure: true },
    { name: "Initial cash", figure: true }, { name: "Training cutoff" }, { name: "Configuration" }, { name: "Start", unseen: true }];
  const ready = (one) => one.ready ? el("span", { class: "pill completed" }, "ready")
    : [el("span", { class: "pill failed" }, "not ready"), one.why ? el("p", { class: "trouble" }, one.why) : ""];
  return table(columns, found.map((one) => ({ key: one.signature, cells: [
    [entry("model", one.signature), origin(one)], one.kind, ready(one), one.enabled ? "yes" : el("span", { class: "faint" }, "only when named"),
    whole(one.trials), `$${money(one.initial_cash)}`, one.training_cutoff ?? "–", hash(one),
    el("a", { href: `/board/new${query({ model: one.signature })}`, "aria-label": `New job of ${one.signature}` }, "New job")] })), { caption: "Models" });
}

function universeTable(found) {
  return table([{ name: "Universe", head: true }, { name: "Symbols", class: "grow" }, { name: "Benchmark" }, { name: "Configuration" }],
    found.map((one) => ({ key: one.name, cells: [[entry("universe", one.name), one.is_default ? el("span", { class: "tag" }, "default") : "", origin(one)],
      [counted(one.symbols.length, "symbol"), el("span", { class: "faint" }, ` ${one.symbols.slice(0, 8).join(", ")}${one.symbols.length > 8 ? ", …" : ""}`)],
      one.benchmark ?? "–", hash(one)] })), { caption: "Universes" });
}
