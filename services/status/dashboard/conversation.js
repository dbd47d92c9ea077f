// The conversation of an agent's day, step by step: what it read, what it thought and said, the tools that it called.

import { el } from "./dom.js";
import { counted } from "./format.js";

const LONG = 1200;

/** The turns of a transcript, in order. */
export function conversation(turns) {
  const parts = [];
  for (const turn of turns) {
    if (turn.role === "system") parts.push(folded("Instructions", turn.content, "system"));
    else if (turn.role === "user") parts.push(said(parts.some(({ kind }) => kind === "user") ? "Reminder" : "What the model saw", turn, "user"));
    else if (turn.role === "tool") parts.push(tool(turn));
    else parts.push(...model(turn));
  }
  return el("ol", { class: "talk" }, parts.map(({ kind, node }) => el("li", { class: kind }, node)));
}

const pretty = (text) => {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
};

function folded(name, text, kind) {
  return { kind, node: el("details", {}, el("summary", {}, name), el("pre", {}, text)) };
}

/** A text; a long one is folded to its beginning. */
function block(text) {
  if (text.length <= LONG) return el("pre", { class: "text" }, text);
  return [el("pre", { class: "text" }, `${text.slice(0, LONG)}…`),
    el("details", {}, el("summary", {}, `All ${counted(text.length, "character")}`), el("pre", { class: "text" }, text))];
}

function said(name, { content, step }, kind) {
  return { kind, node: [el("h3", {}, name, step ? el("span", { class: "faint" }, ` step ${step}`) : ""), block(content)] };
}

function model({ content, reasoning, step, tool_calls: calls, class: kind }) {
  const parts = [];
  if (reasoning) {
    parts.push({ kind: "thought", node: el("details", { open: true }, el("summary", {}, "Thoughts", el("span", { class: "faint" }, ` step ${step}`)), block(reasoning)) });
  }
  if (content?.trim()) parts.push(said("Model", { content, step }, "assistant"));
  else if (!reasoning && !calls) parts.push({ kind: "assistant", node: [el("h3", {}, "Model", el("span", { class: "faint" }, ` step ${step}`)), el("p", { class: "faint" }, `It said nothing${kind ? ` (${kind.replaceAll("_", " ")})` : ""}.`)] });
  return parts;
}

/** The arguments as a list, where they are an object. */
function call(name, text) {
  let given = null;
  try {
    given = JSON.parse(text || "{}");
  } catch {
    // Shown as the model wrote them.
  }
  if (given === null || typeof given !== "object" || Array.isArray(given)) return [el("strong", {}, name), el("code", {}, text)];
  return [el("strong", {}, name), Object.entries(given).map(([key, value]) =>
    el("code", {}, `${key} = ${typeof value === "string" ? value : JSON.stringify(value)}`))];
}

/** Whether a tool refused. */
function refusal(content) {
  try {
    const answer = JSON.parse(content);
    return answer?.error ?? null;
  } catch {
    return /^(error|refused)\b/i.test(content) ? content : null;
  }
}

function tool({ name, arguments: given, content, step }) {
  const refused = refusal(content);
  const words = typeof refused === "string" ? refused : refused?.message ?? refused?.code ?? null;
  const answer = pretty(content);
  return { kind: refused ? "tool refused" : "tool", node: [
    el("p", { class: "call" }, call(name ?? "tool", given), el("span", { class: "faint" }, `step ${step}`), refused ? el("span", { class: "pill failed" }, "refused") : ""),
    words ? el("p", { class: "trouble" }, words) : "",
    answer.length > 160 || answer.includes("\n")
      ? el("details", { open: answer.length <= 500 }, el("summary", {}, "Result"), el("pre", {}, answer))
      : el("pre", {}, answer),
  ] };
}
