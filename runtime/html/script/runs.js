"use strict";
// All runs of one experiment as a table.

const RUN_ROWS = 100; // of one page of the table
let onlyRuns = null; // numbers, where a cell has asked for its runs

function showOnly(numbers) {
  onlyRuns = numbers;
}

function showRuns(name) {
  const place = byId("view-runs");
  const full = DATA.experiments.filter((experiment) => experiment.ids.length);
  if (!full.length) {
    place.replaceChildren(el("p", { class: "quiet" }, "The study has no runs."));
    return;
  }
  const only = onlyRuns;
  onlyRuns = null;
  const experiment = (only && only.length && experimentOf(only[0])) || full.find((one) => one.name === name) || full[0];
  const inside = (number) => number >= experiment.first && number < experiment.first + experiment.ids.length;
  const rows = only ? only.filter(inside).map((number) => number - experiment.first) : experiment.ids.map((_, at) => at);
  const table = el("table", { class: "data" }, el("caption", { class: "visually-hidden" }, "Runs of " + experiment.name), el("thead"), el("tbody"));
  const grid = el("div", { class: "grid" }, el("div", { class: "scroll" }, table));
  place.replaceChildren(grid);
  const made = new Grid({ table, columns: runColumns(experiment), rows, size: RUN_ROWS, place: grid, label: "the runs" });
  made.controls.hidden = false;
  if (full.length > 1) {
    made.controls.prepend(select("Experiment", full.map((one) => [one.name, one.name]), experiment.name,
      (other) => { window.location.hash = "#runs/" + encodeURIComponent(other); }));
  }
  const { keys, metrics } = experiment.more;
  const more = [keys ? count(keys, "key") : "", metrics ? count(metrics, "metric") : ""].filter(Boolean).join(" and ");
  if (more) grid.append(el("p", { class: "quiet note" }, `${more} more than a table can have; a report shows those that it names.`));
  if (only) {
    const all = el("button", { type: "button", onclick: () => showRuns(experiment.name) }, "Show all runs");
    made.controls.append(el("span", { class: "quiet" }, "the runs behind one cell"), all);
  }
}

function runColumns(experiment) {
  const { first } = experiment;
  const state = (row) => DATA.states[experiment.states[row]];
  const simple = (name, values, write, more = {}) => ({
    name, right: true, value: (row) => values[row], text: (row) => write(values[row]), cell: (row) => write(values[row]), ...more,
  });
  return [
    {
      name: "id", value: (row) => experiment.ids[row], text: (row) => experiment.ids[row],
      cell: (row) => el("a", { href: "#run/" + experiment.ids[row], class: "mono" }, experiment.ids[row].slice(0, DATA.digits)),
    },
    {
      name: "status", value: (row) => experiment.states[row], text: state,
      cell: (row) => (row < experiment.past ? stateMark(state(row)) : [stateMark(state(row)), el("span", { class: "quiet" }, " past")]),
    },
    ...experiment.keys.map((column) => {
      const text = (row) => column.pool[column.codes[row]];
      const values = column.pool.map((value, code) => (value === "" ? null : column.numeric ? readNumber(value) : column.order[code]));
      return { name: column.name, right: column.numeric, wide: !column.numeric, value: (row) => values[column.codes[row]], text, cell: text };
    }),
    ...experiment.metrics.map((metric) => simple(metric.name, metric.values, columnFormat(metric.values), { descending: metric.direction !== "minimize" })),
    simple("duration", experiment.duration, formatDuration, { descending: true }),
    simple("started", experiment.started, formatTime, { right: false, descending: true }),
    {
      name: "host", value: (row) => text(experiment.host, row) || null, text: (row) => text(experiment.host, row),
      cell: (row) => text(experiment.host, row),
    },
  ].map((column) => ({ ...column, first }));

  function text(column, row) {
    return column.pool[column.codes[row]];
  }
}
