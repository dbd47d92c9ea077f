// Chooses the view. A view gets the main element, the rest of the address and a signal that ends it.

import { Problem, token } from "./api.js";
import { el, notice } from "./dom.js";
import { jobs } from "./jobs.js";
import { job } from "./job.js";
import { leaderboard } from "./leaderboard.js";
import { operation } from "./operation.js";

const main = document.getElementById("main");
const live = document.getElementById("live");
let shown = new AbortController();

/** Shows whether the page receives events. */
function tell(state) {
  live.textContent = { live: "live", lost: "reconnecting…" }[state] ?? "";
  live.className = state ?? "";
}

async function show({ focus }) {
  shown.abort();
  shown = new AbortController();
  const { signal } = shown;
  const address = location.hash.slice(2) || "jobs";
  const [path, parameters] = address.split("?");
  const [section, ...rest] = path.split("/").map(decodeURIComponent);
  for (const link of document.querySelectorAll("nav a")) {
    const current = link.getAttribute("href") === `#/${section}`;
    if (current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  tell(null);
  document.title = "Modelday";
  const view = section === "jobs" && rest.length ? job : { jobs, leaderboard, operation }[section] ?? jobs;
  const place = el("div", {});
  main.replaceChildren(place);
  if (focus) main.focus();
  try {
    await view(place, { rest, parameters: new URLSearchParams(parameters), signal, tell });
  } catch (error) {
    if (signal.aborted) return;
    const text = error instanceof Problem ? error.message : `Something went wrong: ${error.message}`;
    place.prepend(notice(text, "error"));
    if (!(error instanceof Problem)) console.error(error);
  }
}

const forget = document.getElementById("forget");
forget.hidden = !token.get();
forget.addEventListener("click", () => {
  token.forget();
  forget.hidden = true;
  show({ focus: true });
});
addEventListener("hashchange", () => show({ focus: true }));
show({ focus: false });
