"""Queries and the clauses of reports to text that reads back as the same ones."""

from __future__ import annotations

from typing import assert_never

from . import tree
from .print_expression import SPREAD, expression_text, segment_text, text_text


def query_text(query: tree.Query) -> str:
    """Give a query on one line."""
    return " ".join(map(clause_text, query.clauses))


def clause_text(clause: tree.Clause) -> str:
    """Give one clause."""
    match clause:
        case tree.From(experiments=experiments):
            return f"from {', '.join(word.text for word in experiments)}"
        case tree.Where(condition=condition):
            return f"where {_expr(condition)}"
        case tree.GroupBy(keys=keys):
            return f"group by {_exprs(keys)}"
        case tree.Show(cells=cells):
            return f"show {', '.join(map(_cell, cells))}"
        case tree.Having(condition=condition):
            return f"having {_expr(condition)}"
        case tree.Keep(which=which, expr=expr, by=by):
            return f"keep {which} {_expr(expr)}" + (f" by {_exprs(by)}" if by else "")
        case tree.SortBy(keys=keys):
            return f"sort by {', '.join(map(_sort_key, keys))}"
        case tree.Limit(count=count):
            return f"limit {_expr(count)}"
        case tree.With(what=what):
            return f"with {what}"
        case tree.Title(text=text):
            return f"title {text_text(text, placeholders=False)}"
        case tree.Plot(kind=kind, channels=channels, by=by):
            return f"plot {kind.text} {', '.join(map(_channel, channels))}" + (f" by {_exprs(by)}" if by else "")
        case _:
            assert_never(clause)


def _expr(expr: tree.Expr) -> str:
    return expression_text(expr, query=True)


def _exprs(exprs: tuple[tree.Expr, ...]) -> str:
    return ", ".join(map(_expr, exprs))


def _spread(expr: tree.Expr) -> str:
    return expression_text(expr, query=True, level=SPREAD)


def _cell(cell: tree.Cell) -> str:
    return _spread(cell.expr) + (f" as {segment_text(cell.alias.text)}" if cell.alias is not None else "")


def _sort_key(key: tree.SortKey) -> str:
    return f"{_spread(key.expr)} {'desc' if key.descending else 'asc'}"


def _channel(channel: tree.Argument) -> str:
    assert channel.name is not None
    return f"{channel.name.text} = {_spread(channel.value)}"
