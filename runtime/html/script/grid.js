"use strict";
// A table that sorts, filters and turns its pages. Its rows are numbers; columns say what stands in them.
//
// A column: {name, right, value(row), text(row), cell(row)}: what it sorts by (a number, a text or null), what the filter
// reads, and the cell's content. Null sorts last in both directions. Cells are walked with the arrow keys.

const COMPARISON = /^(.+?)(<=|>=|!=|=|<|>)(.*)$/;

class Grid {
  constructor({ table, columns, rows, size, onCell, label, place }) {
    this.table = table;
    this.columns = columns;
    this.rows = rows;
    this.size = size;
    this.onCell = onCell;
    this.sorted = null;
    this.at = 0;
    this.texts = new Map();
    this.found = rows;
    this.input = el("input", {
      type: "search", class: "filter", placeholder: "Filter: words, or column<value", "aria-label": "Filter " + label,
      autocomplete: "off", spellcheck: "false", oninput: () => this.filter(this.input.value),
    });
    this.count = el("span", { class: "quiet", role: "status" });
    this.controls = el("div", { class: "controls" }, this.input, this.count);
    this.before = el("button", { type: "button", onclick: () => this.turn(-1) }, "Previous");
    this.after = el("button", { type: "button", onclick: () => this.turn(1) }, "Next");
    this.range = el("span", { class: "quiet" });
    this.pager = el("div", { class: "pager" }, this.before, this.after, this.range);
    place.prepend(this.controls);
    table.parentElement.after(this.pager);
    if (rows.length <= 8) this.controls.hidden = true;
    if (onCell) table.setAttribute("role", "grid");
    this.head();
    table.tBodies[0].addEventListener("click", (event) => this.clicked(event));
    table.tBodies[0].addEventListener("keydown", (event) => this.pressed(event));
    this.show();
  }

  head() {
    const row = el("tr");
    this.heads = this.columns.map((column, at) => {
      const button = el("button", { type: "button", class: "sort", onclick: () => this.sort(at) }, column.name);
      if (!column.name) button.setAttribute("aria-label", column.label || "column " + (at + 1));
      const head = el("th", { scope: "col", class: column.right ? "num" : null }, button);
      row.append(head);
      return head;
    });
    this.table.tHead.replaceChildren(row);
  }

  // Sort by a column: first the way that is usual for it, then the other way, then as it was.
  sort(at) {
    const first = this.columns[at].descending ? "descending" : "ascending";
    const second = first === "ascending" ? "descending" : "ascending";
    const now = this.sorted && this.sorted.at === at ? this.sorted.way : null;
    this.sorted = now === second ? null : { at, way: now === first ? second : first };
    this.heads.forEach((head, other) => {
      if (this.sorted && other === at) head.setAttribute("aria-sort", this.sorted.way);
      else head.removeAttribute("aria-sort");
    });
    this.at = 0;
    this.show();
  }

  filter(text) {
    const tests = text.trim().toLowerCase().split(/\s+/).filter(Boolean).map((term) => this.test(term));
    this.found = tests.length ? this.rows.filter((row) => tests.every((test) => test(row))) : this.rows;
    this.at = 0;
    this.show();
  }

  // Read one word of the filter: `column<value` where a column is called so, else a text that a cell holds.
  test(term) {
    const parts = COMPARISON.exec(term);
    const column = parts && this.columnCalled(parts[1]);
    if (!column) return (row) => this.text(row).includes(term);
    const [, , operator, wanted] = parts;
    const number = wanted === "" ? NaN : Number(wanted);
    return (row) => {
      const value = column.value(row), text = column.text(row).toLowerCase();
      const numeric = typeof value === "number" && !Number.isNaN(number);
      if (operator === "=") return numeric ? value === number || text === wanted : text === wanted;
      if (operator === "!=") return numeric ? value !== number && text !== wanted : text !== wanted;
      if (!numeric) return false;
      return { "<": value < number, ">": value > number, "<=": value <= number, ">=": value >= number }[operator];
    };
  }

  columnCalled(name) {
    const called = this.columns.filter((column) => column.name.toLowerCase() === name);
    return called[0] || this.columns.find((column) => column.name.toLowerCase().endsWith("." + name)) || null;
  }

  text(row) {
    let text = this.texts.get(row);
    if (text === undefined) {
      text = this.columns.map((column) => column.text(row)).join("\n").toLowerCase();
      this.texts.set(row, text);
    }
    return text;
  }

  order() {
    if (!this.sorted) return this.found;
    const { at, way } = this.sorted;
    const column = this.columns[at], sign = way === "ascending" ? 1 : -1;
    const keyed = this.found.map((row, place) => [column.value(row), place, row]);
    keyed.sort(([left, a], [right, b]) => {
      if (left === null || right === null) return (left === null) - (right === null) || a - b;
      if (typeof left !== typeof right) return typeof left === "number" ? -1 : 1;
      return left < right ? -sign : left > right ? sign : a - b;
    });
    return keyed.map(([, , row]) => row);
  }

  turn(by) {
    this.at += by * this.size;
    this.show();
  }

  show() {
    const ordered = this.order();
    const shown = ordered.slice(this.at, this.at + this.size);
    const body = this.table.tBodies[0];
    body.replaceChildren(...shown.map((row) => this.row(row)));
    if (!shown.length) {
      const text = this.rows.length ? "No row matches." : "No rows.";
      body.append(el("tr", {}, el("td", { class: "quiet empty", colspan: this.columns.length }, text)));
    }
    const first = body.querySelector("td[tabindex]");
    if (first) first.tabIndex = 0;
    const all = this.rows.length, many = ordered.length;
    this.count.textContent = many === all ? count(all, "row") : many.toLocaleString("en-US") + " of " + count(all, "row");
    this.pager.hidden = many <= this.size;
    this.before.disabled = this.at === 0;
    this.after.disabled = this.at + this.size >= many;
    const last = Math.min(this.at + this.size, many);
    this.range.textContent = `${(this.at + 1).toLocaleString("en-US")}–${last.toLocaleString("en-US")} of ${many.toLocaleString("en-US")}`;
  }

  row(row) {
    const line = el("tr");
    line.dataset.row = row;
    this.columns.forEach((column) => {
      const content = column.cell(row);
      const cell = el("td", { class: column.right ? "num" : column.wide ? "wide" : null });
      if (this.onCell && !column.silent) cell.tabIndex = -1;
      cell.append(...(Array.isArray(content) ? content : [content]));
      if (column.wide) cell.title = column.text(row);
      line.append(cell);
    });
    return line;
  }

  clicked(event) {
    const cell = event.target.closest("td[tabindex]");
    if (cell && this.onCell && !event.target.closest("a")) this.open(cell);
  }

  pressed(event) {
    const cell = event.target.closest("td[tabindex]");
    if (!cell) return;
    const line = cell.parentElement, column = cell.cellIndex;
    const steps = {
      ArrowLeft: () => cell.previousElementSibling,
      ArrowRight: () => cell.nextElementSibling,
      ArrowUp: () => line.previousElementSibling && line.previousElementSibling.cells[column],
      ArrowDown: () => line.nextElementSibling && line.nextElementSibling.cells[column],
      Home: () => line.cells[0],
      End: () => line.cells[line.cells.length - 1],
    };
    if (event.key === "Enter" || event.key === " ") {
      if (event.target !== cell) return;
      event.preventDefault();
      this.open(cell);
    } else if (steps[event.key]) {
      event.preventDefault();
      const next = steps[event.key]();
      if (next && next.hasAttribute("tabindex")) this.focus(next);
    }
  }

  focus(cell) {
    for (const other of this.table.tBodies[0].querySelectorAll('td[tabindex="0"]')) other.tabIndex = -1;
    cell.tabIndex = 0;
    cell.focus();
  }

  open(cell) {
    this.focus(cell);
    this.onCell(Number(cell.parentElement.dataset.row), this.columns[cell.cellIndex], cell);
  }
}
