"use strict";
// What the page knows: experiments with their runs column by column, tables, and details of some runs.

const DATA = JSON.parse(byId("data").textContent);

const OF_STATE = {
  done: "good", failed: "bad", timeout: "bad", oom: "bad", killed: "bad", lost: "bad", broken: "bad",
  running: "busy", queued: "wait", planned: "wait", skipped: "wait", cancelled: "wait",
};

const RUN_BY_ID = new Map();
for (const experiment of DATA.experiments) {
  experiment.ids.forEach((id, place) => RUN_BY_ID.set(id, experiment.first + place));
}

function experimentOf(number) {
  return DATA.experiments.find((experiment) => number < experiment.first + experiment.ids.length);
}

// Give what the columns say of the run with that number.
function runOf(number) {
  const experiment = experimentOf(number);
  const place = number - experiment.first;
  const pooled = (column) => column.pool[column.codes[place]];
  return {
    number, experiment, place,
    id: experiment.ids[place],
    short: experiment.ids[place].slice(0, DATA.digits),
    state: DATA.states[experiment.states[place]],
    started: experiment.started[place],
    ended: experiment.ended[place],
    duration: experiment.duration[place],
    host: pooled(experiment.host),
    snapshot: pooled(experiment.snapshot),
    code: pooled(experiment.code),
    witness: pooled(experiment.witness),
    attempt: experiment.attempt[place],
    past: place >= experiment.past,
    details: DATA.details[number] || null,
    key: (column) => pooled(column),
  };
}

// Give the run whose id is, or begins with, a text; nothing if there is none, or several.
function findRun(text) {
  if (RUN_BY_ID.has(text)) return RUN_BY_ID.get(text);
  if (text.length < 3) return null;
  const found = [...RUN_BY_ID.keys()].filter((id) => id.startsWith(text));
  return found.length === 1 ? RUN_BY_ID.get(found[0]) : null;
}

// Give the runs of some ranges [first, how many]; longer items are attempts before the last one of a run.
function runsIn(ranges) {
  const found = [];
  for (const item of ranges || []) {
    const [first, many] = item;
    if (item.length === 2) for (let at = 0; at < many; at++) found.push(runOf(first + at));
    else found.push(attemptOf(item));
  }
  return found;
}

function attemptOf([number, attempt, state, started, ended, snapshot, code, version]) {
  return { ...runOf(number), attempt, state, started, ended, snapshot, code, version, earlier: true };
}

function runAddress(run) {
  return "#run/" + run.id;
}

function runLink(run) {
  return el("a", { href: runAddress(run), class: "mono" }, run.short);
}

function stateMark(state) {
  return el("span", { class: "state " + (OF_STATE[state] || "wait") }, state);
}
