"""`box`: the values of the runs in each group, their quartiles, whiskers and outliers."""

from __future__ import annotations

from collections.abc import Sequence

from ...grammar import tree
from ..query.aggregates import quantile
from ..query.expressions import Column
from .channels import label_of, subject, unit_kind
from .figure import Axis, Box, Boxes, BoxTrace
from .grouping import group_by, run_ids, trace_keys
from .measures import direction, numeric
from .scales import categories, numbers, numeric_axis, unit_scale
from .selection import Selection

REACH = 1.5  # interquartile ranges that a whisker reaches at most: Tukey 1977


def box(plot: tree.Plot, channels: dict[str, tree.Expr], selected: Selection) -> Boxes | None:
    """Give a box for each value of x and each trace. Of a column `mean(x) ± std(x)` the boxes are of x."""
    rows, measured = selected.rows, subject(channels["y"])
    given = [channels["x"]] if "x" in channels else []
    x = group_by(given, rows)
    by = group_by(trace_keys(plot, selected.parts, rows, given), rows)
    column = numeric(measured, rows)
    if x is None or by is None or column is None:
        return None
    values = numbers(column)
    known = [row for row in range(rows.size) if values[row] == values[row]]
    unit, amount = unit_scale([values[row] for row in known], unit_kind(measured, rows.context.catalog))
    axis, places = _axis(given, x.columns, known)
    traces = [
        BoxTrace(
            by.label(trace[0]),
            tuple(
                sorted(
                    (make_box(places[group[0]], [values[row] / amount for row in group]) for group in x.groups(trace)),
                    key=lambda made: made.x,
                )
            ),
            run_ids(rows, trace),
        )
        for trace in by.groups(known)
    ]
    seen = [value for trace in traces for made in trace.boxes for value in made.values]
    y = numeric_axis(label_of(measured), seen, unit, direction(measured, rows))
    return Boxes(axis, y, tuple(traces), by.legend)


def _axis(given: Sequence[tree.Expr], columns: Sequence[Column], known: Sequence[int]) -> tuple[Axis, dict[int, float]]:
    """Give the axis of x, and the place of each row on it; without an x all are in one place."""
    if not given:
        return Axis("", "", "category", ((0.0, ""),)), dict.fromkeys(known, 0.0)
    axis, places = categories(label_of(given[0]), [columns[0][row] for row in known])
    return axis, dict(zip(known, places, strict=True))


def make_box(x: float, values: Sequence[float]) -> Box:
    """Summarise values (one at least)."""
    ordered = tuple(sorted(values))
    first, middle, third = (_known(quantile(ordered, q)) for q in (0.25, 0.5, 0.75))
    reach = REACH * (third - first)
    inside = [value for value in ordered if first - reach <= value <= third + reach]
    return Box(x, ordered, min(inside[0], first), first, middle, third, max(inside[-1], third))


def _known(value: float | None) -> float:
    assert value is not None
    return value
