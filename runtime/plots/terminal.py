"""A figure to lines of text for a terminal. Traces are told apart by letters; colours only help."""

from __future__ import annotations

from typing import Final, assert_never

from ...grammar.screen import visible
from .figure import Boxes, Figure, Heatmap, Parallel, Points
from .terminal_bars import bar_lines, box_lines
from .terminal_grid import heatmap_lines
from .terminal_lines import parallel_lines, point_lines
from .terminal_page import Page

WIDTH: Final = 80


def text(figure: Figure, width: int = WIDTH, *, unicode: bool = True, colour: bool = False) -> str:
    """Draw a figure *width* columns wide, without a newline at the end; not *unicode*: with ASCII alone."""
    page = Page(width, unicode, colour)
    lines = [visible(figure.title), ""] if figure.title else []
    lines += _drawn(figure, page) if _size(figure) else ["Nothing to plot: no run has the values yet."]
    if isinstance(figure, Points) and figure.error:
        lines.append(f"Errors: {figure.error}.")
    lines += figure.notes
    found = "\n".join(line.rstrip() for line in lines)
    return found if unicode else _ascii(found)


def _drawn(figure: Figure, page: Page) -> list[str]:
    match figure:
        case Points(kind="bar"):
            return bar_lines(figure, page)
        case Points():
            return point_lines(figure, page)
        case Boxes():
            return box_lines(figure, page)
        case Heatmap():
            return heatmap_lines(figure, page)
        case Parallel():
            return parallel_lines(figure, page)
        case _:
            assert_never(figure)


def _size(figure: Figure) -> int:
    return len(figure.panels) if isinstance(figure, Heatmap) else len(figure.traces)


_PLAIN: Final = str.maketrans(
    {"±": "+/-", "–": "-", "…": "...", "−": "-", "×": "x", "“": '"', "”": '"', "└": "+", "─": "-", "┬": "+", "│": "|"}
)


def _ascii(text: str) -> str:
    return text.translate(_PLAIN).encode("ascii", "replace").decode("ascii")
