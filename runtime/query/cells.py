"""Cells of `show` to columns, and the columns that a query without `show` has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from ...grammar import tree
from ..names import written
from .aggregates import deviation, mean
from .expressions import Column
from .fields import FIELDS, UNITS, VERSION
from .lookup import Catalog, Config, Field, Metric
from .provenance import Inputs
from .result import ResultColumn
from .rows import GroupRows, RunRows, direction_of
from .values import finite, frozen, kind
from .walk import ancestors_in, children, field_of, is_given, shape

UNIT_KEEPING: Final = frozenset(
    ("std", "sem", "ci95", "bootstrap95", "sum", "mean", "median", "min", "max", "quantile", "iqm", "unique")
) | {"best", "diff"}
"""Functions over runs whose value has the unit of their argument."""


def show(
    cells: Iterable[tree.Cell], rows: RunRows | GroupRows, before: Iterable[ResultColumn] = ()
) -> list[ResultColumn]:
    """Give a column for each cell, beside those *before*; one that could not be made is missing, and was reported."""
    found: list[ResultColumn] = []
    aliases: dict[str, Column | None] = {}
    taken = {column.name for column in before}
    for cell in cells:
        name, *more = names_of(cell)
        twice = next((own for own in (name, *more) if own in taken), None)
        taken.update((name, *more))
        column, inputs = _traced(cell, rows)
        if twice is not None:
            span = cell.alias.span if cell.alias else cell.span
            help = f"give one another name: `{cell.expr.span.text} as …`"
            rows.context.diagnostics.error("XQ015", span, f"two columns are called `{twice}`", help=help)
            continue
        aliases[name] = None if column is None else list(column.values)
        rows.inputs[name] = inputs
        if column is not None:
            found.append(column)
    rows.aliases.update(aliases)  # for `having`, `keep` and `sort by`; a cell does not see its neighbours
    return found


def names_of(cell: tree.Cell) -> tuple[str, ...]:
    """Give the names that a cell has in data formats: one, or two with a `±`."""
    alias, expr = cell.alias.text if cell.alias else None, cell.expr
    if isinstance(expr, tree.Binary) and expr.operator == "±":
        return alias or label(expr.left), f"{alias}_err" if alias else label(expr.right)
    return (alias or label(expr),)


def _traced(cell: tree.Cell, rows: RunRows | GroupRows) -> tuple[ResultColumn | None, Inputs]:
    """Give a cell's column, and what it was made of."""
    ancestors = ancestors_in(cell.expr, rows.context.catalog)
    if isinstance(rows, RunRows):
        column = _column(cell, rows)
        return column, Inputs((column.values,) if column is not None else (), ancestors=ancestors)
    rows.begin()
    column = _column(cell, rows)
    return column, replace(rows.taken(), ancestors=ancestors)


def _column(cell: tree.Cell, rows: RunRows | GroupRows) -> ResultColumn | None:
    expr, catalog = cell.expr, rows.context.catalog
    better = direction_of(expr, rows.context)
    name, *error_name = names_of(cell)
    if isinstance(expr, tree.Binary) and expr.operator == "±":
        values, error = rows.evaluate(expr.left), rows.evaluate(expr.right)
        if values is None or error is None:
            return None
        return ResultColumn(name, values, error, error_name[0], unit_of(expr.left, catalog), direction=better)
    found = rows.evaluate(expr)
    if found is None:
        return None
    is_key = shape(expr, catalog) in rows.keys if isinstance(rows, GroupRows) else is_given(expr, catalog)
    return ResultColumn(name, found, unit=unit_of(expr, catalog), key=is_key, direction=better)


def label(expr: tree.Expr) -> str:
    """Give the name of a column without an alias: a key's dotted name, else the expression in one line."""
    if isinstance(expr, tree.Name):
        return ".".join(expr.path)
    text = " ".join(expr.span.text.split())
    return f"{text} (Wilcoxon)" if isinstance(expr, tree.Call) and expr.function.path == ("p_value",) else text


def unit_of(expr: tree.Expr, catalog: Catalog) -> str:
    """Give the unit of a field, or of a function over runs that keeps it."""
    if isinstance(expr, tree.Call) and expr.function.path[-1] in UNIT_KEEPING:
        return unit_of(children(expr)[0], catalog) if expr.arguments else ""
    return UNITS.get(field_of(expr, catalog) or "", "")


# ------------------------------------------------------------------ without `show`


def default_runs(rows: RunRows) -> list[ResultColumn]:
    """Give the keys that differ between the rows, the status, and the metrics that any of them has."""
    context = rows.context
    found = []
    if len(rows.runs.experiments) > 1:
        found.append(ResultColumn("experiment", rows.pick(rows.runs.column(Field("experiment"))), key=True))
    for name in context.catalog.keys:
        column = rows.pick(rows.runs.column(Config(name)))
        if len({frozen(value) for value in column}) > 1:
            found.append(ResultColumn(name, column, key=True))
    if rows.runs.attempts:
        found.append(ResultColumn("attempt", rows.pick(rows.runs.column(Field("attempt"))), key=True))
    if rows.runs.superseded:
        found.append(ResultColumn(VERSION, rows.pick(rows.runs.column(Field(VERSION))), key=True))
    found.append(ResultColumn("status", rows.pick(rows.runs.column(Field("status"))), key=True))
    for name, column in _metrics(rows):
        own = _own(name, context.catalog)
        rows.inputs[own] = Inputs((column,))
        found.append(ResultColumn(own, column, direction=context.directions.get(("", name))))
    _alias(rows, found)
    return found


def default_groups(rows: GroupRows) -> list[ResultColumn]:
    """Give mean and deviation of each metric, and how many runs there are."""
    context = rows.context
    found = []
    for name, column in _metrics(rows.runs):
        if _own(name, context.catalog) in rows.key_names:
            continue  # the groups are made by it
        groups = [[column[i] for i in group if column[i] is not None] for group in rows.groups]
        means = [finite(mean(group)) for group in groups]
        error = [finite(deviation(group)) for group in groups]
        own = _own(name, context.catalog)
        rows.inputs[own] = Inputs((column,))
        better = context.directions.get(("", name))
        found.append(ResultColumn(own, means, error, _error_name(own, context.catalog), direction=better))
    found.append(ResultColumn("count()", [len(group) for group in rows.groups]))
    rows.inputs["count()"] = Inputs()
    _alias(rows, found)
    return found


def _alias(rows: RunRows | GroupRows, columns: Iterable[ResultColumn]) -> None:
    for column in columns:
        rows.aliases.setdefault(column.name, list(column.values))


def _metrics(rows: RunRows) -> Iterable[tuple[str, Column]]:
    for name in rows.context.catalog.metrics:
        column = rows.pick(rows.runs.column(Metric(name)))
        if any(kind(value) == "number" for value in column):
            yield name, column


def _own(name: str, catalog: Catalog) -> str:
    """Give the name that a metric has beside a key or a field of the same name."""
    return f"metric.{written((name,))}" if name in catalog.keys or name in FIELDS else name


def _error_name(name: str, catalog: Catalog) -> str:
    found = f"{name}_err"
    return found if found not in catalog.metrics and found not in catalog.keys else f"std({name})"


def picked(columns: Iterable[ResultColumn], rows: Sequence[int]) -> tuple[ResultColumn, ...]:
    """Give the columns at some rows, in that order."""
    return tuple(
        replace(
            column,
            values=[column.values[row] for row in rows],
            error=None if column.error is None else [column.error[row] for row in rows],
        )
        for column in columns
    )
