"use strict";
// One run: how it stands, what it was given, what it said and made, and what changed in the code before it.

function showRun(text) {
  const place = byId("view-run");
  const number = findRun(text);
  if (number === null || number === undefined) {
    place.replaceChildren(el("h2", {}, "No such run"), el("p", { class: "quiet" }, `This file has no run ${text}.`));
    return;
  }
  const run = runOf(number), details = run.details;
  const parts = [head(run), el("div", { class: "columns" }, el("div", {}, standing(run)), el("div", {}, config(run)))];
  if (details && details.command !== undefined) {
    const logs = [log("stderr", details.stderr, run), log("stdout", details.stdout, run)];
    const failed = OF_STATE[run.state] === "bad"; // then what it said last is what one looks for
    if (failed) parts.push(...logs);
    parts.push(metrics(run), command(run), outputs(run), attempts(run), parents(run));
    if (!failed) parts.push(...logs);
  } else {
    parts.push(metrics(run), el("p", { class: "quiet block" }, leftOut(run)));
  }
  parts.push(change(run));
  place.replaceChildren(...parts.filter(Boolean));
}

function leftOut(run) {
  if (run.started === null) return "This run has not started.";
  return `Command, outputs, logs and curves of this run are not in this file, which has them of ${count(Object.keys(DATA.details).length, "run")}. `
    + `\`xpc show ${run.short}\` and \`xpc logs ${run.short}\` show them; \`xpc report --html FILE --details N\` keeps more runs.`;
}

function head(run) {
  const { experiment, place } = run;
  const near = (at, text) => (at >= 0 && at < experiment.ids.length ? el("a", { href: "#run/" + experiment.ids[at] }, text) : null);
  return el("div", { class: "run-head" },
    el("h2", { class: "mono" }, run.id), stateMark(run.state),
    el("span", { class: "quiet" }, "run of ", el("a", { href: "#runs/" + encodeURIComponent(experiment.name) }, experiment.name)),
    run.past ? el("span", { class: "quiet" }, "no longer in the Experimentfile") : null,
    el("span", { class: "near" }, near(place - 1, "Previous run"), near(place + 1, "Next run")));
}

function section(title, ...content) {
  return el("div", { class: "block" }, el("h3", {}, title), ...content);
}

function standing(run) {
  const known = new Map((run.details && run.details.facts) || []);
  const mono = new Set(["snapshot", "commit", "build", "folder"]);
  const pairs = [
    ["attempt", run.attempt === null ? null : String(run.attempt)],
    ["started", run.started === null ? null : formatTime(run.started) + " UTC"],
    ["ended", run.ended === null ? null : formatTime(run.ended) + " UTC"],
    ["duration", run.duration === null ? null : formatDuration(run.duration)],
    ["host", run.host],
    ...[...known].map(([name, value]) => [name, mono.has(name) ? el("span", { class: "mono" }, value) : value]),
  ];
  if (!run.details && run.snapshot) pairs.push(["snapshot", el("span", { class: "mono" }, run.snapshot)]);
  const request = (run.details && run.details.request) || [];
  return [el("h3", {}, "Run"), facts([["status", run.state], ...pairs]),
    request.length ? el("div", { class: "block" }, el("h3", {}, "Request"), facts(request)) : null].filter(Boolean);
}

function config(run) {
  const own = run.experiment.keys.map((column) => [column.name, run.key(column)]);
  const varied = new Set(own.map(([name]) => name));
  const rank = new Map(run.experiment.order.map((name, at) => [name, at]));
  const known = [...own, ...run.experiment.constants].filter(([, value]) => value !== "");
  const all = (run.details && run.details.config) || known.sort(([left], [right]) => rank.get(left) - rank.get(right));
  const list = el("dl", { class: "facts" });
  for (const [name, value] of all) {
    list.append(el("dt", { class: "mono" }, name), el("dd", { class: "mono" + (varied.has(name) ? " varied" : "") }, value));
  }
  const more = run.details && run.details.config ? run.details.more.config : run.experiment.more.keys;
  return [el("h3", {}, "Config"), list,
    varied.size ? el("p", { class: "quiet" }, "Bold: what differs between the runs.") : null,
    more ? el("p", { class: "quiet" }, `${count(more, "more key")} not shown.`) : null].filter(Boolean);
}

function metrics(run) {
  const last = run.experiment.metrics.map((metric) => [metric.name, metric.values[run.place]]).filter(([, value]) => value !== null);
  if (!last.length) return null;
  const series = (run.details && run.details.series) || {};
  const charts = Object.keys(series).slice(0, METRICS_SHOWN).map((name) =>
    drawChart(name, "", [{ points: seriesPoints(series[name]), style: "c0", name }]));
  return section("Metrics", facts(last.map(([name, value]) => [name, formatNumber(value)])),
    charts.length ? el("div", { class: "block charts" }, charts) : null);
}

function command(run) {
  return run.details.command ? section("Command", el("pre", { class: "wrap", tabindex: "0" }, run.details.command)) : null;
}

function table(names, rows, right = []) {
  const row = (tag, cells) => el("tr", {}, cells.map((cell, at) =>
    el(tag, { scope: tag === "th" ? "col" : null, class: right.includes(at) ? "num" : null }, cell === null ? "" : cell)));
  return el("div", { class: "scroll" }, el("table", { class: "data" },
    el("thead", {}, row("th", names)), el("tbody", {}, rows.map((cells) => row("td", cells)))));
}

function outputs(run) {
  const rows = run.details.outputs || [];
  if (!rows.length) return null;
  const more = run.details.more.outputs;
  return section("Outputs", table(["name", "path", "size", "from"],
    rows.map(([name, path, size, carried]) => [name, el("span", { class: "mono" }, path), size, carried ? "an earlier attempt" : "this attempt"]), [2]),
  more ? el("p", { class: "quiet" }, `${count(more, "more file")} not shown.`) : null);
}

function attempts(run) {
  const rows = run.details.attempts || [];
  if (rows.length < 2) return null;
  return section("Attempts", table(["attempt", "state", "started", "ended", "duration", "host", "exit", "reason"],
    rows.map((one) => [String(one.number), stateMark(one.state), formatTime(one.started), formatTime(one.ended),
      one.duration || "", one.host, one.exit, one.reason]), [0, 4, 6]),
  run.details.more.attempts ? el("p", { class: "quiet" }, `${count(run.details.more.attempts, "earlier attempt")} not shown.`) : null);
}

function parents(run) {
  const ids = run.details.parents || [];
  if (!ids.length) return null;
  const more = run.details.more.parents;
  const links = ids.flatMap((id, at) => {
    const known = findRun(id);
    return [at ? ", " : "", known === null || known === undefined ? el("span", { class: "mono" }, id.slice(0, DATA.digits)) : runLink(runOf(known))];
  });
  return section("After", el("p", {}, links, more ? `, and ${count(more, "more run")}` : ""));
}

function log(name, kept, run) {
  if (!kept) return null;
  const note = kept.cut
    ? `The last ${count(kept.lines.length, "line")} of ${formatSize(kept.bytes)}; \`xpc logs ${run.short} --${name}\` prints all.` : "";
  return section(name, el("pre", { tabindex: "0", "aria-label": name }, kept.lines.join("\n")), note ? el("p", { class: "quiet" }, note) : null);
}

// Show what changed from the experiment's snapshot before this run's.
function change(run) {
  const all = DATA.changes[run.experiment.name] || {};
  if (!run.snapshot || !(run.snapshot in all)) return null;
  const found = all[run.snapshot];
  if (found === null) {
    return section("Code", el("p", { class: "quiet" }, `Snapshot ${run.snapshot.slice(0, 7)} is the first one with which ${run.experiment.name} ran.`));
  }
  const title = `Code: ${found.before.slice(0, 7)} to ${found.after.slice(0, 7)}`;
  if (found.missing) return section(title, el("p", { class: "quiet" }, "This repository has not both snapshots any more."));
  const tell = (number, style, sign) => (number === null ? "" : el("span", { class: style }, sign + number));
  const list = table(["file", "added", "removed"], found.files.map(([path, added, removed]) => [
    el("span", { class: "mono" }, path), tell(added, "plus-count", "+"), added === null ? "no text" : tell(removed, "minus-count", "−")]), [1, 2]);
  const text = el("pre", { class: "diff", tabindex: "0", "aria-label": "what changed" }, found.lines.map((line) => el("span", { class: diffStyle(line) }, line)));
  return section(title, list,
    found.more_files ? el("p", { class: "quiet" }, `${count(found.more_files, "more file")}.`) : null,
    found.lines.length ? el("div", { class: "block" }, text) : null,
    found.left ? el("p", { class: "quiet" }, `${count(found.left, "line")} left out; \`git diff ${found.before} ${found.after}\` shows all.`) : null);
}

function diffStyle(line) {
  if (line.startsWith("diff --git ")) return "file";
  if (/^(--- |\+\+\+ |new file|deleted file|rename |similarity |old mode|new mode|Binary )/.test(line)) return "hunk";
  return { "+": "plus", "-": "minus", "@": "hunk" }[line[0]] || null;
}
