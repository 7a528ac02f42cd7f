"""Makes the figures of plots over hand-written records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from recorded import Recorded

from xpc.grammar.diagnostic import Diagnostics
from xpc.grammar.parser import parse_query
from xpc.grammar.render import render
from xpc.grammar.source import Source
from xpc.runtime.plots.figure import Boxes, Figure, Heatmap, Parallel, Points
from xpc.runtime.plots.make import make_figure
from xpc.runtime.plots.sections import plot_queries

STUDY = """
grid sweep:
    optimizer.lr in [0.1, 0.01]
    model.name in ["mlp", "cnn"]
    if model.name == "mlp":
        model.width in [16, 32, 64]
    seed in range(3)

experiment train:
    grid sweep
    run "python train.py"
    metric loss minimize
    metric accuracy maximize
"""

Series = Mapping[int, float]


def project(folder: Path, text: str = STUDY) -> Recorded:
    folder.mkdir(exist_ok=True)
    return Recorded(folder, text)


def log(study: Recorded, row: int, state: str | None = "done", *, steps: Sequence[int] = (), **metrics: object) -> None:
    """Write a run; a metric is one value, or a value for each of the steps."""
    lines: list[dict[str, object]] = [{"step": step} for step in steps] or [{}]
    fields = {name: value for name, value in metrics.items() if name in ("duration", "peak_memory")}
    for name, values in metrics.items():
        if name in fields:
            continue
        for line, value in zip(lines, values if isinstance(values, (list, tuple)) else [values], strict=False):
            if value is not None:
                line[name] = value
    study.write(row, state, metrics=lines, **fields)


def figure(study: Recorded, text: str) -> Figure:
    """Give the figure of the last plot in a text without a fault."""
    diagnostics = Diagnostics()
    query = parse_query(Source("<plot>", text), diagnostics)
    found = [make_figure(plot, study.view(), diagnostics) for plot in plot_queries(query.clauses)] if query else []
    assert [d.message for d in diagnostics.found] == []
    assert found[-1] is not None
    return found[-1]


def points(study: Recorded, text: str) -> Points:
    found = figure(study, text)
    assert isinstance(found, Points)
    return found


def boxes(study: Recorded, text: str) -> Boxes:
    found = figure(study, text)
    assert isinstance(found, Boxes)
    return found


def heatmap(study: Recorded, text: str) -> Heatmap:
    found = figure(study, text)
    assert isinstance(found, Heatmap)
    return found


def parallel(study: Recorded, text: str) -> Parallel:
    found = figure(study, text)
    assert isinstance(found, Parallel)
    return found


def faults(study: Recorded, text: str) -> str:
    """Give what is said of a plot with faults; it has no figure."""
    diagnostics = Diagnostics()
    query = parse_query(Source("<plot>", text), diagnostics)
    if query is not None:
        assert [make_figure(plot, study.view(), diagnostics) for plot in plot_queries(query.clauses)] == [None]
    return render(diagnostics.sorted(), "full", color=False)
