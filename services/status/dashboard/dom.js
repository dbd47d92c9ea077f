// Builds elements, and formats figures and instants.

/** An element. `attributes` may hold `class`, listeners (`onclick`) and plain attributes; texts are never markup. */
export function el(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same in SVG. */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A table whose cells carry their column's name, for narrow screens. */
export function table(columns, rows, caption, kind) {
  const head = columns.map(({ name, figure }) => el("th", { scope: "col", class: figure ? "figure" : null }, name));
  return el("div", { class: "scroll" }, el("table", { class: kind }, el("caption", { class: "hidden" }, caption),
    el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows.map((row) => tableRow(columns, row)))));
}

/** A row of such a table. */
export function tableRow(columns, { cells, ...attributes }) {
  return el("tr", attributes, cells.map((cell, place) => el(place === 0 ? "th" : "td", {
    scope: place === 0 ? "row" : null,
    class: columns[place].figure ? "figure" : null,
    "data-label": columns[place].name,
  }, cell)));
}

/** Replaces the children of `place`; a focused link keeps the focus. */
export function redraw(place, ...children) {
  const focused = place.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  place.replaceChildren(...children);
  if (focused) place.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

const INSTANT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

export const instant = (text) => text ? el("time", { datetime: text, title: text }, INSTANT.format(new Date(text))) : "–";
export const clock = (date) => CLOCK.format(date);
export const whole = (number) => Number(number).toLocaleString();

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round(seconds % 3600 / 60)} min`;
}

export const money = (number) => number === null || number === undefined ? "–"
  : Number(number).toLocaleString(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });

export const ratio = (number) => number === null || number === undefined ? "–" : number.toFixed(2);

/** A fraction as percent with its sign. */
export function percent(fraction, { sign = true } = {}) {
  if (fraction === null || fraction === undefined) return "–";
  const text = Math.abs(fraction * 100).toFixed(2);
  const side = Number(text) === 0 ? "" : fraction < 0 ? "−" : sign ? "+" : "";
  return `${side}${text} %`;
}

export const tone = (number) => number > 0 ? "up" : number < 0 ? "down" : null;

export const pill = (state) => el("span", { class: `pill ${state}` }, state.replaceAll("_", " "));

export const notice = (text, kind = "") => el("p", { class: `notice ${kind}`, role: kind === "error" ? "alert" : null }, text);

/** Progress of the model-days, as a bar. */
export function progress({ total_model_days: total, completed, failed, skipped, running }) {
  const parts = { completed, failed, skipped, running };
  const label = Object.entries(parts).filter(([, count]) => count).map(([name, count]) => `${whole(count)} ${name}`);
  const bar = svg("svg", { class: "bar", viewBox: "0 0 100 1", preserveAspectRatio: "none", role: "img",
    "aria-label": `${label.join(", ") || "nothing done"} of ${whole(total)} model-days` });
  let from = 0;
  for (const [name, count] of Object.entries(parts)) {
    const width = total ? 100 * count / total : 0;
    bar.append(svg("rect", { x: from, y: 0, width, height: 1, class: name }));
    from += width;
  }
  return bar;
}

/** Calls `action` soon; calls during a running action are joined into one. */
export function gently(action, signal) {
  let due = false, busy = false;
  const run = async () => {
    busy = true;
    while (due && !signal.aborted) {
      due = false;
      const begun = performance.now();
      await action();
      const took = performance.now() - begun;
      await new Promise((resolve) => setTimeout(resolve, Math.max(250, 3 * took)));
    }
    busy = false;
  };
  return () => {
    due = true;
    if (!busy) run();
  };
}
