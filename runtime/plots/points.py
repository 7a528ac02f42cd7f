"""`line` and `bar`: a value for each place of x and each trace, with its error over the runs that are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from ...grammar import tree
from .. import quantities
from ..query.expressions import Column
from ..query.lookup import Ancestor, Metric, exact
from ..query.rows import RunRows
from ..query.values import kind
from .channels import label_of, unit_kind
from .figure import Axis, Points, Trace
from .grouping import group_by, over, run_ids, trace_keys
from .measures import Measure, direction, measure
from .scales import categories, numbers, numeric_axis, setting_axis, timestamps, unit_scale
from .selection import Selection
from .steps import has_step, metrics_in, step_rows


def line(plot: tree.Plot, channels: dict[str, tree.Expr], selected: Selection) -> Points | None:
    """Give lines over a key, or over the step of series: learning curves."""
    rows, notes = _rows(plot, channels, selected)
    return None if rows is None else _points("line", plot, channels, selected, rows, notes)


def bar(plot: tree.Plot, channels: dict[str, tree.Expr], selected: Selection) -> Points | None:
    """Give bars; whatever x is, its values are categories."""
    return _points("bar", plot, channels, selected, selected.rows, [])


def _rows(plot: tree.Plot, channels: dict[str, tree.Expr], selected: Selection) -> tuple[RunRows | None, list[str]]:
    """Give a row a run, or, of learning curves, a row a run and step."""
    rows = selected.rows
    if not has_step(channels["x"]):
        return rows, []
    metrics = metrics_in(channels.values(), rows.context.catalog)
    if not metrics:
        if rows.evaluate(channels["y"]) is not None:
            help = _where_steps_are(channels["y"], rows)
            rows.context.diagnostics.error("XQ031", channels["y"].span, "this has no value at each step", help=help)
        return None, []
    stepped, drawn, total = step_rows(rows, metrics)
    notes = [f"Drawn at {drawn:,} of {total:,} steps."] if drawn < total else []
    return stepped, notes


def _where_steps_are(y: tree.Expr, rows: RunRows) -> str:
    """Say how the series is named: an ancestor's has its steps in the ancestor's own runs."""
    found = rows.context.catalog.find(y.path) if isinstance(y, tree.Name) else []
    match found:
        case [Ancestor(experiment, Metric(name) as ref)]:
            metric = name if name.isidentifier() else exact(ref)
            return f"the steps are those of `{experiment}`: `from {experiment}`, and `y = {metric}`"
        case _:
            return "a metric has steps where it is named without a reducer: `y = loss`"


def _points(
    name: Literal["line", "bar"],
    plot: tree.Plot,
    channels: dict[str, tree.Expr],
    selected: Selection,
    rows: RunRows,
    notes: list[str],
) -> Points | None:
    x = group_by([channels["x"]], rows)
    by = group_by(trace_keys(plot, selected.parts, rows, [channels["x"]]), rows)
    if x is None or by is None:
        return None
    known = [row for row in range(rows.size) if name == "bar" or x.columns[0][row] is not None]
    lacking = rows.size - len(known)
    if lacking and known:
        notes.append(f"Left out: {quantities.runs(lacking)} without `{label_of(channels['x'])}`.")
    traces = by.groups(known)
    parted = [x.groups(trace) for trace in traces]
    groups = [group for part in parted for group in part]
    found = measure(channels["y"], over(rows, groups, [x, by]))
    if found is None:
        return None
    axis, places = place(name, channels["x"], rows, [x.columns[0][group[0]] for group in groups])
    unit, amount = unit_scale(numbers(found.values), unit_kind(channels["y"], rows.context.catalog))
    made: list[Trace] = []
    start = 0
    for trace, part in zip(traces, parted, strict=True):
        stop = start + len(part)
        made.append(_trace(by.label(trace[0]), slice(start, stop), places, found, amount, rows, trace))
        start = stop
    y = numeric_axis(label_of(channels["y"]), [value for trace in made for value in trace.y], unit)
    y = replace(y, direction=direction(channels["y"], rows), scale="linear" if name == "bar" else y.scale)
    made = [trace for trace in map(_sorted_known, made) if trace.x]
    error = found.error if any(trace.low != trace.high for trace in made) else ""
    return Points(name, axis, y, tuple(made), by.legend, error, notes=tuple(notes))


def place(name: str, expr: tree.Expr, rows: RunRows, values: Column) -> tuple[Axis, list[float]]:
    """Give the axis of x and the places of *values* on it."""
    label = label_of(expr)
    if name == "bar" or any(kind(value) not in ("null", "number") for value in values):
        if name != "bar" and unit_kind(expr, rows.context.catalog) == "time":
            return Axis(label, "UTC", "time"), timestamps(values)
        return categories(label, values)
    raw = numbers(values)
    unit, amount = unit_scale(raw, unit_kind(expr, rows.context.catalog))
    scaled = [value / amount for value in raw]
    if has_step(expr):
        return replace(numeric_axis(label, scaled, unit), scale="linear"), scaled
    return (setting_axis if name == "line" else numeric_axis)(label, scaled, unit), scaled


def _trace(
    label: str, part: slice, places: Sequence[float], found: Measure, amount: float, rows: RunRows, group: Sequence[int]
) -> Trace:
    y, low, high = (
        tuple(value / amount for value in numbers(column[part])) for column in (found.values, found.low, found.high)
    )
    return Trace(label, tuple(places[part]), y, low, high, n=tuple(found.n[part]), runs=run_ids(rows, group))


def _sorted_known(trace: Trace) -> Trace:
    """Sort the points by x, and leave out those that have no value at all."""
    order = sorted((i for i in range(len(trace.x)) if trace.n[i] and trace.y[i] == trace.y[i]), key=trace.x.__getitem__)
    low, high = (tuple(bound[i] for i in order) if bound else () for bound in (trace.low, trace.high))
    x, y = (tuple(column[i] for i in order) for column in (trace.x, trace.y))
    return replace(trace, x=x, y=y, low=low, high=high, n=tuple(trace.n[i] for i in order))
