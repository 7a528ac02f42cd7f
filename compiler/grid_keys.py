"""The grid of an experiment to the keys that it gives, before any of its expressions is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..grammar import tree
from ..grammar.source import Span
from .context import Context
from .csv_rows import CsvColumn, read_rows
from .keys import Set
from .values import Path


class GridKeys:
    """*axes* are the keys that the grid gives, each with the first place that does; *new* those it declares.

    *configs* are those of ``config in [a, b]``. Not *whole*: a file is missing, so keys may be.
    Not *known*: a whole grid is missing.
    """

    __slots__ = ("axes", "configs", "known", "new", "whole")

    def __init__(self) -> None:
        self.axes: dict[Path, Span] = {}
        self.new: dict[Path, Span] = {}
        self.configs: list[tree.Word] = []
        self.whole = True
        self.known = True

    def add(self, path: Path, span: Span, new: bool) -> None:
        self.axes.setdefault(path, span)
        if new:
            self.new.setdefault(path, span)


class GridReader:
    """Finds the grids of an expression, and reads the files that they name, once."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._groups: dict[Span, list[tuple[str, list[Set]]] | None] = {}
        self._rows: dict[Span, Sequence[CsvColumn] | None] = {}

    def grids(self, expr: tree.GridExpr) -> Iterator[tree.Grid | None]:
        """Give every grid with a body that an expression leads to; none for a name without one, which is reported."""
        yield from self._grids(expr, [])

    def look_up(self, expr: tree.GridExpr) -> None:
        """Report the unknown names in what a grid is put together of."""
        if isinstance(expr, tree.GridCombine):
            self.look_up(expr.left)
            self.look_up(expr.right)
        else:
            self._context.known("grid", expr.name, self._context.definitions.grids)

    def _grids(self, expr: tree.GridExpr, open: list[str]) -> Iterator[tree.Grid | None]:
        if isinstance(expr, tree.GridCombine):
            yield from self._grids(expr.left, open)
            yield from self._grids(expr.right, open)
            return
        grid = self.find(expr, open)
        if grid is None or isinstance(grid.body, tuple):
            yield grid
        else:
            yield from self._grids(grid.body, [*open, grid.name.text])

    def find(self, name: tree.GridName, open: Sequence[str]) -> tree.Grid | None:
        """Give the grid of a name; nothing if there is none or if it is defined by itself, which is reported."""
        word, grids = name.name, self._context.definitions.grids
        if word.text in open:
            cycle = " → ".join(f"`{n}`" for n in [*open[list(open).index(word.text) :], word.text])
            self._context.diagnostics.error("XP033", word.span, f"grid `{word.text}` is defined by itself", cycle)
            return None
        return grids[word.text] if self._context.known("grid", word, grids) else None

    def keys(self, expr: tree.GridExpr | None) -> GridKeys:
        """Give the keys that a grid expression names."""
        found = GridKeys()
        for grid in () if expr is None else self.grids(expr):
            if grid is None:
                found.known = False
                continue
            if self._context.lost("grid", grid.name.text):
                found.whole = False
            if isinstance(grid.body, tuple):
                self._body(grid.body, found)
        return found

    def _body(self, items: Sequence[tree.GridItem], found: GridKeys) -> None:
        for item in items:
            match item:
                case tree.Axis(key=key, new=new) if is_config(item):
                    found.configs.extend(config_names(item))
                    found.add(("config",), key.span, new)
                case tree.Axis(key=key, new=new) | tree.Draw(key=key, new=new) | tree.GridValue(key=key, new=new):
                    found.add(key.path, key.span, new)
                case tree.AxisFrom():
                    self._files(item, found)
                case tree.Zip(body=body) | tree.Sample(body=body):
                    self._body(body, found)
                case tree.Branch(arms=arms):
                    for arm in arms:
                        self._body(arm.body, found)
                case tree.Point(values=values):
                    for assign in values:
                        found.add(assign.key.path, assign.key.span, False)
                case tree.Constraint():
                    pass

    def _files(self, item: tree.AxisFrom, found: GridKeys) -> None:
        if is_rows(item):
            columns = self.rows(item)
            found.whole = found.whole and columns is not None
            for column in columns or ():
                found.add(column.path, column.span, item.new)
            return
        groups = self.groups(item)
        found.whole = found.whole and groups is not None
        found.add(item.key.path, item.key.span, item.new)
        for _, sets in groups or ():
            for given in sets:
                found.add(given.path, given.key_span, item.new)

    def groups(self, item: tree.AxisFrom) -> list[tuple[str, list[Set]]] | None:
        """Give the files of a config group: stem and what each sets below the key."""
        if item.span not in self._groups:
            from .resolve_yaml import read_group

            self._groups[item.span] = read_group(item, self._context)
        return self._groups[item.span]

    def rows(self, item: tree.AxisFrom) -> Sequence[CsvColumn] | None:
        """Give the columns of ``rows from``."""
        if item.span not in self._rows:
            self._rows[item.span] = read_rows(item, self._context)
        return self._rows[item.span]


def is_config(axis: tree.Axis) -> bool:
    """Tell whether an axis is ``config in [a, b]``."""
    return bare(axis.key, "config")


def is_rows(item: tree.AxisFrom) -> bool:
    """Tell whether a line is ``rows from "points.csv"``."""
    return bare(item.key, "rows")


def bare(key: tree.Key, word: str) -> bool:
    return key.path == (word,) and key.span.text == word


def config_names(axis: tree.Axis) -> list[tree.Word]:
    """Give the names in ``config in [a, b]``."""
    items = axis.values.items if isinstance(axis.values, tree.ListOf) else ()
    return [item.key.segments[0] for item in items if isinstance(item, tree.Name) and len(item.path) == 1]
