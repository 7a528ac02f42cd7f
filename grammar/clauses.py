"""What the rules of query.lark build."""

from __future__ import annotations

from typing import Any

from . import tree
from .expressions import Children, operands, whole, word_of
from .literals import integer


def query(children: Children) -> tree.Query:
    return tree.Query(tuple(children), whole(children))


def from_clause(children: Children) -> tree.From:
    return tree.From(tuple(word_of(t) for t in children[1:] if t.type == "NAME"), whole(children))


def where(children: Children) -> tree.Where:
    return tree.Where(children[1], whole(children))


def group_by(children: Children) -> tree.GroupBy:
    return tree.GroupBy(operands(children), whole(children))


def show(children: Children) -> tree.Show:
    return tree.Show(operands(children), whole(children))


def cell(children: Children) -> tree.Cell:
    alias = children[2] if len(children) == 3 else None
    return tree.Cell(children[0], alias, whole(children))


def having(children: Children) -> tree.Having:
    return tree.Having(children[1], whole(children))


def keep_rows(children: Children) -> tree.Keep:
    expr, *by = operands(children)
    which: Any = str(children[1])
    return tree.Keep(which, expr, tuple(by), whole(children))


def sort_by(children: Children) -> tree.SortBy:
    return tree.SortBy(operands(children), whole(children))


def sort_key(children: Children) -> tree.SortKey:
    return tree.SortKey(children[0], len(children) == 2 and children[1] == "desc", whole(children))


def limit(children: Children) -> tree.Limit:
    return tree.Limit(integer(children[1]), whole(children))


def with_more(children: Children) -> tree.With:
    if len(children) == 3:
        return tree.With("all attempts", whole(children))
    return tree.With("past" if children[1] == "past" else "superseded", whole(children))


def title(children: Children) -> tree.Title:
    return tree.Title(children[1], whole(children))


def plot(children: Children) -> tree.Plot:
    given = operands(children)
    channels = tuple(child for child in given if isinstance(child, tree.Argument))
    by = tuple(child for child in given if not isinstance(child, tree.Argument))
    return tree.Plot(word_of(children[1]), channels, by, whole(children))
