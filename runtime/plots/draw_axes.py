"""Axes, their ticks and labels, the legend: what all drawings share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...grammar.screen import visible
from .figure import Axis
from .style import LEGEND_ROWS, MOST_ENTRIES
from .tick_text import even_texts, tick_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LONGEST = 28  # characters of a label on an axis or in a legend
LETTER = 0.065  # inches that a letter takes
MOST_TICKS = 60  # of a category axis; of more every k-th has its text


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


def set_axis(axes: Axes, which: str, axis: Axis, room: float = 3.4) -> None:
    """Label the x or y axis of *axes*, scale it and mark its places; it is *room* inches long."""
    own = axes.xaxis if which == "x" else axes.yaxis
    own.set_label_text(shortened(axis.text, 60 if which == "x" else 40))
    if axis.scale == "log":
        (axes.set_xscale if which == "x" else axes.set_yscale)("log", nonpositive="clip")
    if axis.ticks:
        _mark(axes, which, axis, room)
    elif axis.scale == "time":
        _mark_times(axes, which)
    else:
        _plain_numbers(axes, which, axis)


def _mark(axes: Axes, which: str, axis: Axis, room: float) -> None:
    from matplotlib.ticker import NullLocator

    lines = [text.split("\n") for _, text in axis.ticks]
    texts = [
        "\n".join((name, *line[1:])) for name, line in zip(all_shortened([n for n, *_ in lines]), lines, strict=True)
    ]
    places = [place for place, _ in axis.ticks]
    stride = -(-len(texts) // MOST_TICKS)
    texts = [text if not place % stride else "" for place, text in enumerate(texts)]
    own = axes.xaxis if which == "x" else axes.yaxis
    own.set_ticks(places, texts)
    own.set_minor_locator(NullLocator())
    if axis.scale == "category":
        own.grid(visible=False)
    if which == "x" and _crowded(texts, room):
        axes.tick_params(axis="x", labelrotation=35)
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")


def _crowded(texts: Sequence[str], room: float) -> bool:
    """Say whether texts, side by side in places of one width, would touch; *room* in inches."""
    longest = max((len(line) for text in texts for line in text.split("\n")), default=0)
    return bool(texts) and (longest + 1) * LETTER > room / len(texts)


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


def size_with_legend(width: float, height: float, title: str, labels: Sequence[str]) -> tuple[float, float]:
    """Add to the inches of a figure the room of a legend beside its axes; of one trace there is none."""
    if len(labels) < 2:
        return width, height
    entries = _entries(labels)
    longest = max(len(shortened(title, 40)), *(len(label) + 5 for label in entries))
    columns = _columns(len(entries))
    rows = -(-len(entries) // columns) + 2
    return width + 0.2 + LETTER * longest * columns, max(height, 0.18 * rows + 0.2)


def _entries(labels: Sequence[str]) -> list[str]:
    return all_shortened(labels[:MOST_ENTRIES])


def _columns(count: int) -> int:
    return 1 + (count - 1) // LEGEND_ROWS


def add_legend(axes: Axes, title: str, count: int) -> None:
    """Explain the traces beside the axes, where a legend hides nothing; of very many the first."""
    if count < 2:
        return
    handles, labels = axes.get_legend_handles_labels()
    entries = _entries([str(label) for label in labels])
    more = f"\n(the first {len(entries)} of {len(labels)})" if len(entries) < len(labels) else ""
    axes.legend(
        handles[: len(entries)],
        entries,
        title=shortened(title, 40) + more,
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        borderaxespad=0.0,
        ncols=_columns(len(entries)),
        alignment="left",
    )
