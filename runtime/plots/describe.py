"""A figure to one sentence: what it shows over what, what its errors are, what it leaves out."""

from __future__ import annotations

from typing import assert_never

from .figure import Boxes, Figure, Heatmap, Parallel, Points


def describe(figure: Figure) -> str:
    """Say what a figure shows, for those who can't see it, and for those who have only the file."""
    match figure:
        case Points():
            shown = f"{figure.y.text} over {figure.x.text}"
        case Boxes():
            shown = f"{figure.y.text} over {figure.x.text}" if figure.x.label else figure.y.text
        case Heatmap():
            shown = f"{figure.z.text} over {figure.x.text} and {figure.y.text}"
        case Parallel():
            *axes, last = [axis.text for axis in figure.axes]
            shown = f"{last} over {', '.join(axes)}" if axes else last
        case _:
            assert_never(figure)
    by = f" by {figure.legend}" if figure.legend else ""
    error = f" Errors: {figure.error}." if isinstance(figure, Points) and figure.error else ""
    return " ".join((f"{figure.kind}: {shown}{by}.{error}", *figure.notes))
