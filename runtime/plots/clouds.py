"""`scatter` and `parallel`: a point, or a line through all axes, for each run or each group of runs."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from ...grammar import tree
from ...grammar.source import Span
from .. import quantities
from ..query.expressions import Column
from ..query.lookup import Config
from ..query.rows import GroupRows, RunRows
from ..query.values import frozen, kind
from ..query.walk import has_reduction
from .channels import label_of, middle, unit_kind
from .figure import Axis, Parallel, ParallelTrace, Points, Trace
from .grouping import Grouping, group_by, over, run_ids, trace_keys
from .measures import direction, measure
from .scales import categories, numbers, numeric_axis, setting_axis, timestamps, unit_scale
from .selection import Selection


@dataclass(frozen=True, slots=True)
class Cloud:
    """Groups of places in *rows*, one a point; *traces* are places among the groups, those of one colour together."""

    rows: RunRows
    groups: list[list[int]]
    by: Grouping
    traces: list[list[int]]
    grouped: GroupRows | None

    def column(self, expr: tree.Expr) -> Column | None:
        """Give a value for each point."""
        if self.grouped is not None:
            return self.grouped.evaluate(expr)
        column = self.rows.evaluate(expr)
        return None if column is None else [column[group[0]] for group in self.groups]

    def ids(self, points: Sequence[int]) -> tuple[str, ...]:
        return run_ids(self.rows, [row for point in points for row in self.groups[point]])


def cloud(plot: tree.Plot, exprs: Sequence[tree.Expr], selected: Selection, rows: RunRows) -> Cloud | None:
    """Give a point for each run, or, where something is a function over runs, for each group of them."""
    by = group_by(trace_keys(plot, selected.parts, rows, []), rows)
    if by is None:
        return None
    if not any(map(has_reduction, exprs)):
        groups = [[row] for row in range(rows.size)]
        return Cloud(rows, groups, by, by.groups(range(rows.size)), None)
    clause = selected.parts.group_by
    keys = group_by(clause.keys if clause is not None else (), rows)
    if keys is None:
        return None
    groups = by.with_more(keys).groups(range(rows.size))
    found: dict[Hashable, list[int]] = {}
    for point, group in enumerate(groups):
        found.setdefault(by.combinations[group[0]], []).append(point)
    return Cloud(rows, groups, by, list(found.values()), over(rows, groups, [by, keys]))


def scatter(plot: tree.Plot, channels: dict[str, tree.Expr], selected: Selection) -> Points | None:
    """Give points; those that lack x or y are left out, and counted."""
    found = cloud(plot, list(channels.values()), selected, selected.rows)
    x, y = (None, None) if found is None else (_side(channels["x"], found), _side(channels["y"], found))
    if found is None or x is None or y is None:
        return None
    traces = [_trace(found, points, x, y) for points in found.traces]
    made = tuple(trace for trace in traces if trace.x)
    errors = dict.fromkeys(name for name in (y.error, x.error) if name)
    notes = _left_out(found, (x, y)) if made else ()
    return Points("scatter", x.axis, y.axis, made, found.by.legend, ", ".join(errors), notes=notes)


def _left_out(found: Cloud, sides: Sequence[_Side]) -> tuple[str, ...]:
    """Say how many runs, or groups, are no points for want of a value."""
    lacking = {side.axis.label: sum(map(math.isnan, side.places)) for side in sides}
    told = [f"{_points(found, number)} without `{label}`" for label, number in lacking.items() if number]
    return (f"Left out: {', '.join(told)}.",) if told else ()


def _points(found: Cloud, number: int) -> str:
    return quantities.runs(number) if found.grouped is None else f"{number:,} group{'' if number == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class _Side:
    """One channel of a scatter: places on its axis, with their bounds."""

    axis: Axis
    places: list[float]
    low: list[float]
    high: list[float]
    error: str = ""


def _side(expr: tree.Expr, found: Cloud) -> _Side | None:
    catalog = found.rows.context.catalog
    if found.grouped is not None and has_reduction(expr):
        measured = measure(expr, found.grouped)
        if measured is None:
            return None
        raw = [numbers(column) for column in (measured.values, measured.low, measured.high)]
        unit, amount = unit_scale(raw[0], unit_kind(expr, catalog))
        places, low, high = ([value / amount for value in column] for column in raw)
        axis = numeric_axis(label_of(expr), places, unit, direction(expr, found.rows))
        return _Side(axis, places, low, high, measured.error)
    column = found.column(middle(expr))
    if column is None:
        return None
    axis, places = any_axis(expr, column, found.rows)
    return _Side(axis, places, [], [])


def any_axis(expr: tree.Expr, column: Column, rows: RunRows) -> tuple[Axis, list[float]]:
    """Give the axis that suits a column of whatever kind, and the places of its values; null is NaN."""
    known = [value for value in column if value is not None]
    quantity = unit_kind(expr, rows.context.catalog)
    label = label_of(expr)
    if quantity == "time":
        return Axis(label, "UTC", "time"), timestamps(column)
    if any(kind(value) != "number" for value in known):
        axis, places = categories(label, known)
        at = dict(zip(map(frozen, known), places, strict=True))
        return axis, [float("nan") if value is None else at[frozen(value)] for value in column]
    raw = numbers(column)
    unit, amount = unit_scale(raw, quantity)
    scaled = [value / amount for value in raw]
    if is_setting(expr, rows):
        return setting_axis(label, scaled, unit), scaled
    return numeric_axis(label, scaled, unit, direction(expr, rows)), scaled


def is_setting(expr: tree.Expr, rows: RunRows) -> bool:
    """Say whether an expression is a key of the config."""
    found = rows.context.catalog.find(expr.path) if isinstance(expr, tree.Name) else []
    return len(found) == 1 and isinstance(found[0], Config)


def _trace(found: Cloud, points: Sequence[int], x: _Side, y: _Side) -> Trace:
    points = [point for point in points if x.places[point] == x.places[point] and y.places[point] == y.places[point]]
    label = found.by.label(found.groups[points[0]][0]) if points else ""
    low, high, x_low, x_high = (
        tuple(bound[point] for point in points) if bound else () for bound in (y.low, y.high, x.low, x.high)
    )
    across, up = (tuple(side.places[point] for point in points) for side in (x, y))
    n = tuple(len(found.groups[point]) for point in points)
    return Trace(label, across, up, low, high, x_low, x_high, n, found.ids(points))


# ------------------------------------------------------------------ parallel coordinates


def parallel(plot: tree.Plot, channels: dict[str, tree.Expr], selected: Selection) -> Parallel | None:
    """Give a line for each point with a y; an axis that a run has no value on is passed by."""
    rows = selected.rows
    exprs = _axes(channels, rows)
    found = cloud(plot, [*exprs, channels["y"]], selected, rows)
    if found is None:
        return None
    sides = [_side(expr, found) for expr in exprs]
    last = _side(channels["y"], found)
    known = [side for side in sides if side is not None]
    if last is None or len(known) < len(sides):
        return None
    varied = [side for side in known if len(set(filter(_is_known, side.places))) > 1] if "x" not in channels else known
    drawn = [point for points in found.traces for point in points if _is_known(last.places[point])]
    wanted = set(drawn)
    traces = []
    # A plot without `by` is coloured by y: what the clauses group by makes its lines, not its colours.
    for points in found.traces if plot.by else [drawn]:
        points = [point for point in points if point in wanted]
        lines = tuple(tuple(side.places[point] for side in (*varied, last)) for point in points)
        label = found.by.label(found.groups[points[0]][0]) if points and plot.by else ""
        traces.append(ParallelTrace(label, lines, tuple(found.ids([point]) for point in points)))
    axes = tuple(side.axis for side in (*varied, last))
    made = tuple(trace for trace in traces if trace.lines)
    notes = _left_out(found, [last]) if made else ()
    return Parallel(axes, made, found.by.legend if plot.by else "", notes=notes)


def _is_known(value: float) -> bool:
    return value == value


def _axes(channels: dict[str, tree.Expr], rows: RunRows) -> list[tree.Expr]:
    """Give the expressions of the axes: those of `x`, else every key; those that do not differ are left out later."""
    given = channels.get("x")
    if isinstance(given, tree.ListOf):
        return list(given.items)
    if given is not None:
        return [given]
    return [_key(name, channels["y"].span, rows) for name in rows.context.catalog.keys]


def _key(name: str, span: Span, rows: RunRows) -> tree.Name:
    """Name a key as a query would: exactly only where it has to be."""
    path = tuple(name.split("."))
    if len(rows.context.catalog.find(path)) > 1:
        path = ("config", *path)
    return tree.Name(tree.Key(tuple(tree.Word(part, span) for part in path), span), span)
