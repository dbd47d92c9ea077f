// A model or a universe: its form, its versions, and its removal. Each change is a version of the API, and is audited.

import { get, Problem, put, remove } from "./api.js";
import { el, heading, path, pill, title, visit } from "./dom.js";
import { area, choice, complain, field, input, tick } from "./fields.js";
import { instant, whole } from "./format.js";
import { once } from "./live.js";
import { table } from "./table.js";

const LIST = "/board/models";
const DIALECTS = [["chat_completions", "chat completions"], ["messages", "messages (Anthropic)"], ["responses", "responses (OpenAI)"]];
/** The kinds with the members that have fields: name, label, hint, and how it is written. */
const KINDS = {
  policy: [["policy", "Policy", "Its name and parameters, such as {\"policy\": \"momentum\", \"lookback\": 20, \"top\": 5}; also buy_and_hold, equal_weight, random, cash.", "json"]],
  llm: [["base_url", "Address of the endpoint", "As its provider writes it, usually with /v1 at its end."], ["basemodel", "Its name at the endpoint"],
    ["dialect", "Protocol", null, "dialect"], ["api_key_env", "Variable of its key", "The variable of the executor that holds the key; the key itself is never stored here."]],
  http: [["url", "Address of the agent", "It gets a POST request for each step."]],
  recorded: [["decisions_csv", "Decisions", "Lines of model,date,sequence,action,symbol,quantity.", "text"]],
  mcp: [],
};
const COMMON = ["signature", "kind", "enabled", "initial_cash", "trials"];

/** The page of a model; of a new one without a name. */
export async function model(place, name, signal) {
  await page(place, name ?? "New model", signal, async () => {
    const found = name ? await get(path("models", name), signal) : null;
    const members = found?.members ?? { kind: "policy", policy: { policy: "equal_weight" } };
    const own = el("div", {});
    const kind = choice("kind", Object.keys(KINDS).map((one) => [one, one]), members.kind);
    const show = () => own.replaceChildren(...KINDS[kind.value].map((spec) => member(spec, members)));
    kind.addEventListener("change", show);
    show();
    const rest = Object.entries(members).filter(([member]) => !COMMON.includes(member) && !KINDS[members.kind].some(([own]) => own === member));
    const fields = [found ? "" : field("signature", "Name", input("signature", { required: true })), field("kind", "Kind", kind), own,
      el("div", { class: "pair" }, field("initial_cash", "Initial cash, $", input("initial_cash", { inputmode: "decimal", placeholder: "10000", value: members.initial_cash })),
        field("trials", "Trials", input("trials", { inputmode: "numeric", placeholder: "1", value: members.trials }), "Separate portfolios.")),
      field("rest", "Further members", area("rest", rest.length ? written(Object.fromEntries(rest)) : "", { rows: 3 }), "As JSON, such as {\"limits\": {\"max_steps\": 10}, \"prices\": {\"input\": \"1.25\", \"output\": \"10\"}}."),
      el("fieldset", {}, tick("enabled", "Enabled", "It runs when a job names no models.", members.enabled === true))];
    const why = found && !found.ready ? el("p", { class: "trouble" }, found.why) : "";
    return [found, why, form("models", "signature", found?.signature, found, fields, (data) => bodyOf(data))];
  });
}

/** The page of a universe; of a new one without a name. */
export async function universe(place, name, signal) {
  await page(place, name ?? "New universe", signal, async () => {
    const found = name ? await get(path("universes", name), signal) : null;
    const fields = [found ? "" : field("name", "Name", input("name", { required: true })),
      field("symbols", "Symbols", area("symbols", found?.symbols.join(", ") ?? "", { rows: 6 }), "Separated by blanks or commas."),
      field("benchmark", "Benchmark", input("benchmark", { value: found ? found.benchmark : null, placeholder: "none" }), "The fund that results are compared with.")];
    const body = (data) => ({ symbols: data.get("symbols").split(/[\s,]+/).filter(Boolean), benchmark: data.get("benchmark").trim() || null });
    return [found, "", form("universes", "name", found?.name, found, fields, body)];
  });
}

async function page(place, name, signal, load) {
  title(name);
  await once(async () => {
    const [found, why, content] = await load();
    const ready = found?.ready === undefined ? "" : found.ready ? pill("completed", "ready") : pill("failed", "not ready");
    place.replaceChildren(...heading([["Models", LIST]], name, ready), why, el("div", { class: "narrow" }, content),
      found ? el("section", {}, el("h2", {}, "Versions"), versions(found)) : "");
  }, signal);
}

function member([name, label, hint, how], members) {
  const value = members[name];
  if (how === "dialect") return field(name, label, choice(name, DIALECTS, value ?? DIALECTS[0][0]), hint);
  if (how === "json") return field(name, label, area(name, value ? written(value) : ""), hint);
  if (how === "text") return field(name, label, area(name, value ?? "", { rows: 8 }), hint);
  return field(name, label, input(name, { value }), hint);
}

const written = (value) => JSON.stringify(value, null, 2);

/** The members that the form says; those that are empty are left out. */
function bodyOf(data) {
  const text = (name) => (data.get(name) ?? "").trim();
  const object = (name) => {
    if (!text(name)) return undefined;
    try {
      const value = JSON.parse(text(name));
      if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
    } catch { /* is said below */ }
    throw invalid(name, "Write one JSON object: {\"name\": value, ...}.");
  };
  const kind = text("kind");
  const body = { ...object("rest"), kind, enabled: data.has("enabled") };
  for (const [name, , , how] of KINDS[kind]) body[name] = how === "json" ? object(name) : text(name) || undefined;
  if (text("initial_cash")) body.initial_cash = text("initial_cash");
  if (text("trials")) body.trials = /^\d+$/.test(text("trials")) ? Number(text("trials")) : text("trials");
  return body;
}

const invalid = (name, msg) => new Problem(422, { detail: msg, errors: [{ loc: ["body", name], msg }] });

/** The form of an entry of `list`, whose name is the member `key`. */
function form(list, key, name, found, fields, body) {
  const general = el("div", { role: "alert" });
  const save = el("button", { type: "submit", class: "primary" }, "Save");
  const gone = found?.origin === "api" ? el("button", { type: "button", class: "danger", "data-act": "remove" }, "Remove") : "";
  const from = found?.origin === "file" ? el("p", { class: "faint" }, "It comes from a file. What you save here counts in its place, until it is removed here.") : "";
  const element = el("form", { class: "new", novalidate: true }, from, fields, general, el("div", { class: "buttons" }, save, gone));
  const attempt = async (button, act) => {
    button.disabled = true;
    try {
      await act();
      return visit(LIST);
    } catch (error) {
      complain(element, general, error)?.focus();
    }
    button.disabled = false;
  };
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(save, async () => {
      const data = new FormData(element);
      const of = name ?? data.get(key).trim();
      if (!of) throw invalid(key, "Write a name.");
      await put(path(list, of), body(data));
    });
  });
  if (gone) gone.addEventListener("click", () => {
    if (gone.dataset.sure) return attempt(gone, () => remove(path(list, name)));
    gone.dataset.sure = true;
    gone.textContent = "Remove: are you sure?";
  });
  return element;
}

const versions = (found) => table([{ name: "Version", figure: true }, { name: "When" }, { name: "Who", head: true }, { name: "From" }, { name: "Configuration" }],
  found.versions.map((one) => ({ key: String(one.version), cells: [whole(one.version), instant(one.changed_at), one.changed_by, one.origin === "api" ? "API" : "file",
    one.config_hash ? el("span", { class: "id", title: one.config_hash }, one.config_hash.slice(0, 10)) : "removed"] })), { caption: "Versions, newest first" });
