"""Runs to rows of one run at one step each, where a bare metric is its value at that step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from ...grammar import tree
from ..query.expressions import Column, Context
from ..query.lookup import Catalog, Metric, look_up
from ..query.planned import Value
from ..query.rows import RunRows
from ..query.view import Runs
from ..query.walk import parts as parts_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOST_STEPS: Final = 1000  # of a line; of more every k-th is drawn
STEP: Final = ("step",)


class StepRows(RunRows):
    """A row a run and step. *rows* are rows of *runs*; *steps* and the columns of *series* are as long."""

    def __init__(
        self, context: Context, runs: Runs, rows: Sequence[int], steps: Column, series: Mapping[str, Column]
    ) -> None:
        super().__init__(context, runs, rows)
        self.steps = steps
        self.series_of = series

    def name(self, expr: tree.Name) -> Column | None:
        if expr.path == STEP:
            return self.steps
        found = bare_metric(expr, self.context.catalog)
        if found in self.series_of:
            return self.series_of[found]
        ref = look_up(expr.path, expr.span, self.context.catalog, self.context.diagnostics)
        return None if ref is None else self.pick(self.runs.column(ref))


def has_step(expr: tree.Expr) -> bool:
    """Say whether an expression reads the step of a series; a key of that name is `config.step`."""
    return any(isinstance(part, tree.Name) and part.path == STEP for part in parts_of(expr))


def bare_metric(expr: tree.Expr, catalog: Catalog) -> str:
    """Give the metric that a name means without a reducer; an empty text if it is none."""
    if not isinstance(expr, tree.Name):
        return ""
    found = catalog.find(expr.path)
    ref = found[0] if len(found) == 1 else None
    if not isinstance(ref, Metric) or ref.reducer != "last":
        return ""
    names = (".".join(expr.path), ".".join(expr.path[1:]) if expr.path[0] == "metric" else "")
    return ref.name if ref.name in names else ""


def metrics_in(exprs: Iterable[tree.Expr], catalog: Catalog) -> list[str]:
    """Give the metrics whose series are read, each once."""
    found = (bare_metric(part, catalog) for expr in exprs for part in parts_of(expr))
    return list(dict.fromkeys(name for name in found if name))


def step_rows(rows: RunRows, metrics: Sequence[str]) -> tuple[StepRows, int, int]:
    """Read the series of some metrics, and give a row for each run and step that has one of them.

    Beside the rows stand how many different steps are in them, and how many there were. Of more than ``MOST_STEPS``
    every k-th is kept, and the last. Of a step that a run logged several times the last value counts, as for `.at`.
    """
    read = [_series(rows, row, metrics) for row in rows.rows]
    steps, total = _thinned([series[0] for found in read for series in found.values()])
    kept: list[int] = []
    at: list[Value] = []
    columns: dict[str, list[Value]] = {name: [] for name in metrics}
    for row, found in zip(rows.rows, read, strict=True):
        values = {name: _at(*series, steps) for name, series in found.items()}
        own = sorted(set().union(*values.values()))
        kept += [row] * len(own)
        at += [int(step) if step.is_integer() else step for step in own]
        for name, column in columns.items():
            known = values.get(name, {})
            column += [known.get(step) for step in own]
    return StepRows(rows.context, rows.runs, kept, at, columns), len(steps), total


def _series(rows: RunRows, row: int, metrics: Sequence[str]) -> dict[str, tuple[Floats, Floats]]:
    """Give steps and values of a run's series, NaN left out."""
    import numpy as np

    found = rows.runs.every_series(row)
    read = {}
    for name in metrics:
        if (series := found.get(name)) is not None:
            steps, values = np.asarray(series.steps, dtype=float), np.asarray(series.values, dtype=float)
            known = ~(np.isnan(values) | np.isnan(steps))
            read[name] = steps[known], values[known]
    return read


def _thinned(steps: Sequence[Floats]) -> tuple[Floats, int]:
    """Give the different steps, in order, or every k-th of them; and how many there are."""
    import numpy as np

    every = np.unique(np.concatenate(steps)) if steps else np.empty(0)
    stride = -(-len(every) // MOST_STEPS)
    if stride <= 1:
        return every, len(every)
    return np.union1d(every[::stride], every[-1:]), len(every)


def _at(steps: Floats, values: Floats, wanted: Floats) -> dict[float, float]:
    import numpy as np

    kept = np.isin(steps, wanted)
    return dict(zip(steps[kept].tolist(), values[kept].tolist(), strict=True))
