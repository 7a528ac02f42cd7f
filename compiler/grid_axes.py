"""The axes of a grid: lists, zips, config groups, named configs and rows of a file to columns of values."""

from __future__ import annotations

from collections.abc import Sequence
from types import EllipsisType
from typing import TYPE_CHECKING

from ..grammar import tree
from ..grammar.diagnostic import Label
from ..grammar.source import Span
from .csv_rows import Cell
from .grid_keys import config_names, is_config, is_rows
from .keys import Set, Unknown
from .read_cell import read_cell
from .study import Axis, Code
from .types import common, convert, named
from .values import ABSENT, Absent, Path, Value, dotted, type_of

if TYPE_CHECKING:
    from .resolve_grid import GridResolver

Element = Value | Absent | Code


class AxisReader:
    """Reads the axes of one experiment's grids."""

    def __init__(self, grid: GridResolver) -> None:
        self._grid = grid
        self._diagnostics = grid.context.diagnostics

    # -------------------------------------------------------------- key in LIST

    def axis(self, item: tree.Axis) -> Axis | None:
        if is_config(item):
            return self._configs(item)
        path = item.key.path
        if not self._grid.may_set(path, item.key.span, f"new {item.key.span.text} in …", item.new):
            return None
        values = self._list(item)
        if values is None:
            return None
        if not values:
            name = dotted(path)
            self._diagnostics.error("XP039", item.values.span, f"the axis `{name}` has no values", "empty")
            return None
        return Axis((path,), (values,), item.new, item.span)

    def _list(self, item: tree.Axis) -> Sequence[Element] | None:
        """Give the elements, converted to the key's type; an element that names keys is code."""
        expr, path = item.values, item.key.path
        if isinstance(expr, tree.ListOf):
            found = [self._grid.value(path, item.key.span, element) for element in expr.items]
            if any(isinstance(value, Unknown) for value in found):
                return None
            return self._unified(path, found)  # type: ignore[arg-type]  # the unknown ones ended this
        value: object
        if isinstance(expr, tree.Values):
            value = list(expr.values)
        else:
            value = self._grid.context.constant(expr, "what an axis goes through", self._grid.scope)
        if isinstance(value, EllipsisType):
            return None
        if not isinstance(value, list):
            self._no_list(item, value)
            return None
        return self._fitted(path, value, item)

    def _no_list(self, item: tree.Axis, value: object) -> None:
        text = item.values.span.text
        key = item.key.span.text
        self._diagnostics.error(
            "XP041",
            item.values.span,
            f"an axis goes through a list, but this is {named(value)}",  # type: ignore[arg-type]
            type_of(value),  # type: ignore[arg-type]  # constant gives values
            help=f"write `{key} in [{text}]`, or `{key} = {text}` for one value" if "\n" not in text else (),
        )

    def _fitted(self, path: Path, values: list[Value], item: tree.Axis) -> Sequence[Element] | None:
        """Convert a whole list at once: a long one is looked at element by element only if something is wrong."""
        wanted = self._grid.type(path)
        kinds = {type(value) for value in values}
        if wanted == "any":
            return self._unified(path, list(values))
        if len(kinds) == 1 and values and type_of(values[0]) == wanted:
            return values
        if kinds == {int} and wanted == "float":
            return [convert(value, wanted) for value in values]  # type: ignore[misc]  # ints fit floats
        found = [self._grid.fitted(Set(path, item.key.span, v, _element(item.values, i))) for i, v in enumerate(values)]
        return None if any(isinstance(value, Unknown) for value in found) else found  # type: ignore[return-value]

    def _unified(self, path: Path, values: list[Element]) -> list[Element]:
        """Without a config, ints beside floats in one axis are floats."""
        if path in self._grid.table.drafts:
            return values
        plain = [value for value in values if not isinstance(value, Absent | Code)]
        if len({type(value) for value in plain}) < 2:
            return values
        unified = iter(common(plain))
        return [value if isinstance(value, Absent | Code) else next(unified) for value in values]

    # -------------------------------------------------------------- zip

    def zip(self, item: tree.Zip) -> Axis | None:
        """Give one axis of all keys that move together."""
        axes: list[Axis] = []
        parts = [part for part in item.body if isinstance(part, tree.Axis | tree.AxisFrom)]
        for part in parts:
            axis = self.axis(part) if isinstance(part, tree.Axis) else self.axis_from(part)
            if axis is not None:
                axes.append(axis)
        if not axes or len(axes) < len(parts):
            return None
        first = axes[0]
        count = len(first.columns[0])
        for axis in axes[1:]:
            if len(axis.columns[0]) != count:
                self._unequal(first, axis)
                return None
        labels = [(axis.label, axis.labels) for axis in axes if axis.label is not None]
        keys = [*(key for axis in axes for key in axis.keys), *(label for label, _ in labels)]
        columns = [*(column for axis in axes for column in axis.columns), *(list(names) for _, names in labels)]
        return Axis(tuple(keys), tuple(columns), any(axis.new for axis in axes), item.span)

    def _unequal(self, first: Axis, other: Axis) -> None:
        def many(axis: Axis) -> str:
            count = len(axis.columns[0])
            return f"{count} value{'' if count == 1 else 's'}"

        self._diagnostics.error(
            "XP040",
            other.span,
            f"the axes of a `zip` have one length, but `{_shown(first)}` has {many(first)} and "
            f"`{_shown(other)}` {many(other)}",
            many(other),
            labels=[Label(first.span, many(first))],
        )

    # -------------------------------------------------------------- files and named configs

    def axis_from(self, item: tree.AxisFrom) -> Axis | None:
        if is_rows(item):
            return self._rows(item)
        groups = self._grid.files.groups(item)
        if groups is None:
            return None
        declare = f"new {item.key.span.text} from {item.path.span.text}"
        path = item.key.path
        if path not in self._grid.table.groups and not self._grid.may_set(path, item.key.span, declare, item.new):
            return None
        return self._merged([(stem, sets, sets) for stem, sets in groups], item.key.path, item.new, item.span, declare)

    def _configs(self, item: tree.Axis) -> Axis | None:
        """Read ``config in [a, b]``: an element is what a named config sets beyond the experiment's own config."""
        words = config_names(item)
        if not isinstance(item.values, tree.ListOf) or len(words) != len(item.values.items) or not words:
            message = "`config in` goes through a list of configs"
            help = 'write `config in [small, large]`; quote a key of that name: `"config" in …`'
            self._diagnostics.error("XP041", item.values.span, message, "not configs", help=help)
            return None
        elements: list[tuple[str, list[Set], list[Set]]] = []
        for word in words:
            known = self._grid.context.definitions.configs
            if not self._grid.context.known("config", word, known):
                continue
            configs, _ = self._grid.configs.lineage(known[word.text])
            layers = [each for each in configs if each.name.text not in self._grid.used]
            sets = [given for each in layers for given in self._grid.configs.layer(each).sets]
            elements.append((word.text, sets, []))
        if len(elements) < len(words):
            return None
        return self._merged(elements, ("config",), item.new, item.span, "")

    def _merged(
        self,
        elements: list[tuple[str, list[Set], list[Set]]],
        label: Path,
        new: bool,
        span: Span,
        declare: str,
    ) -> Axis | None:
        """Give an axis whose elements set several keys each, those in the third part only as far as they may."""
        before = self._diagnostics.errors
        keys: dict[Path, list[Element]] = {}
        for index, (_, sets, strict) in enumerate(elements):
            for given in sets:
                if strict and not self._grid.may_set(given.path, given.key_span, declare, new):
                    continue
                value = self._grid.late(given)
                if not isinstance(value, Unknown):
                    keys.setdefault(given.path, [ABSENT] * len(elements))[index] = value
        if self._diagnostics.errors > before:
            return None
        columns = tuple(self._unified(path, column) for path, column in keys.items())
        return Axis(tuple(keys), columns, new, span, label, tuple(name for name, _, _ in elements))

    def _rows(self, item: tree.AxisFrom) -> Axis | None:
        columns = self._grid.files.rows(item)
        if columns is None:
            return None
        before = self._diagnostics.errors
        found: dict[Path, list[Element]] = {}
        for column in columns:
            if self._grid.may_set(column.path, column.span, f"new rows from {item.path.span.text}", item.new):
                found[column.path] = self._unified(column.path, [self._cell(column.path, c) for c in column.cells])
        if self._diagnostics.errors > before:
            return None
        return Axis(tuple(found), tuple(found.values()), item.new, item.span)

    def _cell(self, path: Path, cell: Cell) -> Element:
        """Give the value of a cell as its key holds it; an empty one sets nothing."""
        if cell.text == "":
            return ABSENT
        value = read_cell(cell.text, self._grid.type(path))
        fitted = self._grid.fitted(Set(path, cell.span, value, cell.span)) if path in self._grid.table.drafts else value
        return None if isinstance(fitted, Unknown) else fitted


def _element(expr: tree.Expr, index: int) -> Span:
    return expr.element_span(index) if isinstance(expr, tree.Values) else expr.span


def _shown(axis: Axis) -> str:
    return dotted(axis.keys[0] if axis.label is None else axis.label)
