"use strict";
// The tables of the reports: those in the page, with sorting, a filter and the runs behind each cell.

const REPORT_ROWS = 200; // of one page of a table

function startReports() {
  DATA.tables.forEach((shown, at) => {
    const place = byId("table-" + (at + 1));
    if (shown.rows.length) enhance(place, shown);
  });
}

function enhance(place, shown) {
  const columns = shown.columns.map((column, at) => reportColumn(column, shown, at));
  if (shown.undone.length) {
    columns.push({
      name: "", label: "not done", silent: true,
      value: (row) => shown.undone[row], text: (row) => shown.undone[row],
      cell: (row) => el("span", { class: "quiet" }, shown.undone[row]),
    });
  }
  new Grid({
    table: place.querySelector("table"), columns, place, size: REPORT_ROWS,
    rows: shown.rows.map((_, row) => row),
    label: "the table " + place.querySelector("caption").textContent,
    onCell: (row, column, cell) => showSource(cell, column.name, rowName(shown, row), partsOf(shown.rows[row], column.source)),
  });
}

function reportColumn(column, shown, at) {
  const best = new Set(column.best);
  const widest = column.error ? Math.min(12, Math.max(...column.error.map((error) => error.length))) : 0;
  const full = (row) => column.cells[row] + (column.error && column.error[row] ? " ± " + column.error[row] : "");
  return {
    name: column.name, right: column.right, source: shown.names[at], descending: column.right && !column.key,
    value: (row) => (column.values ? column.values[row] : column.cells[row]),
    text: full,
    cell: (row) => {
      const parts = [column.cells[row]];
      if (widest) {
        const error = column.error[row];
        parts.push(el("span", { class: "error w" + widest }, error ? " ± " + error : ""));
      }
      return best.has(row) ? el("b", { title: "the best of this column" }, parts) : parts;
    },
  };
}

function rowName(shown, row) {
  const keys = shown.columns.filter((column) => column.key && column.cells[row] !== "");
  return keys.map((column) => `${column.name} = ${column.cells[row]}`).join(", ");
}

// Give the runs behind a cell; what it does not say of its own is as in its row.
function partsOf(row, name) {
  const own = (row.cells && row.cells[name]) || {};
  return {
    used: runsIn(own.used || row.runs),
    missing: runsIn(own.missing),
    absent: runsIn(row.absent),
    baseline: runsIn(own.baseline),
    unpaired: runsIn(own.unpaired),
  };
}
