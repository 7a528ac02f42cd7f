"use strict";
// Numbers, times and durations as people read them; the digits are those of the terminal's tables.

const NOTHING = "–";

function formatNumber(value) {
  if (value === null || value === undefined) return NOTHING;
  if (typeof value === "string") return value;
  if (Number.isInteger(value) && Math.abs(value) < 1e7) return value.toLocaleString("en-US");
  const size = Math.abs(value);
  if (size >= 1e7 || size < 1e-4) return value.toExponential(3).replace(/\.?0+e/, "e");
  const decimals = Math.max(0, 3 - Math.floor(Math.log10(size)));
  return value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

// Write a whole column with one number of decimals, where its sizes allow that.
function columnFormat(values) {
  const numbers = values.filter((value) => typeof value === "number");
  const sizes = numbers.map(Math.abs).filter((size) => size > 0);
  let least = Infinity, most = 0;
  for (const size of sizes) {
    if (size < least) least = size;
    if (size > most) most = size;
  }
  if (!sizes.length || numbers.every(Number.isInteger)) return formatNumber;
  const low = Math.floor(Math.log10(least)), high = Math.floor(Math.log10(most));
  const decimals = Math.max(3 - high, 1 - low, 0);
  if (high - low > 4 || decimals > 8 || most >= 1e7) return formatNumber;
  const style = new Intl.NumberFormat("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  return (value) => (typeof value === "number" ? style.format(value) : formatNumber(value));
}

// Read a number that Python has written; nothing if it is none that can be compared.
function readNumber(text) {
  const number = Number(text.replace(/^(-?)inf$/, "$1Infinity"));
  return text === "" || Number.isNaN(number) ? null : number;
}

function count(number, noun) {
  return number.toLocaleString("en-US") + " " + noun + (number === 1 ? "" : "s");
}

function formatTime(seconds) {
  return seconds === null ? "" : new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ");
}

function formatDuration(value) {
  if (typeof value !== "number") return value === null || value === undefined ? NOTHING : value;
  if (value < 60) return Number(value.toPrecision(3)) + " s";
  const two = (whole, unit, rest, smaller) => whole + " " + unit + (rest ? " " + rest + " " + smaller : "");
  if (value < 3600) return two(Math.floor(Math.round(value) / 60), "min", Math.round(value) % 60, "s");
  const minutes = Math.round(value / 60);
  if (value < 86400) return two(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.round(value / 3600);
  return two(Math.floor(hours / 24), "d", hours % 24, "h");
}

function formatSize(bytes) {
  let amount = bytes;
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (amount < 1024) return amount.toFixed(1).replace(".0", "") + " " + unit;
    amount /= 1024;
  }
  return amount.toFixed(1) + " TiB";
}
