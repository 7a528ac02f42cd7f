"use strict";
// The address to a view: `#reports`, `#curves/train`, `#runs/train`, `#run/3fa2c81`, or a place in the reports.

function route() {
  closeSource(false);
  const address = window.location.hash.slice(1);
  const [view, ...rest] = address.split("/");
  let argument;
  try {
    argument = decodeURIComponent(rest.join("/"));
  } catch {
    argument = rest.join("/"); // no address of ours
  }
  if (view === "run" && argument) showRun(argument);
  else if (view === "curves") showCurves(argument);
  else if (view === "runs") showRuns(argument);
  const shown = view === "run" && argument ? "run" : view === "curves" || view === "runs" ? view : "reports";
  for (const name of ["reports", "curves", "runs", "run"]) byId("view-" + name).hidden = name !== shown;
  for (const link of document.querySelectorAll(".top nav a")) {
    const current = link.hash === "#" + (shown === "run" ? "runs" : shown);
    if (current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const place = shown === "reports" && address ? byId(address) : null;
  if (place && place.closest("#view-reports")) place.scrollIntoView();
  else window.scrollTo(0, 0);
  document.title = (shown === "run" ? argument + " – " : "") + DATA.project;
}

for (const part of document.querySelectorAll("[data-script]")) part.hidden = false;
startTheme();
startProvenance();
startReports();
window.addEventListener("hashchange", route);
route();
