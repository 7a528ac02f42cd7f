"use strict";
// Where a cell's number comes from: the runs behind it, those without a value, those that were left out.

const LISTED = 100; // runs of one list; the view of all runs shows the rest
let openSource = null;

function closeSource(back) {
  if (!openSource) return;
  const { panel, cell } = openSource;
  openSource = null;
  panel.remove();
  cell.removeAttribute("aria-expanded");
  if (back) cell.focus();
}

// Open the panel of a cell. *parts* are {used, missing, absent, baseline, unpaired}: runs.
function showSource(cell, title, row, parts) {
  const again = openSource && openSource.cell === cell;
  closeSource(false);
  if (again) return;
  const close = el("button", { type: "button", class: "plain", onclick: () => closeSource(true) }, "Close");
  const panel = el("div", { class: "source", role: "dialog", "aria-label": "Runs behind " + title, tabindex: "-1" },
    el("div", { class: "source-head" }, el("h3", {}, title), close),
    row ? el("div", { class: "quiet" }, row) : null,
    summary(parts),
    runList("Runs", parts.used),
    runList("Without a value", parts.missing),
    runList("Not done, left out", parts.absent),
    runList("Compared with", parts.baseline),
    runList("Without a partner to compare with", parts.unpaired));
  document.body.append(panel);
  placeBelow(panel, cell);
  cell.setAttribute("aria-expanded", "true");
  openSource = { panel, cell };
  panel.focus({ preventScroll: true });
}

function placeBelow(panel, cell) {
  const box = cell.getBoundingClientRect();
  const width = panel.offsetWidth;
  const left = Math.max(12, Math.min(box.left, document.documentElement.clientWidth - width - 12));
  panel.style.left = left + window.scrollX + "px";
  panel.style.top = box.bottom + window.scrollY + 4 + "px";
  const low = box.bottom + 4 + panel.offsetHeight - window.innerHeight;
  if (low > 0 && box.top - 60 > low) window.scrollBy(0, low + 12);
}

function summary(parts) {
  const used = parts.used;
  const every = new Map([...used, ...parts.missing, ...parts.absent].map((run) => [run.number + "/" + run.attempt + "/" + (run.version || ""), run]));
  const failed = [...every.values()].filter((run) => OF_STATE[run.state] === "bad").length;
  const undone = [...every.values()].filter((run) => run.state !== "done").length - failed;
  const snapshots = tally(used.map((run) => run.snapshot).filter(Boolean));
  const codes = [...snapshots].map(([tree, many]) => tree.slice(0, 7) + (snapshots.size > 1 ? ` (${many})` : ""));
  const versions = new Set(used.map((run) => run.code).filter(Boolean)).size;
  const unsure = tally(used.map((run) => run.witness).filter((witness) => witness && witness !== "stamp"));
  const shown = codes.slice(0, 6).join(", ") + (codes.length > 6 ? ", …" : "");
  return facts([
    ["n", used.length.toLocaleString("en-US")],
    ["missing", parts.missing.length ? count(parts.missing.length, "run") + " without a value" : null],
    ["failed", failed ? el("span", { class: "warn" }, count(failed, "run")) : null],
    ["not done", undone ? count(undone, "run") : null],
    [snapshots.size > 1 ? "snapshots" : "snapshot", shown ? el("span", { class: "mono" }, shown) : null],
    ["code", versions > 1 ? el("span", { class: "warn" }, count(versions, "version")) : null],
    ["witness", unsure.size ? el("span", { class: "warn" }, [...unsure].map(([witness, many]) => `${witness} in ${count(many, "run")}`).join(", ")) : null],
    ["started", span(used.map((run) => run.started))],
    ["ended", span(used.map((run) => run.ended))],
  ]);
}

function tally(values) {
  const found = new Map();
  for (const value of values) found.set(value, (found.get(value) || 0) + 1);
  return found;
}

// Give `first – last` of some times, or the one that they all are.
function span(times) {
  let first = Infinity, last = -Infinity;
  for (const time of times) {
    if (time === null) continue;
    first = Math.min(first, time);
    last = Math.max(last, time);
  }
  if (first === Infinity) return null;
  const begin = formatTime(first), end = formatTime(last);
  return (begin === end ? begin : begin + " – " + end) + " UTC";
}

function runList(title, all) {
  if (!all.length) return null;
  const runs = all.slice(0, LISTED);
  const keys = variedKeys(runs).slice(0, 3);
  const names = ["run", "state", ...keys, "snapshot", "ended"];
  const body = el("tbody");
  for (const run of runs) {
    const own = new Map(run.experiment.keys.map((column) => [column.name, run.key(column)]));
    body.append(el("tr", {},
      el("td", {}, runLink(run)),
      el("td", {}, stateMark(run.state), run.earlier ? el("span", { class: "quiet" }, run.version ? " version " + run.version : " attempt " + run.attempt) : null),
      keys.map((key) => el("td", {}, own.get(key) || "")),
      el("td", { class: "mono" }, run.snapshot ? run.snapshot.slice(0, 7) : ""),
      el("td", {}, formatTime(run.ended))));
  }
  const head = el("tr", {}, names.map((name) => el("th", { scope: "col" }, name)));
  const list = el("div", { class: "list", tabindex: "0", role: "group", "aria-label": title },
    el("table", { class: "data" }, el("thead", {}, head), body));
  const more = all.length > LISTED
    ? el("p", { class: "quiet" }, `The first ${LISTED} of ${count(all.length, "run")}. `,
      el("a", { href: "#runs", onclick: () => showOnly([...new Set(all.map((run) => run.number))]) }, "Show all of them"))
    : null;
  return el("div", {}, el("h4", {}, `${title} (${all.length.toLocaleString("en-US")})`), list, more);
}

// Give the keys whose values differ between some runs.
function variedKeys(runs) {
  const seen = new Map();
  for (const run of runs) {
    for (const column of run.experiment.keys) {
      const value = run.key(column);
      if (!seen.has(column.name)) seen.set(column.name, value);
      else if (seen.get(column.name) !== value) seen.set(column.name, VARIED);
    }
  }
  return [...seen].filter(([, value]) => value === VARIED).map(([name]) => name);
}

const VARIED = Symbol("varied");

function startProvenance() {
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") closeSource(true);
  });
  document.addEventListener("click", (event) => {
    if (!openSource) return;
    const inside = openSource.panel.contains(event.target) || openSource.cell.contains(event.target);
    if (!inside || event.target.closest("a")) closeSource(false);
  });
}
