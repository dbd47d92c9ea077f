// A new job: models, dates, what may be traded, options; with the plan of it beside, and what is wrong at its field.

import { Away, get, post, Problem } from "./api.js";
import { el, heading, notice, patch, path, title, visit } from "./dom.js";
import { choice, complain, field, input, wrong } from "./fields.js";
import { away, once } from "./live.js";
import { planOf } from "./plan.js";

const WAIT = 400;
const PRIORITIES = [["high", "high"], ["normal", "normal"], ["low", "low"]];
const OPTIONS = [
  ["replace_existing", "Run completed days again", "And replace their results."],
  ["reprocess_stale", "Reprocess stale days", "Days that rest on days or prices that were replaced since."],
  ["wait_for_data", "Wait for prices", "When the call quota is used up, instead of leaving dates out."],
];

export async function newJob(place, { parameters, signal }) {
  title("New job");
  await once(async () => {
    const [models, universes, known] = await Promise.all([get("/models", signal), get("/universes", signal), get("/experiments", signal)]);
    place.replaceChildren(...heading([["Jobs", "/board/jobs"]], "New job"));
    place.append(build(models.models, universes.universes, known.experiments, parameters, signal));
  }, signal);
}

function build(models, universes, known, parameters, signal) {
  const plan = el("div", { class: "plan", "aria-live": "polite" });
  const general = el("div", { role: "alert" });
  const start = el("button", { type: "submit", class: "primary" }, "Start the job");
  const form = el("form", { class: "new", novalidate: true }, fields(models, universes, known, parameters), general, el("div", { class: "buttons" }, start));
  let newest = 0;
  let timer = null;

  function request() {
    const data = new FormData(form);
    const text = (name) => data.get(name)?.trim() ?? "";
    const body = { models: data.getAll("models"), end_date: text("end_date") };
    if (text("start_date")) body.start_date = text("start_date");
    if (text("experiment")) body.experiment = text("experiment");
    if (text("budget")) body.budget = text("budget");
    if (text("priority") !== "normal") body.priority = text("priority");
    if (data.get("on_failure") === "stop") body.on_failure = "stop";
    for (const [name] of OPTIONS) if (data.has(name)) body[name] = true;
    if (text("symbols")) body.symbols = text("symbols").split(/[\s,]+/).filter(Boolean);
    else if (text("universe")) body.universe = text("universe");
    return body;
  }

  async function preview() {
    const body = request();
    const number = newest += 1;
    if (!body.models.length) return patch(plan, el("h2", {}, "Plan"), el("p", { class: "faint" }, "Choose at least one model."));
    if (!body.end_date) return patch(plan, el("h2", {}, "Plan"), el("p", { class: "faint" }, "Choose the last date."));
    plan.setAttribute("aria-busy", "true");
    try {
      const answer = await post("/simulate/plan", body, signal);
      if (number !== newest) return;
      complain(form, general, null);
      patch(plan, planOf(answer));
    } catch (error) {
      if (signal.aborted || number !== newest) return;
      if (error instanceof Problem) {
        complain(form, general, error);
        patch(plan, el("h2", {}, "Plan"), el("p", { class: "faint" }, "There is no plan until the request is right."));
      } else if (error instanceof Away) {
        await away(signal);
        preview();
      } else throw error;
    }
    plan.removeAttribute("aria-busy");
  }

  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(preview, WAIT);
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = request();
    if (!body.models.length) return patch(general, notice("Choose at least one model.", "error"));
    start.disabled = true;
    try {
      const { job_id: id } = await post("/simulate/trigger", body);
      return visit(path("board", "jobs", id));
    } catch (error) {
      complain(form, general, error)?.focus();
    }
    start.disabled = false;
  });
  preview();
  return el("div", { class: "beside" }, form, plan);
}

function fields(models, universes, known, parameters) {
  const named = parameters.getAll("model");
  const model = (one) => {
    const ready = one.ready !== false;
    return el("label", { class: ready ? "choice" : "choice off" }, el("input", { type: "checkbox", name: "models", value: one.signature, disabled: !ready,
      checked: ready && (named.length ? named.includes(one.signature) : one.enabled) }), el("span", {}, one.signature,
    el("span", { class: "faint" }, ` ${one.kind}${one.trials > 1 ? `, ${one.trials} trials` : ""}`), ready ? "" : el("span", { class: "wrong" }, one.why ?? "not ready")));
  };
  return [
    el("fieldset", { "data-field": "models" }, el("legend", {}, "Models"), el("div", { class: "options" }, models.map(model)), wrong("models")),
    el("div", { class: "pair" },
      field("start_date", "First date", input("start_date", { type: "date", value: parameters.get("start_date") }), "Empty: each model continues after its last completed day."),
      field("end_date", "Last date", input("end_date", { type: "date", value: parameters.get("end_date"), required: true }))),
    el("div", { class: "pair" },
      field("universe", "Universe", el("select", { id: "universe", name: "universe", "aria-describedby": "universe-wrong" }, el("option", { value: "" }, "as configured"), universes.map(({ name }) => el("option", { value: name }, name)))),
      field("symbols", "Or symbols", input("symbols", { placeholder: "AAPL, MSFT" }), "They take the place of the universe.")),
    el("div", { class: "pair" },
      field("experiment", "Experiment", [input("experiment", { placeholder: "default", list: "experiments", spellcheck: "false", autocomplete: "off" }),
        el("datalist", { id: "experiments" }, known.map(({ experiment }) => el("option", { value: experiment })))], "A new name starts from cash."),
      field("budget", "Budget, $", input("budget", { inputmode: "decimal", placeholder: "no limit", autocomplete: "off" }), "What the agents of the job may cost.")),
    el("div", { class: "pair" },
      field("priority", "Priority", choice("priority", PRIORITIES, "normal"), "Which jobs go first while more is ready than can run. It changes no result.")),
    el("fieldset", {}, el("legend", {}, "Options"), el("div", { class: "options" }, OPTIONS.map(([name, label, why]) => el("label", { class: "choice" }, el("input", { type: "checkbox", name, value: "true" }),
      el("span", {}, label, el("span", { class: "faint" }, ` ${why}`)))),
    el("label", { class: "choice" }, el("input", { type: "checkbox", name: "on_failure", value: "stop" }), el("span", {}, "Stop a portfolio at its first failed day", el("span", { class: "faint" }, " Otherwise it goes on."))))),
  ];
}
