// Charts of portfolios beside benchmarks.

import { colour, line, seriesColour } from "./chart.js";
import { named } from "./format.js";

/** The name of a curve; of several trials each has its own. */
export const curveName = ({ kind, model, trial }) => kind === "benchmark" ? `${model} (benchmark)` : named(model, trial);

/** Cuts values at the first stale day: what follows rests on what was replaced since, and is drawn dotted. */
function cut(dates, values, from) {
  if (!from) return [values, null];
  const first = dates.findIndex((date) => date >= from);
  if (first < 0) return [values, null];
  return [values.map((value, place) => place < first ? value : null),
    values.map((value, place) => place >= first - 1 ? value : null)];
}

/** Lines of curves: portfolios in the colours of their places, benchmarks dashed and grey, stale stretches dotted. */
export function lines({ dates, curves }) {
  let place = 0;
  const greys = [colour("--bench0"), colour("--bench1")];
  let benchmark = 0;
  return curves.flatMap((curve) => {
    const name = curveName(curve);
    if (curve.kind === "benchmark") {
      return [line(name, dates, curve.values, greys[benchmark++ % 2], { line: { dash: "dash", width: 1.5 } })];
    }
    const its = seriesColour(place);
    const dash = place >= 8 ? "dashdot" : "solid";
    place += 1;
    const [sound, stale] = cut(dates, curve.values, curve.stale_from);
    return [line(name, dates, sound, its, { line: { dash } }),
      ...(stale ? [line(`${name}, stale`, dates, stale, its, { line: { dash: "dot", width: 1.5 }, opacity: 0.7, showlegend: false })] : [])];
  });
}
