// Builds elements, and changes shown ones as little as needed: what has the focus, is selected or typed in stays.

/** An element. `attributes` may hold listeners (`onclick`) and plain attributes; texts are never markup. */
export function el(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same in SVG. */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

const isSomething = (child) => child !== null && child !== undefined && child !== false && child !== "";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter(isSomething));
  return element;
}

/**
 * Makes `place` have these children. Elements that are there already are kept and changed: by `data-key` where they have
 * one, by their place otherwise. A listener stays that of the first element; an element with `data-own` is left alone.
 */
export function patch(place, ...children) {
  const expected = children.flat(Infinity).filter(isSomething);
  morph(place, expected.map((child) => child instanceof Node ? child : document.createTextNode(child)));
}

const keyOf = (node) => node.dataset?.key;

function morph(parent, expected) {
  const keyed = new Map();
  for (const node of parent.childNodes) if (keyOf(node)) keyed.set(keyOf(node), node);
  expected.forEach((want, place) => {
    const there = parent.childNodes[place] ?? null;
    const key = keyOf(want);
    let old = key ? keyed.get(key) ?? null : there;
    if (old && !key && keyOf(old)) old = null;
    if (!old) {
      parent.insertBefore(want, there);
      return;
    }
    if (old !== there) parent.insertBefore(old, there);
    if (old.isEqualNode(want)) return;
    if (old.nodeType === Node.TEXT_NODE && want.nodeType === Node.TEXT_NODE) old.data = want.data;
    else if (old.nodeName !== want.nodeName || old.nodeType !== Node.ELEMENT_NODE) parent.replaceChild(want, old);
    else if (old.dataset.own === undefined) {
      sameAttributes(old, want);
      morph(old, [...want.childNodes]);
    }
  });
  while (parent.childNodes.length > expected.length) parent.lastChild.remove();
}

function sameAttributes(old, want) {
  for (const { name } of [...old.attributes]) {
    // A user may have opened it.
    if (!want.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS")) old.removeAttribute(name);
  }
  for (const { name, value } of want.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
}

/** Goes to another page of the board. */
export const visit = (address) => dispatchEvent(new CustomEvent("board:go", { detail: address }));

/** A path of the board or the API, with its parts encoded. */
export const path = (...parts) => `/${parts.map(encodeURIComponent).join("/")}`;

/** A trace: its id, as a link where it is known where traces are shown. */
export const trace = ({ trace_id: id, trace_url: url }) => !id ? null
  : url ? el("a", { class: "id", href: url, target: "_blank", rel: "noreferrer" }, id) : el("span", { class: "id" }, id);

export const title = (...parts) => { document.title = [...parts, "Modelday"].join(" · "); };

export const notice = (text, kind = "") => el("p", { class: `notice ${kind}`, role: kind === "error" ? "alert" : null }, text);

/** What a list says that has nothing. */
export const empty = (text, ...more) => el("div", { class: "empty" }, el("p", {}, text), ...more);

export const pill = (state, text = state) => el("span", { class: `pill ${state}` }, text.replaceAll("_", " "));

/** Names and values, in a grid. */
export function facts(pairs) {
  const given = pairs.filter(([, value]) => isSomething(value));
  return el("dl", { class: "facts" }, given.map(([name, value, why]) =>
    el("div", {}, el("dt", { title: why }, name), el("dd", {}, value))));
}

/** The way up, and the heading with what belongs beside it. */
export function heading(up, text, ...beside) {
  const title = el("div", { class: "title" }, el("h1", {}, text), beside);
  return up.length ? [el("nav", { class: "crumbs", "aria-label": "Way up" }, up.map(([name, href]) => el("a", { href }, name))), title] : [title];
}
