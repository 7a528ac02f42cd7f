"use strict";
// Lines over steps, drawn as SVG with axes; the nearest point is named under the pointer.
//
// A line: {points: [[step, value or null, how many runs?]…], style, name, run?, band?: [[step, low, high]…]}.

const WIDE = 560, HIGH = 300, LEFT = 58, RIGHT = 8, TOP = 8, BOTTOM = 34;

function drawChart(title, note, lines, { log = false, many = false } = {}) {
  const area = el("div", { class: "area" });
  const caption = el("figcaption", {}, title, note ? el("span", { class: "quiet" }, " " + note) : null);
  const figure = el("figure", { class: "chart" }, caption, area);
  const usable = (value) => value !== null && (!log || value > 0);
  const extent = extentOf(lines, usable);
  if (!extent) {
    area.append(el("p", { class: "quiet" }, log ? "No values above 0." : "No values."));
    return figure;
  }
  const scale = scales(extent, log);
  const text = `${title} over steps ${formatNumber(extent.left)} to ${formatNumber(extent.right)}, ${count(lines.length, "line")}, `
    + `values ${formatNumber(extent.low)} to ${formatNumber(extent.high)}`;
  const drawing = svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": text });
  drawAxes(drawing, scale);
  const group = svg("g", { class: many ? "many" : "" });
  for (const line of lines) if (line.band) group.append(svg("path", { class: "band " + line.style, d: bandPath(line.band, scale, usable) }));
  const paths = lines.map((line) => {
    const path = svg("path", { class: "line " + line.style + (line.mean ? " mean" : "") + (line.dashed ? " dashed" : ""), d: linePath(line.points, scale, usable) });
    group.append(path);
    return path;
  });
  drawing.append(group);
  area.append(drawing);
  follow(area, drawing, lines, paths, scale, usable);
  return figure;
}

function extentOf(lines, usable) {
  let left = Infinity, right = -Infinity, low = Infinity, high = -Infinity;
  const see = (step, value) => {
    if (!usable(value)) return;
    if (step < left) left = step;
    if (step > right) right = step;
    if (value < low) low = value;
    if (value > high) high = value;
  };
  for (const line of lines) {
    for (const [step, value] of line.points) see(step, value);
    for (const [step, least, most] of line.band || []) {
      see(step, least);
      see(step, most);
    }
  }
  return left === Infinity ? null : { left, right, low, high };
}

function scales({ left, right, low, high }, log) {
  const into = log ? Math.log10 : (value) => value;
  let bottom = into(low), top = into(high);
  const pad = top > bottom ? (top - bottom) * 0.04 : Math.abs(top) * 0.05 || 1;
  bottom -= pad;
  top += pad;
  const end = right > left ? right : left + 1;
  return {
    left, right: end, bottom, top, log,
    x: (step) => LEFT + ((step - left) / (end - left)) * (WIDE - LEFT - RIGHT),
    y: (value) => TOP + ((top - into(value)) / (top - bottom)) * (HIGH - TOP - BOTTOM),
  };
}

// Give round numbers between two ends, about as many as asked for.
function ticks(from, to, about) {
  const raw = (to - from) / about;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= raw) || 10 * power;
  const found = [];
  for (let at = Math.ceil(from / step); at * step <= to + step * 1e-9; at++) found.push(at * step);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const plain = Math.max(Math.abs(from), Math.abs(to)) < 1e6 && decimals <= 6;
  const write = (value) => (plain
    ? value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
    : Number(value.toPrecision(6)).toExponential().replace("e+", "e"));
  return found.map((value) => [value, write(value)]);
}

function logTicks(bottom, top) {
  const found = [];
  for (let power = Math.floor(bottom); power <= Math.ceil(top); power++) {
    for (const factor of top - bottom > 2.5 ? [1] : [1, 2, 5]) {
      const at = power + Math.log10(factor);
      if (at >= bottom && at <= top) found.push([factor * 10 ** power, formatShort(factor * 10 ** power)]);
    }
  }
  return found;
}

function formatShort(value) {
  const short = Number(value.toPrecision(3));
  return Math.abs(short) >= 1e-4 && Math.abs(short) < 1e6 ? String(short) : short.toExponential();
}

function drawAxes(drawing, scale) {
  const across = ticks(scale.left, scale.right, 6);
  const up = scale.log ? logTicks(scale.bottom, scale.top) : ticks(scale.bottom, scale.top, 5);
  for (const [value, text] of up) {
    const y = scale.y(value);
    drawing.append(
      svg("line", { class: "rule", x1: LEFT, x2: WIDE - RIGHT, y1: y, y2: y }),
      svg("text", { x: LEFT - 7, y: y + 3.5, "text-anchor": "end" }, text));
  }
  const base = HIGH - BOTTOM;
  drawing.append(svg("line", { class: "axis", x1: LEFT, x2: WIDE - RIGHT, y1: base, y2: base }));
  for (const [value, text] of across) {
    const x = scale.x(value);
    drawing.append(
      svg("line", { class: "axis", x1: x, x2: x, y1: base, y2: base + 4 }),
      svg("text", { x, y: base + 16, "text-anchor": "middle" }, text));
  }
  drawing.append(svg("text", { x: WIDE - RIGHT, y: HIGH - 3, "text-anchor": "end" }, "step"));
}

function linePath(points, scale, usable) {
  let path = "", pen = false;
  for (const [step, value] of points) {
    if (!usable(value)) {
      pen = false;
      continue;
    }
    path += (pen ? "L" : "M") + scale.x(step).toFixed(1) + " " + scale.y(value).toFixed(1);
    pen = true;
  }
  return path;
}

function bandPath(band, scale, usable) {
  const inside = band.filter(([, low, high]) => usable(low) && usable(high));
  if (!inside.length) return "";
  const at = (step, value) => scale.x(step).toFixed(1) + " " + scale.y(value).toFixed(1);
  const upper = inside.map(([step, , high]) => at(step, high));
  const lower = inside.map(([step, low]) => at(step, low)).reverse();
  return "M" + [...upper, ...lower].join("L") + "Z";
}

// Name the point nearest to the pointer; a click on a run's line leads to the run.
function follow(area, drawing, lines, paths, scale, usable) {
  let near = null, dot = null, tip = null;
  const leave = () => {
    if (near !== null) paths[near].classList.remove("near");
    if (dot) dot.remove();
    if (tip) tip.remove();
    near = dot = tip = null;
  };
  const find = (event) => {
    const box = drawing.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * WIDE, y = ((event.clientY - box.top) / box.height) * HIGH;
    let best = null, least = 40 * 40;
    lines.forEach((line, at) => {
      for (const [step, value, many] of line.points) {
        if (!usable(value)) continue;
        const far = (scale.x(step) - x) ** 2 + (scale.y(value) - y) ** 2;
        if (far < least) {
          least = far;
          best = { at, step, value, many };
        }
      }
    });
    return best && { ...best, box };
  };
  drawing.addEventListener("pointermove", (event) => {
    const found = find(event);
    leave();
    if (!found) return;
    const { at, step, value, many, box } = found, line = lines[at];
    near = at;
    paths[at].classList.add("near");
    const x = scale.x(step), y = scale.y(value);
    dot = svg("circle", { class: "dot " + line.style, cx: x, cy: y, r: 3.5 });
    drawing.append(dot);
    const text = `step ${formatNumber(step)}: ${line.about ? "about " : ""}${formatNumber(value)}`
      + (many > 1 ? `, ${count(many, "run")}` : "");
    tip = el("div", { class: "tip" }, el("div", {}, line.name), el("div", { class: "quiet" }, text));
    area.append(tip);
    const left = (x / WIDE) * box.width;
    tip.style.left = Math.max(0, Math.min(left + 12, box.width - tip.offsetWidth)) + "px";
    tip.style.top = Math.max(0, (y / HIGH) * box.height - tip.offsetHeight - 10) + "px";
  });
  drawing.addEventListener("pointerleave", leave);
  drawing.addEventListener("click", (event) => {
    const found = find(event);
    if (found && lines[found.at].run) window.location.hash = runAddress(lines[found.at].run);
  });
}

// Give the points of a series as the page has it.
function seriesPoints(series) {
  const steps = DATA.steps[series[0]];
  return series[1].map((value, at) => [steps[at], value]);
}
