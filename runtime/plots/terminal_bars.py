"""`bar` and `box` as text: a row for each bar or box, lying on its side."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

from ...grammar.screen import columns
from .canvas import paint
from .figure import Axis, Box, Boxes, Points
from .terminal_page import Page, cut, error_text, left, right, ruler
from .tick_text import cell_texts

_PARTS: Final = " ▏▎▍▌▋▊▉█"


def bar_lines(figure: Points, page: Page) -> list[str]:
    """Write bars from zero, with their values, below the names of their places."""
    every = [value for trace in figure.traces for value in trace.y]
    rows = sorted(
        (
            (x, index, trace.label, trace.y[i], error_text(trace, i, every))
            for index, trace in enumerate(figure.traces)
            for i, x in enumerate(trace.x)
        ),
        key=lambda row: row[:2],
    )
    least, most = min(*every, 0.0), max(*every, 0.0)
    values = [cell_texts([y], every, 4)[0] for *_, y, _ in rows]
    notes = [
        right(value, max(map(columns, values))) + (f" {error}" if error else "")
        for value, (*_, error) in zip(values, rows, strict=True)
    ]
    head = _Head(figure.x, [trace.label for trace in figure.traces], figure.legend, page.width // 4)
    room = max(page.width - head.width - max(map(columns, notes)) - 4, 8)
    lines = [cut(head.heading(figure.y.text), page.width)]
    before = None
    for (x, index, label, y, _), note in zip(rows, notes, strict=True):
        bar = paint(_bar(y, least, most, room, page.unicode), index if page.colour and head.grouped else -1)
        lines.append(f"{head.row(x, label, x != before)}  {bar}  {note}")
        before = x
    return lines


class _Head:
    """The columns before the bars: the names of the places, and, of several traces, theirs."""

    def __init__(self, axis: Axis, labels: Sequence[str], legend: str, longest: int) -> None:
        self.grouped = len(labels) > 1
        self.longest = longest
        self.axis, self.legend = axis, cut(legend, self.longest)
        self.names = {x: cut(text, self.longest) for x, text in axis.ticks}
        self.wide = max(columns(text) for text in (cut(axis.text, self.longest), *self.names.values()))
        self.narrow = max(columns(text) for text in (self.legend, *(cut(label, self.longest) for label in labels)))
        self.width = self.wide + (self.narrow + 2 if self.grouped else 0)

    def heading(self, rest: str) -> str:
        first = left(cut(self.axis.text, self.longest), self.wide)
        return "  ".join([first, *([left(self.legend, self.narrow)] if self.grouped else []), rest])

    def row(self, x: float, label: str, begins: bool) -> str:
        name = left(self.names[x] if begins else "", self.wide)
        return f"{name}  {left(cut(label, self.longest), self.narrow)}" if self.grouped else name


def _bar(value: float, least: float, most: float, room: int, unicode: bool) -> str:
    """Give a bar from zero to *value*, padded to *room*; below zero it goes to the left."""
    if not math.isfinite(value) or most == least:
        return " " * room
    zero = round(-least / (most - least) * room)
    length = abs(value) / (most - least) * room
    if value < 0:
        own = min(round(length), zero)
        return " " * (zero - own) + ("█" if unicode else "#") * own + " " * (room - zero)
    whole = int(length) if unicode else round(length)
    part = _PARTS[int((length - whole) * 8)] if unicode and whole < room - zero else ""
    bar = ("█" if unicode else "#") * min(whole, room - zero) + part.strip()
    return " " * zero + bar + " " * (room - zero - len(bar))


def box_lines(figure: Boxes, page: Page) -> list[str]:
    """Write each box as `├───▒▒█▒▒──┤` on one scale, with its median and its number of values."""
    rows = sorted((box.x, index, trace.label, box) for index, trace in enumerate(figure.traces) for box in trace.boxes)
    values = [value for *_, box in rows for value in box.values]
    notes = [f"{cell_texts([box.median], values, 4)[0]}  n = {len(box.values):,}" for *_, box in rows]
    head = _Head(figure.x, [trace.label for trace in figure.traces], figure.legend, page.width // 4)
    room = max(page.width - head.width - max(map(columns, notes)) - 4, 8)
    scale = ruler(figure.y, values, 2)
    lines = [cut(head.heading(f"{figure.y.text}, median"), page.width)]
    before = None
    for (x, index, label, box), note in zip(rows, notes, strict=True):
        drawn = paint("".join(_box(box, scale.of, room, page.unicode)), index if page.colour and head.grouped else -1)
        lines.append(f"{head.row(x, label, x != before)}  {drawn}  {note}")
        before = x
    low, high = cell_texts([min(values), max(values)], values, 4)
    lines.append(" " * (head.width + 2) + low + right(high, room - len(low)))
    return lines


def _box(box: Box, of: Callable[[float], float], room: int, unicode: bool) -> list[str]:
    whisker, body, middle, ends, dot = ("─", "▒", "█", "├┤", "·") if unicode else ("-", "=", "|", "[]", "o")
    at = {
        name: round(of(getattr(box, name)) * (room - 1))
        for name in ("whisker_low", "first_quartile", "median", "third_quartile", "whisker_high")
    }
    row = [" "] * room
    for value in box.outliers:
        row[round(of(value) * (room - 1))] = dot
    for place in range(at["whisker_low"], at["whisker_high"] + 1):
        row[place] = whisker
    for place in range(at["first_quartile"], at["third_quartile"] + 1):
        row[place] = body
    if at["whisker_low"] < at["first_quartile"]:
        row[at["whisker_low"]] = ends[0]
    if at["whisker_high"] > at["third_quartile"]:
        row[at["whisker_high"]] = ends[1]
    row[at["median"]] = middle
    return row
