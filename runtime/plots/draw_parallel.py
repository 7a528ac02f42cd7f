"""`parallel` on matplotlib's axes: upright axes side by side, each with its own scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from .draw_axes import add_legend, set_title, shortened, size_with_legend
from .figure import Axis, Parallel
from .style import COLOURS, DASHES, for_lines
from .tick_text import even_texts, tick_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_TICKS: Final = 5
_INK: Final = "#444444"


def draw_parallel(figure: Parallel, canvas: Canvas) -> None:
    count = len(figure.axes)
    width = min(max(4.2, 1.5 * count + 0.6), 14.0)
    canvas.set_size_inches(*size_with_legend(width, 3.4, figure.legend, [trace.label for trace in figure.traces]))
    axes = canvas.subplots()
    heights = [Height(axis, _column(figure, place)) for place, axis in enumerate(figure.axes)]
    _lines(axes, figure, heights, canvas)
    for place, height in enumerate(heights):
        _upright(axes, place, height)
    axes.set_xlim(-0.15, count - 1 + 0.15)
    axes.set_ylim(-0.04, 1.04)
    axes.set_xticks(range(count), [shortened(axis.text, 24) for axis in figure.axes])
    axes.tick_params(axis="x", length=0, pad=6)
    axes.yaxis.set_visible(False)
    axes.grid(visible=False)
    for side in axes.spines.values():
        side.set_visible(False)
    set_title(axes, figure.title)


class Height:
    """One upright axis: where on it, from 0 to 1, a value stands, and which values are marked."""

    def __init__(self, axis: Axis, values: Sequence[float]) -> None:
        known = [value for value in values if math.isfinite(value)]
        places = [place for place, _ in axis.ticks]
        ends = [*known, *places] or [0.0, 1.0]
        self.axis = axis
        self.low, self.high = min(ends), max(ends)
        self.log = axis.scale == "log" and self.low > 0

    def of(self, value: float) -> float:
        if self.low == self.high:
            return 0.5
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[tuple[float, str]]:
        if self.axis.ticks:
            return [(self.of(value), text) for value, text in self.axis.ticks]
        if self.axis.scale == "time":
            return [(0.0, _date(self.low)), (1.0, _date(self.high))]
        shares = [i / (_TICKS - 1) for i in range(_TICKS)]
        if self.log:
            values = [self.low * (self.high / self.low) ** share for share in shares]
            return [(share, tick_text(float(f"{value:.2g}"))) for share, value in zip(shares, values, strict=True)]
        from matplotlib.ticker import MaxNLocator

        found = MaxNLocator(_TICKS).tick_values(self.low, self.high)
        inside = [float(value) for value in found if self.low <= value <= self.high]
        return [(self.of(v), text) for v, text in zip(inside, even_texts(inside), strict=True)]


def _date(seconds: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).strftime("%m-%d %H:%M")


def _column(figure: Parallel, place: int) -> list[float]:
    return [line[place] for trace in figure.traces for line in trace.lines]


def _upright(axes: Axes, place: int, height: Height) -> None:
    axes.plot([place, place], [0, 1], color=_INK, linewidth=0.9, zorder=3, solid_capstyle="butt")
    halo: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.6}
    for at, text in height.ticks():
        axes.plot([place - 0.015, place], [at, at], color=_INK, linewidth=0.8, zorder=3)
        axes.text(place - 0.03, at, shortened(text, 18), ha="right", va="center", fontsize=7, zorder=4, bbox=halo)


def _lines(axes: Axes, figure: Parallel, heights: Sequence[Height], canvas: Canvas) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm, Normalize

    colours = for_lines()
    last = heights[-1]
    many = sum(len(trace.lines) for trace in figure.traces)
    look: dict[str, Any] = {"linewidth": 1.1 if many <= 100 else 0.6, "alpha": 0.85 if many <= 100 else 0.5}
    norm = (LogNorm if last.log else Normalize)(last.low, last.high if last.high > last.low else last.low + 1)
    for number, trace in enumerate(figure.traces):
        own = {"color": COLOURS[number % len(COLOURS)], "linestyle": DASHES[number % len(DASHES)]}
        for index, line in enumerate(trace.lines):
            known = [(place, heights[place].of(value)) for place, value in enumerate(line) if math.isfinite(value)]
            colour = own if figure.legend else {"color": colours(float(norm(line[-1])))}
            label = trace.label if figure.legend and not index else None
            axes.plot([x for x, _ in known], [y for _, y in known], label=label, **colour, **look)
    if figure.legend:
        add_legend(axes, figure.legend, len(figure.traces))
    elif figure.traces:
        bar = canvas.colorbar(ScalarMappable(norm, colours), ax=axes, pad=0.02, aspect=25)
        bar.outline.set_visible(False)
        bar.set_ticks([])
