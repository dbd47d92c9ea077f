// Fields of forms, each with a place for what is wrong with it.

import { el, notice, patch } from "./dom.js";

/** A field with its label; `name` is what errors of the API call it. */
export const field = (name, label, input, hint) => el("div", { class: "field", "data-field": name }, el("label", { for: name }, label), input,
  hint ? el("p", { class: "faint", id: `${name}-hint` }, hint) : "", wrong(name));

/** Where the messages of a field stand. */
export const wrong = (name) => el("p", { class: "wrong", id: `${name}-wrong` });

const described = (name, more) => ({ id: name, name, "aria-describedby": `${name}-wrong`, ...more });
export const input = (name, more) => el("input", described(name, { spellcheck: "false", autocomplete: "off", ...more }));
export const area = (name, text, more) => el("textarea", described(name, { spellcheck: "false", rows: 4, ...more }), text);
export const choice = (name, options, chosen) => el("select", described(name, {}), options.map(([value, label]) => el("option", { value, selected: value === chosen }, label)));
export const tick = (name, label, why, checked) => el("label", { class: "choice" }, el("input", { type: "checkbox", name, value: "true", checked }),
  el("span", {}, label, el("span", { class: "faint" }, ` ${why}`)));

/** Puts each message at its field, and those of no field into `general`; the first field that is wrong. */
export function complain(form, general, error) {
  for (const place of form.querySelectorAll("[data-field]")) {
    const here = error?.errors?.filter(({ loc }) => loc?.[1] === place.dataset.field).map(({ msg }) => msg) ?? [];
    // Where the message names one field, and no field of the form is in `errors`, it is that one's.
    const own = !error?.errors?.length && error?.message.includes(place.dataset.field) && error.message.match(/[a-z]+_[a-z_]+/)?.[0] === place.dataset.field ? [error.message] : [];
    const texts = [...here, ...own];
    patch(place.querySelector(".wrong"), texts.join(" "));
    for (const control of place.querySelectorAll("input, select, textarea")) {
      if (texts.length) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    }
  }
  const placed = form.querySelector("[aria-invalid]");
  patch(general, error && !placed ? notice(error.message, "error") : "");
  return placed;
}
