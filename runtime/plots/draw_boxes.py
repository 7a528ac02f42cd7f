"""`box` on matplotlib's axes; where a box has few values, every one of them is a point, too."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from .draw_axes import add_legend, set_axis, set_title, size_with_legend
from .figure import Axis, Box, Boxes
from .style import COLOURS, HATCHES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

FEW: Final = 30  # values that are drawn one by one
_INK: Final = "#222222"


def draw_boxes(figure: Boxes, canvas: Canvas) -> None:
    from matplotlib.patches import Rectangle

    count = len(figure.traces)
    width = min(max(4.2, 1.2 + 0.32 * count * len(figure.x.ticks)), 12.0)
    canvas.set_size_inches(*size_with_legend(width, 3.2, figure.legend, [trace.label for trace in figure.traces]))
    axes = canvas.subplots()
    set_axis(axes, "x", _with_counts(figure), width - 0.7)
    set_axis(axes, "y", figure.y)
    own = 0.8 / max(count, 1)
    for number, trace in enumerate(figure.traces):
        for box in trace.boxes:
            _box(axes, number, box, box.x - 0.4 + own * (number + 0.5), own * 0.8)
        if count > 1:
            axes.add_patch(Rectangle((0, 0), 0, 0, label=trace.label, visible=True, **_look(number)))
    axes.set_xlim(-0.6, len(figure.x.ticks) - 0.4)
    axes.grid(axis="x", visible=False)
    set_title(axes, figure.title)
    add_legend(axes, figure.legend, count)


def _look(number: int) -> dict[str, Any]:
    return {
        "facecolor": COLOURS[number % len(COLOURS)],
        "hatch": HATCHES[number % len(HATCHES)],
        "edgecolor": _INK,
        "linewidth": 0.8,
        "alpha": 0.55,
    }


def _with_counts(figure: Boxes) -> Axis:
    """Say under each category how many values its boxes have; of several traces, where they all have as many."""
    counts: dict[float, set[int]] = {}
    for trace in figure.traces:
        for box in trace.boxes:
            counts.setdefault(box.x, set()).add(len(box.values))
    ticks = tuple((x, f"{text}\nn = {_counted(counts.get(x, set()))}".lstrip()) for x, text in figure.x.ticks)
    return replace(figure.x, ticks=ticks)


def _counted(numbers: set[int]) -> str:
    if not numbers:
        return "0"
    return f"{min(numbers):,}" if len(numbers) == 1 else f"{min(numbers):,} to {max(numbers):,}"


def _box(axes: Axes, number: int, box: Box, place: float, width: float) -> None:
    ink: dict[str, Any] = {"color": _INK, "linewidth": 0.8}
    drawn = axes.bxp(
        [
            {
                "med": box.median,
                "q1": box.first_quartile,
                "q3": box.third_quartile,
                "whislo": box.whisker_low,
                "whishi": box.whisker_high,
                "fliers": box.outliers if len(box.values) > FEW else (),
            }
        ],
        positions=[place],
        widths=[width],
        patch_artist=True,
        manage_ticks=False,
        medianprops={"color": _INK, "linewidth": 1.6},
        whiskerprops=ink,
        capprops=ink,
        flierprops={"marker": "o", "markersize": 2.5, "markerfacecolor": _INK, "markeredgewidth": 0},
    )
    drawn["boxes"][0].set(**_look(number))
    if len(box.values) <= FEW:
        axes.plot(_spread(place, width, len(box.values)), box.values, ".", color=_INK, markersize=3.5, alpha=0.8)


def _spread(place: float, width: float, count: int) -> list[float]:
    """Lay points beside each other, to and fro by the golden ratio: without chance, and hardly ever two on one spot."""
    return [place + ((i * 0.618034) % 1.0 - 0.5) * width * 0.6 for i in range(count)]
