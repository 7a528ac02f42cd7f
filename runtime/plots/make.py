"""A plot and a view of the runs to the data of its figure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final, assert_never

from ...grammar import tree
from ...grammar.diagnostic import Diagnostics
from ...grammar.plot_form import check_plot
from .. import quantities
from ..query.lookup import Field, look_up
from ..query.view import View
from ..query.walk import parts as parts_of
from ..states import STATES
from . import clouds, grid, points, spread
from .channels import channels_of
from .figure import Boxes, Figure, Heatmap, Parallel, Points
from .sections import PlotQuery
from .selection import Selection, select_runs
from .steps import STEP

MOST_TRACES: Final = 100
MOST_PANELS: Final = 36
_KINDS: Final[dict[str, Callable[[tree.Plot, dict[str, tree.Expr], Selection], Figure | None]]] = {
    "line": points.line,
    "bar": points.bar,
    "scatter": clouds.scatter,
    "parallel": clouds.parallel,
    "box": spread.box,
    "heatmap": grid.heatmap,
}


def make_figure(query: PlotQuery, view: View, diagnostics: Diagnostics) -> Figure | None:
    """Give what a plot shows; nothing if something in it is wrong, which has been reported then."""
    before = len(diagnostics.found)
    if not check_plot(query.plot, Diagnostics()):
        return None  # the parser has said why
    selected = select_runs(query.clauses, view, diagnostics)
    if selected is None:
        return None
    channels = channels_of(query.plot, selected.parts.cells)
    found: Figure | None = _KINDS[query.plot.kind.text](query.plot, channels, selected)
    if found is None:
        _look_up_all([*channels.values(), *query.plot.by], selected)
    if found is None or any(finding.severity == "error" for finding in diagnostics.found[before:]):
        return None
    found = _readable(found)
    return replace(found, title=query.title, notes=(*found.notes, *_notes(selected)))


def _readable(figure: Figure) -> Figure:
    """Leave as many traces, or panels, as anybody can look at, and say so."""
    kept: Figure
    match figure:
        case Heatmap(panels=panels):
            kept, shown = replace(figure, panels=panels[:MOST_PANELS]), f"{MOST_PANELS} of {len(panels):,} panels"
        case Points(traces=traces):
            kept, shown = replace(figure, traces=traces[:MOST_TRACES]), f"{MOST_TRACES} of {len(traces):,} traces"
        case Boxes(traces=boxes):
            kept, shown = replace(figure, traces=boxes[:MOST_TRACES]), f"{MOST_TRACES} of {len(boxes):,} traces"
        case Parallel(traces=lines):
            kept, shown = replace(figure, traces=lines[:MOST_TRACES]), f"{MOST_TRACES} of {len(lines):,} traces"
        case _:
            assert_never(figure)
    if _size(kept) == _size(figure):
        return figure
    return replace(kept, notes=(*kept.notes, f"The first {shown} are drawn: narrow `by` or `where`."))


def _size(figure: Figure) -> int:
    return len(figure.panels) if isinstance(figure, Heatmap) else len(figure.traces)


def _look_up_all(exprs: Iterable[tree.Expr], selected: Selection) -> None:
    """Report every wrong name of a plot that has failed at the first of them."""
    context = selected.context
    for part in (part for expr in exprs for part in parts_of(expr)):
        if isinstance(part, tree.Name) and part.path != STEP:
            look_up(part.path, part.span, context.catalog, context.diagnostics)


def _notes(selected: Selection) -> list[str]:
    """Say which of the runs are not done: those that go on are drawn as far as they are."""
    states = Counter(selected.rows.pick(selected.rows.runs.column(Field("status"))))
    undone: dict[str, int] = {state: states[state] for state in STATES if states[state] and state != "done"}
    return [f"Not done: {quantities.states(undone)}."] if undone else []
