// Draws charts with plotly, which is loaded with the first one. Its styles are a linked sheet, as the page's policy asks.

import { el } from "./dom.js";

const SOURCE = document.querySelector("meta[name=plotly]").content;
/** Ids of styles that plotly would put into the page where it does not find them. */
const STYLES = ["plotly.js-style-global", "696e55e75aaafa12d45b3ff634eadc8348f9c3015fc94984dac1ff824773eb97"];
const COLOURS = 8;
const DARK = matchMedia("(prefers-color-scheme: dark)");
/** Drawings that wait for their turn. */
const queue = [];
let isDrawing = false;
let loading = null;

/** Loads what draws while the page waits for its data, but shows first what is there. */
function loadAhead() {
  const [global, other] = STYLES;
  if (document.getElementById(global)) return;
  document.head.append(
    el("link", { rel: "preload", as: "script", href: `${SOURCE}/plotly.js` }),
    el("link", { rel: "stylesheet", href: `${SOURCE}/plotly.css`, id: global, class: "no-inline-styles" }),
    el("meta", { id: other, name: "no-maps" }));
  const idle = window.requestIdleCallback ?? setTimeout;
  // Who draws says what went wrong.
  idle(() => load().catch(() => {}));
}

function load() {
  loading ??= new Promise((resolve, reject) => {
    document.head.append(el("script", { src: `${SOURCE}/plotly.js`, onload: () => resolve(window.Plotly), onerror: () => {
      loading = null;
      reject(new Error("the script that draws charts could not be loaded; load the page again"));
    } }));
  });
  return loading;
}

/** Until the page has shown what it has, and has answered its user. A page that is not seen shows nothing. */
const painted = () => new Promise((resolve) => {
  const soon = () => setTimeout(resolve);
  if (document.hidden) soon();
  else requestAnimationFrame(soon);
});

/** What the user sees has the least place, from above to below; then comes what is below it. */
function placeOf({ figure }) {
  const { top, bottom } = figure.getBoundingClientRect();
  return bottom > 0 ? top : innerHeight - top;
}

/** Does each `work` after the page has shown the one before; first what its user sees. */
function inTurn(figure, work) {
  return new Promise((resolve, reject) => {
    queue.push({ figure, work: () => work().then(resolve, reject) });
    drawAll();
  });
}

async function drawAll() {
  if (isDrawing) return;
  isDrawing = true;
  while (queue.length) {
    await painted();
    queue.sort((a, b) => placeOf(a) - placeOf(b));
    await queue.shift().work();
  }
  isDrawing = false;
}

/** A colour of the page's style, such as `--accent`. */
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
/** The colour of the series at a place. */
export const seriesColour = (place) => colour(`--c${place % COLOURS}`);
/** The same, see-through. */
export const pale = (hex, share) => `${hex}${Math.round(share * 255).toString(16).padStart(2, "0")}`;

const axis = () => ({
  gridcolor: colour("--grid"), zerolinecolor: colour("--rule"), linecolor: colour("--rule"), tickcolor: colour("--rule"),
  fixedrange: false, automargin: true, zeroline: true,
});

function layoutOf({ height, percent, dollars, range, shapes, ticks, bars, second }) {
  const values = percent ? { tickformat: "+.2~%", hoverformat: "+.2%" } : dollars ? { tickprefix: "$", tickformat: ",.2~s", hoverformat: ",.2f" } : { tickformat: ".2~f", hoverformat: ".2f" };
  return {
    height, autosize: true, paper_bgcolor: "transparent", plot_bgcolor: "transparent",
    font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: colour("--faint") },
    margin: { l: 8, r: 12, t: 26, b: 8, pad: 4 },
    modebar: { bgcolor: "transparent", color: colour("--faint"), activecolor: colour("--accent") },
    hovermode: "x unified",
    hoverlabel: { bgcolor: colour("--card"), bordercolor: colour("--line"), font: { color: colour("--ink"), size: 12 }, namelength: 28 },
    showlegend: false,
    dragmode: "zoom",
    barmode: "stack",
    bargap: 0.15,
    xaxis: { ...axis(), type: bars ? "category" : "date", showgrid: false, hoverformat: bars ? undefined : "%a %-d %b %Y", range, nticks: 8, tickvals: ticks },
    yaxis: { ...axis(), ...values, nticks: 6 },
    ...(second ? { yaxis2: { ...axis(), overlaying: "y", side: "right", showgrid: false, tickformat: ".0%", hoverformat: ".1%" } } : {}),
    shapes: shapes ?? [],
  };
}

const CONFIG = {
  displaylogo: false, responsive: true, scrollZoom: false, showTips: false,
  modeBarButtons: [["zoom2d", "pan2d", "resetScale2d", "toImage"]],
  // A picture in another format would have to be drawn from data, which the page's policy forbids.
  toImageButtonOptions: { format: "svg", filename: "modelday" },
};

/**
 * A chart: a figure with a caption and a legend whose entries show and hide their series. `draw(make)` draws it, again with
 * what changed; `make` returns the series and options, and is called again in other colours. A series is what plotly takes,
 * with `name` and `colour`. The figures are for those who see the chart; `caption` says where they stand as text.
 */
export function chart(name, caption) {
  const canvas = el("div", { class: "plot", "data-own": "" });
  const legend = el("ul", { class: "legend", "aria-label": `Series of ${name}` });
  const said = el("figcaption", { class: "faint" }, caption);
  const figure = el("figure", { class: "chart", "data-own": "", "data-key": `chart-${name}` }, el("h2", {}, name), legend, canvas, said);
  const hidden = new Set();
  let last = null;
  loadAhead();

  function draw(make) {
    last = make;
    return inTurn(figure, drawNow);
  }

  async function drawNow() {
    const make = last;
    const plotly = await load();
    if (!figure.isConnected) return;
    const [series, options] = make();
    const shown = series.map((one) => ({ ...one, visible: !hidden.has(one.name) }));
    await plotly.react(canvas, shown, layoutOf({ height: 300, ...options }), CONFIG);
    canvas.removeAllListeners?.("plotly_afterplot");
    canvas.on("plotly_afterplot", unsigned);
    unsigned();
    for (const button of canvas.querySelectorAll(".modebar-btn")) button.setAttribute("aria-label", button.dataset.title);
    figure.dataset.drawn = series.length;
    legendOf(series);
  }

  /** Zero is neither a gain nor a loss. */
  function unsigned() {
    for (const text of canvas.querySelectorAll(".ytick text")) if (/^\+0%$/.test(text.textContent)) text.textContent = "0%";
  }

  function legendOf(series) {
    const entries = series.filter((one) => one.showlegend !== false && one.name);
    legend.replaceChildren(...(entries.length < 2 ? [] : entries.map((one) => {
      const mark = el("span", { class: "mark" });
      mark.style.setProperty("background", one.colour);
      return el("li", {}, el("button", { type: "button", class: "series", "aria-pressed": String(!hidden.has(one.name)), onclick: (event) => {
        if (!hidden.delete(one.name)) hidden.add(one.name);
        event.currentTarget.setAttribute("aria-pressed", String(!hidden.has(one.name)));
        draw(last).then(() => legend.querySelectorAll("button")[entries.indexOf(one)]?.focus());
      } }, mark, one.name));
    })));
  }

  const redraw = () => {
    if (!figure.isConnected) return DARK.removeEventListener("change", redraw);
    if (last) draw(last);
  };
  DARK.addEventListener("change", redraw);
  return { figure, draw };
}

/** A line over dates. */
export function line(name, dates, values, at, more = {}) {
  const its = at ?? colour("--accent");
  return { type: "scatter", mode: "lines", name, x: dates, y: values, connectgaps: false, ...more, colour: its, line: { color: its, width: 1.75, ...more.line } };
}

/** Shades a span of dates. */
export const shade = (from, to, fill, text) => ({
  type: "rect", xref: "x", yref: "paper", x0: from, x1: to, y0: 0, y1: 1, fillcolor: fill, line: { width: 0 }, layer: "below",
  label: { text, textposition: "top left", font: { size: 11 } },
});
