"""`line`, `scatter` and `parallel` as text: a canvas of dots, letters for the traces, marks along two sides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from ...grammar.screen import columns
from .canvas import Canvas, paint
from .figure import Axis, Parallel, Points, Trace
from .style import MOST_ENTRIES
from .terminal_page import Page, Ruler, cut, error_text, left, letter, number, right, ruler
from .tick_text import cell_texts

ROWS: Final = 18
_APART: Final = 7  # columns between two letters on a line
_TICKS: Final = 6


def point_lines(figure: Points, page: Page) -> list[str]:
    up = ruler(figure.y, [value for trace in figure.traces for value in trace.y], _TICKS)
    margin = max((columns(text) for _, text in up.ticks), default=0)
    canvas = Canvas(max(page.width - margin - 2, 10), ROWS, unicode=page.unicode)
    across = ruler(figure.x, [value for trace in figure.traces for value in trace.x], _TICKS)
    for index, trace in enumerate(figure.traces):
        _draw(canvas, figure.kind, index, trace, across, up)
    lines = [cut(figure.y.text, page.width)]
    lines += _framed(canvas, up, margin, page)
    lines += _below(across, canvas.columns, margin)
    lines.append(right(cut(figure.x.text, page.width), page.width))
    return lines + _legend(figure, page, canvas)


def _draw(canvas: Canvas, kind: str, index: int, trace: Trace, across: Ruler, up: Ruler) -> None:
    places = [(across.of(x), up.of(y)) for x, y in zip(trace.x, trace.y, strict=True)]
    if kind == "scatter":
        for x, y in places:
            canvas.mark(x, y, letter(index), index)
        return
    for start, end in pairwise(places):
        canvas.line(start, end, index)
    last = -math.inf
    for x, y in places:
        if (x - last) * canvas.columns >= _APART:
            canvas.mark(x, y, letter(index), index)
            last = x


def _framed(canvas: Canvas, up: Ruler, margin: int, page: Page) -> list[str]:
    """Put the marks of the upright axis before the rows."""
    texts = {}
    for value, text in up.ticks:
        share = up.of(value)
        if -1e-9 <= share <= 1 + 1e-9:
            texts[ROWS - 1 - round(share * (ROWS - 1))] = text
    side, tick = ("│", "┤") if page.unicode else ("|", "+")
    return [
        f"{right(texts.get(row, ''), margin)} {tick if row in texts else side}{line}"
        for row, line in enumerate(canvas.lines(colour=page.colour))
    ]


def _below(across: Ruler, width: int, margin: int) -> list[str]:
    """Write the marks below; one that would touch its neighbour is left out."""
    row = [" "] * width
    axis = ["─"] * width
    free = 0
    for value, text in across.ticks:
        at = round(across.of(value) * (width - 1))
        size = columns(text)
        start = min(max(at - size // 2, 0), width - size)
        if not 0 <= at < width or start < free or size > width:
            continue
        axis[at] = "┬"
        row[start : start + size] = [text, *[""] * (size - 1)]
        free = start + size + 2
    return [" " * (margin + 1) + "└" + "".join(axis), " " * (margin + 2) + "".join(row)]


def _legend(figure: Points, page: Page, canvas: Canvas) -> list[str]:
    """Say which letter is which trace, and where a line ends."""
    if not figure.traces:
        return []
    ends = figure.kind == "line"
    among = [value for trace in figure.traces for value in trace.y]
    alone = len(figure.traces) == 1 and not figure.traces[0].label
    lines = [] if alone else [cut(f"{figure.legend}:", page.width)]
    room = min(max(columns(cut(trace.label, 40)) for trace in figure.traces), 40)
    for index, trace in enumerate(figure.traces[:MOST_ENTRIES]):
        text = left(cut(trace.label, room), room) + (f"  ends at {_end(trace, among)}" if ends else "")
        lines.append(_entry(index, text.strip() if alone else text, page))
    if len(figure.traces) > MOST_ENTRIES:
        lines.append(f"  and {len(figure.traces) - MOST_ENTRIES:,} more")
    if canvas.mixed:
        lines.append("  *  several of them")
    return lines


def _entry(index: int, text: str, page: Page) -> str:
    """Give a line of a legend: the letter, in its colour, and what it stands for."""
    return f"  {paint(letter(index), index if page.colour else -1)}  {cut(text, page.width - 5)}"


def _end(trace: Trace, among: Sequence[float]) -> str:
    """Write the last value of a line with its error, and how many runs got there."""
    error = error_text(trace, -1, among)
    value = cell_texts([trace.y[-1]], among, 4)[0] + (f" {error}" if error else "")
    runs = trace.n[-1]
    return f"{value}  ({runs:,} run{'' if runs == 1 else 's'})"


# ------------------------------------------------------------------ parallel coordinates


def parallel_lines(figure: Parallel, page: Page) -> list[str]:
    """Draw the axes as columns of dots; below each its name and its ends."""
    count = len(figure.axes)
    canvas = Canvas(page.width, ROWS, unicode=page.unicode)
    rulers = [ruler(axis, _column(figure, place), 2) for place, axis in enumerate(figure.axes)]
    at = [0.5 if count == 1 else (0.5 + place) / count for place in range(count)]
    for index, trace in enumerate(figure.traces):
        for line in trace.lines:
            places = [(at[i], rulers[i].of(value)) for i, value in enumerate(line) if math.isfinite(value)]
            for start, end in pairwise(places):
                canvas.line(start, end, index)
            if figure.legend:
                canvas.mark(*places[-1], letter(index), index)
    for x in at:
        for row in range(ROWS):
            if not canvas.has_mark(x, row / (ROWS - 1)):
                canvas.mark(x, row / (ROWS - 1), "│", -1)
    room = page.width // count
    tops = [cut(_end_text(axis, r, r.high), room - 1) for axis, r in zip(figure.axes, rulers, strict=True)]
    bottoms = [cut(_end_text(axis, r, r.low), room - 1) for axis, r in zip(figure.axes, rulers, strict=True)]
    names = [cut(axis.text, room - 1) for axis in figure.axes]
    lines = [_centred(tops, room), *canvas.lines(colour=page.colour and bool(figure.legend)), _centred(bottoms, room)]
    lines.append(_centred(names, room))
    if figure.legend:
        lines.append(cut(f"{figure.legend}:", page.width))
        lines += [_entry(index, trace.label, page) for index, trace in enumerate(figure.traces[:MOST_ENTRIES])]
    return lines


def _column(figure: Parallel, place: int) -> list[float]:
    return [line[place] for trace in figure.traces for line in trace.lines]


def _end_text(axis: Axis, own: Ruler, value: float) -> str:
    if axis.scale == "category":
        return axis.ticks[-1 if value == own.high else 0][1] if axis.ticks else ""
    if axis.scale == "time":
        return own.ticks[-1 if value == own.high else 0][1]
    return number(value)


def _centred(texts: Sequence[str], room: int) -> str:
    found = []
    for text in texts:
        before = (room - columns(text)) // 2
        found.append(" " * before + left(text, room - before))
    return "".join(found)
