// Chooses the page by the path. A page gets an element, the parts of the path, its parameters, and a signal that ends it.

import { Away, get, Problem, token } from "./api.js";
import { audit } from "./audit.js";
import { day } from "./day.js";
import { el, notice } from "./dom.js";
import { job } from "./job.js";
import { jobs } from "./jobs.js";
import { leaderboard } from "./leaderboard.js";
import { letters } from "./letters.js";
import { away, tell } from "./live.js";
import { models } from "./models.js";
import { newJob } from "./new.js";
import { portfolio } from "./portfolio.js";
import { sources } from "./sources.js";

const PAGES = { jobs, new: newJob, leaderboard, models, sources, "dead-letters": letters, audit, portfolios: portfolio };
const main = document.getElementById("main");
let shown = new AbortController();

function pageOf(path) {
  if (path[0] === "jobs" && path.length > 2) return day;
  if (path[0] === "jobs" && path.length > 1) return job;
  return PAGES[path[0]] ?? jobs;
}

async function show({ focus }) {
  shown.abort();
  shown = new AbortController();
  const { signal } = shown;
  const path = location.pathname.replace(/^\/board\/?/, "").split("/").filter(Boolean).map(decodeURIComponent);
  const section = path[0] === "portfolios" ? "leaderboard" : path[0] ?? "jobs";
  for (const link of document.querySelectorAll("header a:not(.brand)")) {
    const current = link.getAttribute("href") === `/board/${section}`;
    if (current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  tell(null);
  document.title = "Modelday";
  const place = el("div", { class: "page" });
  main.replaceChildren(place);
  if (focus) {
    scrollTo(0, 0);
    main.focus({ preventScroll: true });
  }
  const context = { path, parameters: new URLSearchParams(location.search), signal };
  while (!signal.aborted) {
    try {
      await pageOf(path)(place, context);
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Away)) return place.append(trouble(error));
      // Nothing is shown yet: the page begins again when the server is back.
      place.replaceChildren();
      await away(signal);
    }
  }
}

function trouble(error) {
  if (error instanceof Problem) return notice(error.message, "error");
  console.error(error);
  return notice(`Something went wrong: ${error.message}`, "error");
}

/** Shows another page of the board without loading the document again. */
export function go(address, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", address);
  show({ focus: !replace });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  const other = !link || event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey
    || event.altKey || link.target || link.hasAttribute("download");
  if (other || !link.getAttribute("href").startsWith("/board")) return;
  event.preventDefault();
  go(link.getAttribute("href"));
});
addEventListener("popstate", () => show({ focus: true }));
addEventListener("board:go", (event) => go(event.detail));

const forget = document.getElementById("forget");
forget.hidden = !token.get();
forget.addEventListener("click", () => {
  token.forget();
  forget.hidden = true;
  show({ focus: true });
});

/** Marks an installation whose results are not real. */
async function mark() {
  const health = await get("/health").catch(() => null);
  if (!health) return setTimeout(mark, 3000);
  if (!health.is_dev_mode) return;
  const mode = document.getElementById("mode");
  mode.textContent = "DEV";
  mode.title = "Scripted agents; nothing is paid, and the results are not real.";
  mode.hidden = false;
}

// Addresses of earlier versions.
if (location.pathname === "/" && location.hash.startsWith("#/")) {
  history.replaceState(null, "", `/board/${location.hash.slice(2).replace(/^operation/, "dead-letters")}`);
}
mark();
show({ focus: false });
