"use strict";
// Learning curves of one experiment: a drawing a metric, a line a run or a group of runs, coloured by a key.

const METRICS_SHOWN = 12;
const curvesChoice = { experiment: null, metric: "", key: null, draw: "runs", log: false, hidden: new Set() };

function withCurves(experiment) {
  const found = [];
  for (let place = 0; place < experiment.ids.length; place++) {
    const details = DATA.details[experiment.first + place];
    if (details && details.series && Object.keys(details.series).length) found.push(runOf(experiment.first + place));
  }
  return found;
}

function showCurves(name) {
  const drawn = DATA.experiments.map((experiment) => ({ experiment, runs: withCurves(experiment) })).filter(({ runs }) => runs.length);
  const place = byId("view-curves");
  if (!drawn.length) {
    place.replaceChildren(el("p", { class: "quiet" }, "No run has logged a metric more than once."));
    return;
  }
  const chosen = drawn.find(({ experiment }) => experiment.name === name)
    || drawn.find(({ experiment }) => experiment.name === curvesChoice.experiment) || drawn[0];
  if (curvesChoice.experiment !== chosen.experiment.name) {
    Object.assign(curvesChoice, { experiment: chosen.experiment.name, metric: "", key: usualKey(chosen), hidden: new Set() });
    curvesChoice.draw = chosen.runs.length > 12 && seedKeys(chosen.experiment).length ? "seeds" : "runs";
  }
  drawCurves(place, drawn, chosen);
}

// Give the keys that only tell repetitions apart, by how such keys are called.
function seedKeys(experiment) {
  return experiment.keys.filter((column) => /(^|[._-])(seed|repeat|repetition|fold|trial)s?$/i.test(column.name));
}

// Colour by the first key with few values that is no seed.
function usualKey({ experiment }) {
  const seeds = seedKeys(experiment);
  const fit = experiment.keys.filter((column) => column.pool.length <= 9 && !seeds.includes(column));
  return fit.length ? fit[0].name : "";
}

function drawCurves(place, drawn, chosen) {
  const { experiment, runs } = chosen;
  const again = (change) => {
    Object.assign(curvesChoice, change);
    drawCurves(place, drawn, chosen);
  };
  const names = [...new Set(runs.flatMap((run) => Object.keys(run.details.series)))];
  const groups = groupsOf(experiment, runs);
  const shownNames = curvesChoice.metric ? [curvesChoice.metric] : names.slice(0, METRICS_SHOWN);
  const controls = el("div", { class: "controls" },
    drawn.length > 1 ? select("Experiment", drawn.map(({ experiment: { name } }) => [name, name]), experiment.name,
      (name) => { window.location.hash = "#curves/" + encodeURIComponent(name); }) : null,
    names.length > 1 ? select("Metric", [["", names.length > METRICS_SHOWN ? `the first ${METRICS_SHOWN}` : "all"], ...names.map((name) => [name, name])],
      curvesChoice.metric, (metric) => again({ metric })) : null,
    experiment.keys.length ? select("Colour", [["", "none"], ...experiment.keys.map(({ name }) => [name, name])],
      curvesChoice.key || "", (key) => again({ key, hidden: new Set() })) : null,
    select("Draw", drawings(experiment), curvesChoice.draw, (draw) => again({ draw })),
    el("label", { class: "check" },
      el("input", { type: "checkbox", checked: curvesChoice.log, onchange: (event) => again({ log: event.target.checked }) }), "log scale"));
  const visible = groups.filter((group) => !curvesChoice.hidden.has(group.name));
  const charts = shownNames.map((name) => {
    const metric = experiment.metrics.find((column) => column.name === name);
    const note = metric && metric.direction ? "(" + metric.direction + ")" : "";
    const lines = linesOf(visible, name, experiment);
    return drawChart(name, note, lines, { log: curvesChoice.log, many: lines.length > 12 });
  });
  const began = experiment.started.filter((time) => time !== null).length;
  const left = began - runs.length;
  place.replaceChildren(controls, legend(groups, again),
    el("div", { class: "charts" }, charts),
    el("p", { class: "quiet" }, `${count(runs.length, "run")} of ${experiment.name}. `,
      left > 0 ? `${count(left, "run")} that began ${left === 1 ? "has" : "have"} no curve in this file. ` : "",
      curvesChoice.draw === "runs" ? "" : "Lines are means, bands reach from the least to the greatest value. ",
      thinned(runs) ? "Of long series some points are left out; the least and greatest values stay." : ""));
}

function thinned(runs) {
  return runs.some((run) => Object.values(run.details.series).some(([, values, all]) => values.length < all));
}

function groupsOf(experiment, runs) {
  const column = experiment.keys.find(({ name }) => name === curvesChoice.key);
  if (!column) return [{ name: "", text: "all runs", style: "c0", runs }];
  const found = new Map();
  for (const run of runs) {
    const code = column.codes[run.place];
    if (!found.has(code)) found.set(code, []);
    found.get(code).push(run);
  }
  const codes = [...found.keys()].sort((left, right) => column.order[left] - column.order[right]);
  const ramp = column.numeric || codes.length > 8;
  return codes.map((code, at) => ({
    name: column.pool[code], text: `${column.name} = ${column.pool[code] || "none"}`, runs: found.get(code),
    style: ramp ? "r" + (codes.length > 1 ? Math.round((at * 8) / (codes.length - 1)) : 0) : "c" + at,
  }));
}

function legend(groups, again) {
  if (groups.length < 2) return null;
  return el("div", { class: "legend", role: "group", "aria-label": curvesChoice.key },
    el("span", { class: "quiet" }, curvesChoice.key),
    groups.map((group) => el("button", {
      type: "button", "aria-pressed": String(!curvesChoice.hidden.has(group.name)),
      onclick: () => {
        const hidden = new Set(curvesChoice.hidden);
        if (!hidden.delete(group.name)) hidden.add(group.name);
        again({ hidden });
      },
    }, svg("svg", { viewBox: "0 0 20 10", "aria-hidden": "true" }, svg("line", { class: "line " + group.style, x1: 0, x2: 20, y1: 5, y2: 5 })),
    group.name || "none")));
}

function drawings(experiment) {
  const seeds = seedKeys(experiment).map(({ name }) => name).join(", ");
  return [["runs", "each run"], ...(seeds ? [["seeds", "mean over " + seeds]] : []), ["mean", "mean of each colour"]];
}

function linesOf(groups, metric, experiment) {
  const having = groups.map((group) => ({ ...group, runs: group.runs.filter((run) => run.details.series[metric]) }));
  if (curvesChoice.draw === "runs") {
    return having.flatMap((group) => group.runs.map((run) => ({
      points: seriesPoints(run.details.series[metric]), style: group.style, run,
      name: run.short + (group.name ? ", " + group.text : ""),
    })));
  }
  const drawn = curvesChoice.draw === "seeds" ? having.flatMap((group) => repeated(group, experiment)) : having;
  return drawn.map((group) => meanLine(group, metric)).filter((line) => line.points.length);
}

// Part a group into runs that differ in nothing but their seeds.
function repeated(group, experiment) {
  const seeds = seedKeys(experiment);
  const others = experiment.keys.filter((column) => !seeds.includes(column));
  const found = new Map();
  for (const run of group.runs) {
    const key = others.map((column) => column.codes[run.place]).join();
    if (!found.has(key)) found.set(key, []);
    found.get(key).push(run);
  }
  return [...found.values()].map((runs) => ({
    ...group, runs,
    text: others.filter((column) => runs[0].key(column) !== "").map((column) => `${column.name} = ${runs[0].key(column)}`).join(", ") || group.text,
  }));
}

// Give the mean over runs at the steps that they have; between two kept points of a run a straight line is taken.
function meanLine(group, metric) {
  const series = group.runs.map((run) => run.details.series[metric]).filter(Boolean).map(seriesPoints)
    .map((points) => points.filter(([, value]) => value !== null)).filter((points) => points.length);
  let steps = [...new Set(series.flatMap((points) => points.map(([step]) => step)))].sort((left, right) => left - right);
  if (steps.length > 400) steps = Array.from({ length: 400 }, (_, at) => steps[Math.round((at * (steps.length - 1)) / 399)]);
  const sums = steps.map(() => ({ many: 0, sum: 0, low: Infinity, high: -Infinity }));
  let exact = true;
  for (const points of series) {
    let at = 0;
    steps.forEach((step, place) => {
      const value = valueAt();
      if (value === null) return;
      const sum = sums[place];
      sum.many += 1;
      sum.sum += value;
      sum.low = Math.min(sum.low, value);
      sum.high = Math.max(sum.high, value);

      function valueAt() {
        while (at + 1 < points.length && points[at + 1][0] <= step) at += 1;
        const [from, before] = points[at];
        if (from === step) return before;
        if (from > step || at + 1 >= points.length) return null;
        const [to, after] = points[at + 1];
        exact = false;
        return before + ((after - before) * (step - from)) / (to - from);
      }
    });
  }
  const kept = steps.map((step, place) => [step, sums[place]]).filter(([, { many }]) => many);
  return {
    points: kept.map(([step, { sum, many }]) => [step, sum / many, many]),
    band: series.length > 1 ? kept.map(([step, { low, high }]) => [step, low, high]) : null,
    style: group.style, mean: true, about: !exact, run: series.length === 1 ? group.runs[0] : null,
    name: `${group.text}, ${series.length > 1 ? "mean of " : ""}${count(series.length, "run")}`,
  };
}
