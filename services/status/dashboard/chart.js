// A line chart over dates, in SVG. The legend shows the values under the pointer.

import { el, percent, svg, tone } from "./dom.js";

const LEFT = 52, RIGHT = 12, TOP = 12, BOTTOM = 26;
const COLOURS = 8;
const NARROW = matchMedia("(max-width: 640px)");

/** A chart of `series`: `{name, values: [{date, value}]}`, with values as fractions. */
export function equity(series) {
  const dates = [...new Set(series.flatMap(({ values }) => values.map(({ date }) => date)))].sort();
  if (dates.length < 2) return null;
  // The text keeps its size at every width.
  const [width, height] = NARROW.matches ? [380, 260] : [960, 320];
  const all = series.flatMap(({ values }) => values.map(({ value }) => value));
  const ticks = scale(Math.min(0, ...all), Math.max(0, ...all));
  const [low, high] = [ticks[0], ticks.at(-1)];
  const x = (place) => LEFT + place * (width - LEFT - RIGHT) / (dates.length - 1);
  const y = (value) => TOP + (high - value) * (height - TOP - BOTTOM) / (high - low);

  const ordered = series.map((one) => ({ ...one, at: new Map(one.values.map(({ date, value }) => [date, value])) }))
    .sort((a, b) => b.values.at(-1).value - a.values.at(-1).value);
  const style = (place) => `line c${place % COLOURS}${place >= COLOURS ? " dashed" : ""}`;
  const lines = ordered.map(({ values }, place) => svg("polyline", {
    class: style(place),
    points: values.map(({ date, value }) => `${x(dates.indexOf(date)).toFixed(1)},${y(value).toFixed(1)}`).join(" "),
  }));
  const grid = ticks.map((tick) => [
    svg("line", { class: tick === 0 ? "zero" : "grid", x1: LEFT, x2: width - RIGHT, y1: y(tick), y2: y(tick) }),
    svg("text", { x: LEFT - 8, y: y(tick) + 4, "text-anchor": "end" }, percent(tick).replace(/\.00 /, " ")),
  ]);
  const shown = labels(dates.length, NARROW.matches ? 3 : 4).map((place) => svg("text", {
    x: x(place), y: height - 6, "text-anchor": place === 0 ? "start" : place === dates.length - 1 ? "end" : "middle",
  }, dates[place]));
  const cross = svg("line", { class: "cross", y1: TOP, y2: height - BOTTOM, visibility: "hidden" });
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img",
    "aria-label": `Value of ${series.length} portfolios from ${dates[0]} to ${dates.at(-1)}; the table below has the figures` },
  grid, shown, lines, cross);

  const when = el("p", { class: "faint when" });
  const values = ordered.map(() => el("span", { class: "figure" }));
  const legend = el("ul", { class: "legend" }, ordered.map(({ name }, place) => el("li", {},
    svg("svg", { width: 18, height: 4, "aria-hidden": "true" }, svg("line", { class: style(place), x1: 0, x2: 18, y1: 2, y2: 2 })),
    el("span", { class: "name" }, name), values[place])));

  function tell(place) {
    when.textContent = dates[place];
    ordered.forEach(({ at }, nth) => {
      const value = at.get(dates[place]);
      values[nth].textContent = percent(value);
      values[nth].className = `figure ${tone(value) ?? ""}`;
    });
  }
  const last = dates.length - 1;
  tell(last);
  picture.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect();
    const at = (event.clientX - box.left) * width / box.width;
    const place = Math.min(last, Math.max(0, Math.round((at - LEFT) / (width - LEFT - RIGHT) * last)));
    cross.setAttribute("x1", x(place));
    cross.setAttribute("x2", x(place));
    cross.setAttribute("visibility", "visible");
    tell(place);
  });
  picture.addEventListener("pointerleave", () => {
    cross.setAttribute("visibility", "hidden");
    tell(last);
  });
  return el("figure", { class: "card chart" }, picture, el("figcaption", {}, when, legend));
}

/** Round values from at or below `low` to at or above `high`. */
function scale(low, high) {
  const rough = Math.max((high - low) / 5, 1e-4);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough);
  const first = Math.floor(low / step + 1e-9), last = Math.max(Math.ceil(high / step - 1e-9), first + 1);
  return Array.from({ length: last - first + 1 }, (_, nth) => (first + nth) * step);
}

/** The dates on the axis: the first, the last, and some between. */
function labels(count, most) {
  const wanted = Math.min(count, most);
  return [...new Set(Array.from({ length: wanted }, (_, nth) => Math.round(nth * (count - 1) / (wanted - 1))))];
}
