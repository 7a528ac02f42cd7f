"""Axes, their ticks and labels, the legend: what all drawings share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...grammar.screen import visible
from .figure import Axis
from .style import LEGEND_ROWS
from .tick_text import even_texts, tick_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LONGEST = 28  # characters of a label on an axis or in a legend
_ROOM = 62  # characters that fit side by side below an axis


def shortened(text: str, longest: int = LONGEST) -> str:
    """Cut a text in the middle, where names of one family are alike; what no file may hold is made visible."""
    text = visible(text)
    if len(text) <= longest:
        return text
    half = (longest - 1) // 2
    return f"{text[:half]}…{text[-half:]}"


def all_shortened(texts: Sequence[str]) -> list[str]:
    """Cut texts as far as they can be cut and still be told apart."""
    longest = LONGEST
    while True:
        found = [shortened(text, longest) for text in texts]
        if len(set(found)) == len(set(texts)):
            return found
        longest += 8


def set_axis(axes: Axes, which: str, axis: Axis) -> None:
    """Label the x or y axis of *axes*, scale it and mark its places."""
    own = axes.xaxis if which == "x" else axes.yaxis
    own.set_label_text(shortened(axis.text, 60 if which == "x" else 40))
    if axis.scale == "log":
        (axes.set_xscale if which == "x" else axes.set_yscale)("log", nonpositive="clip")
    if axis.ticks:
        _mark(axes, which, axis)
    elif axis.scale == "time":
        _mark_times(axes, which)
    else:
        _plain_numbers(axes, which, axis)


def _mark(axes: Axes, which: str, axis: Axis) -> None:
    from matplotlib.ticker import NullLocator

    texts = all_shortened([text for _, text in axis.ticks])
    places = [place for place, _ in axis.ticks]
    own = axes.xaxis if which == "x" else axes.yaxis
    own.set_ticks(places, texts)
    own.set_minor_locator(NullLocator())
    if axis.scale == "category":
        own.grid(visible=False)
    if which == "x" and _crowded(texts):
        axes.tick_params(axis="x", labelrotation=35)
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")


def _crowded(texts: list[str]) -> bool:
    return sum(len(text) + 2 for text in texts) > _ROOM or max(map(len, texts), default=0) > _ROOM // max(len(texts), 1)


def _plain_numbers(axes: Axes, which: str, axis: Axis) -> None:
    """Write numbers as people do; all ticks of an axis agree in their decimals."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    own = axes.xaxis if which == "x" else axes.yaxis
    if axis.scale == "log":
        own.set_major_formatter(FuncFormatter(lambda value, _: tick_text(value)))
        own.set_minor_locator(LogLocator(subs=range(2, 10)))
        own.set_minor_formatter(NullFormatter())
        return
    if axis.whole:
        own.set_major_locator(MaxNLocator(nbins="auto", steps=[1, 2, 5, 10], integer=True))
    own.set_major_formatter(FuncFormatter(lambda value, _: even_texts([value, *own.get_majorticklocs()])[0]))


def _mark_times(axes: Axes, which: str) -> None:
    """Mark days or hours; axes are in days."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    own = axes.xaxis if which == "x" else axes.yaxis
    locator = AutoDateLocator()  # type: ignore[no-untyped-call]
    own.set_major_locator(locator)
    own.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]


def set_title(axes: Axes, title: str) -> None:
    if title:
        axes.set_title(shortened(title, 80), loc="left")


def legend_width(title: str, labels: Sequence[str]) -> float:
    """Give the inches that a legend beside the axes takes; of one trace there is none."""
    if len(labels) < 2:
        return 0.0
    longest = max(len(shortened(title, 40)), *(len(label) + 5 for label in all_shortened(labels)))
    return 0.2 + 0.065 * longest * _columns(len(labels))


def _columns(count: int) -> int:
    return 1 + (count - 1) // LEGEND_ROWS


def add_legend(axes: Axes, title: str, count: int) -> None:
    """Explain the traces beside the axes, where a legend hides nothing."""
    if count < 2:
        return
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(
        handles,
        all_shortened([str(label) for label in labels]),
        title=shortened(title, 40),
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        borderaxespad=0.0,
        ncols=_columns(count),
        alignment="left",
    )
