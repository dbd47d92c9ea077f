// Tables: figures to the right, columns that sort, and a card for each row on narrow screens.

import { el } from "./dom.js";

/**
 * A table. A column is `{name, figure, sort, title, unseen, head}`; a row `{key, class, cells, values}`, where `values` are what columns
 * with `sort` are sorted by. `sorting` is `{column, down, change}` where a click on a heading calls `change`.
 */
export function table(columns, rows, { caption, kind = "", sorting } = {}) {
  const heads = columns.map((column, place) => el("th", {
    scope: "col",
    class: column.figure ? "figure" : null,
    "aria-sort": sorting?.column === place ? (sorting.down ? "descending" : "ascending") : null,
  }, sorting && column.sort
    ? el("button", { type: "button", class: "sort", title: column.title, "data-column": place, onclick: (event) => sorting.change(Number(event.currentTarget.dataset.column)) },
      column.name, el("span", { class: "arrow", "aria-hidden": "true" }, sorting.column === place ? (sorting.down ? "↓" : "↑") : "↕"))
    : el("span", { title: column.title, class: column.unseen ? "hidden" : null }, column.name)));
  const ordered = sorting ? sorted(rows, sorting) : rows;
  return el("div", { class: "scroll", tabindex: kind.includes("wide") ? "0" : null, role: kind.includes("wide") ? "region" : null,
    "aria-label": kind.includes("wide") ? caption : null },
  el("table", { class: kind }, el("caption", { class: "hidden" }, caption),
    el("thead", {}, el("tr", {}, heads)),
    el("tbody", {}, ordered.map((row) => tableRow(columns, row)))));
}

function tableRow(columns, { cells, key, class: kind }) {
  return el("tr", { class: kind, "data-key": key }, cells.map((cell, place) => el(columns[place].head ? "th" : "td", {
    scope: columns[place].head ? "row" : null,
    class: [columns[place].figure ? "figure" : "", columns[place].class ?? ""].join(" ").trim() || null,
    "data-label": columns[place].name,
  }, Array.isArray(cell) && !columns[place].class ? el("div", {}, cell) : cell)));
}

/** Rows by the value of a column; rows without one come last, whatever the direction. */
function sorted(rows, { column, down }) {
  const value = (row) => row.values?.[column];
  const none = (row) => value(row) === null || value(row) === undefined;
  return [...rows].sort((a, b) => {
    if (none(a) || none(b)) return none(a) - none(b);
    const [x, y] = [value(a), value(b)];
    const order = typeof x === "string" ? x.localeCompare(y, "en", { numeric: true }) : x - y;
    return down ? -order : order;
  });
}
