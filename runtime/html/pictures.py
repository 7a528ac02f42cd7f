"""A report's results and plots to the parts of its section, in the order in which the report has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ...grammar import tree
from ...grammar.diagnostic import Diagnostics
from ..plots.draw import NoMatplotlibError, svg
from ..plots.figure import Figure, Parallel, Points
from ..plots.make import make_figure
from ..plots.sections import plot_queries
from ..plots.terminal import text
from ..query.result import Result
from ..query.view import View
from .document import Picture, Section

WIDTH: Final = 96  # characters of a plot that is drawn with characters


def section(report: tree.Report, results: Sequence[Result], view: View, diagnostics: Diagnostics) -> Section:
    """Give the section of a report. Its *results* are those of all its tables; what is wrong in a plot is reported."""
    shows = [clause.span.start for clause in report.clauses if isinstance(clause, tree.Show)]
    tables = list(zip(shows or [report.span.start], results, strict=True)) if results else []
    parts: list[tuple[int, Result | Picture]] = list(tables)
    for query in plot_queries(report.clauses):
        figure = make_figure(query, view, diagnostics)
        if figure is not None:
            parts.append((query.plot.span.start, picture(figure)))
    parts.sort(key=lambda part: part[0])
    return Section(report.name.text, [part for _, part in parts])


def picture(figure: Figure) -> Picture:
    """Draw a plot; without matplotlib with characters."""
    try:
        drawn = svg(figure)
    except NoMatplotlibError:
        drawn = None
    characters = text(figure, WIDTH, unicode=True, colour=False) if drawn is None else ""
    errors = [f"Errors: {figure.error}."] if isinstance(figure, Points) and figure.error else []
    return Picture(drawn, described(figure), characters, [*errors, *figure.notes])


def described(figure: Figure) -> str:
    """Say in words what a plot shows."""
    if isinstance(figure, Parallel):
        shown = f"{', '.join(axis.text for axis in figure.axes)} of each run"
    else:
        shown = f"{figure.y.text} over {figure.x.text}"
    by = f", by {figure.legend}" if figure.legend else ""
    return f"{figure.title}: {shown}{by}" if figure.title else f"{figure.kind}: {shown}{by}"
