"""`line`, `scatter` and `bar` on matplotlib's axes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from .draw_axes import add_legend, set_axis, set_title, size_with_legend
from .figure import Axis, Points, Trace
from .style import COLOURS, DASHES, HATCHES, MARKERS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

DAY: Final = 86400.0
_MARKED: Final = 25  # points of a line that each get a marker


def draw_points(figure: Points, canvas: Canvas) -> None:
    width = _width(figure)
    labels = [trace.label for trace in figure.traces]
    canvas.set_size_inches(*size_with_legend(width, 3.2, figure.legend, labels))
    axes = canvas.subplots()
    set_axis(axes, "x", figure.x, width - 0.7)
    set_axis(axes, "y", figure.y)
    for number, trace in enumerate(map(partial(_in_days, figure), figure.traces)):
        match figure.kind:
            case "line":
                _line(axes, number, trace)
            case "bar":
                _bars(axes, number, trace, len(figure.traces))
            case "scatter":
                _dots(axes, number, trace)
    if figure.kind == "bar":
        axes.set_xlim(-0.6, len(figure.x.ticks) - 0.4)
        axes.grid(axis="x", visible=False)
    for which, axis in (("x", figure.x), ("y", figure.y)):
        _widen(axes, which, axis)
    set_title(axes, figure.title)
    add_legend(axes, figure.legend, len(figure.traces))


def _widen(axes: Axes, which: str, axis: Axis) -> None:
    """Give an axis of one moment a width that a reader understands: an hour to both sides."""
    data = axes.dataLim.intervalx if which == "x" else axes.dataLim.intervaly
    if axis.scale == "time" and data[0] == data[1]:
        (axes.set_xlim if which == "x" else axes.set_ylim)(data[0] - 1 / 24, data[1] + 1 / 24)


def _in_days(figure: Points, trace: Trace) -> Trace:
    """Give times in days, as matplotlib has them."""
    if figure.x.scale == "time":
        trace = replace(trace, x=tuple(x / DAY for x in trace.x))
    if figure.y.scale == "time":
        trace = replace(trace, y=tuple(y / DAY for y in trace.y))
    return trace


def _width(figure: Points) -> float:
    """Give the inches of the axes and their labels: a column of a paper; more for many bars."""
    bars = len(figure.x.ticks) * len(figure.traces) if figure.kind == "bar" else 0
    return min(max(4.2, 1.2 + 0.22 * bars), 12.0)


def _look(number: int) -> dict[str, Any]:
    return {"color": COLOURS[number % len(COLOURS)]}


def _line(axes: Axes, number: int, trace: Trace) -> None:
    many = len(trace.x) > _MARKED
    marker = MARKERS[number % len(MARKERS)]
    axes.plot(
        trace.x,
        trace.y,
        label=trace.label,
        linestyle=DASHES[(number // len(COLOURS) + number) % len(DASHES)],
        marker=marker if not many else None,
        markersize=4,
        **_look(number),
    )
    if trace.low != trace.high:
        # On a logarithmic axis a bound at or below zero is clipped, and must not stretch the axis.
        axes.fill_between(trace.x, trace.low, trace.high, alpha=0.18, linewidth=0, **_look(number))


def _bars(axes: Axes, number: int, trace: Trace, count: int) -> None:
    width = 0.8 / count
    places = [x - 0.4 + width * (number + 0.5) for x in trace.x]
    axes.bar(
        places,
        trace.y,
        width * 0.92,
        label=trace.label,
        hatch=HATCHES[number % len(HATCHES)],
        edgecolor="white",
        linewidth=0.6,
        **_look(number),
    )
    if trace.low != trace.high:
        axes.errorbar(places, trace.y, yerr=_lengths(trace.y, trace.low, trace.high), **_WHISKER)


_WHISKER: dict[str, Any] = {"fmt": "none", "ecolor": "#222222", "elinewidth": 0.9, "capsize": 2.5}


def _lengths(values: tuple[float, ...], low: tuple[float, ...], high: tuple[float, ...]) -> list[list[float]]:
    below = [max(value - bound, 0.0) for value, bound in zip(values, low, strict=True)]
    above = [max(bound - value, 0.0) for value, bound in zip(values, high, strict=True)]
    return [below, above]


def _dots(axes: Axes, number: int, trace: Trace) -> None:
    look = _look(number)
    if trace.low and trace.low != trace.high:
        lengths = _lengths(trace.y, trace.low, trace.high)
        axes.errorbar(trace.x, trace.y, yerr=lengths, fmt="none", elinewidth=0.8, alpha=0.6, ecolor=look["color"])
    if trace.x_low and trace.x_low != trace.x_high:
        lengths = _lengths(trace.x, trace.x_low, trace.x_high)
        axes.errorbar(trace.x, trace.y, xerr=lengths, fmt="none", elinewidth=0.8, alpha=0.6, ecolor=look["color"])
    axes.plot(
        trace.x,
        trace.y,
        linestyle="none",
        label=trace.label,
        marker=MARKERS[number % len(MARKERS)],
        alpha=0.85 if len(trace.x) < 200 else 0.5,
        markeredgecolor="white",
        markeredgewidth=0.4,
        **look,
    )
