"""Some keys of a run table to the distinct combinations of their values, and which row has which."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

from ..grammar.node import Node
from .evaluate import put
from .format import as_json
from .study import Code
from .table import NONE_HERE, Table
from .values import ABSENT, Absent, Path, Value

Cell = Value | Absent


class Distinct(Node):
    """*cells* gives the values of each combination by its number; *codes* the number of each row (none: all rows have
    the one combination)."""

    cells: Mapping[int, tuple[Cell, ...]]
    codes: Sequence[int] | None

    def first_row(self, number: int) -> int:
        return 0 if self.codes is None else self.codes.index(number)


def distinct(table: Table, keys: Sequence[Path]) -> Distinct:
    """Give the combinations of *keys* that rows really have; a key that is nowhere known is absent."""
    varying = [key for key in keys if key in table.columns]
    constant: dict[Path, Cell] = {key: table.constants.get(key, ABSENT) for key in keys if key not in table.columns}
    if not table.count:
        return Distinct({}, None)
    if not varying:
        return Distinct({0: tuple(constant[key] for key in keys)}, None)
    columns = [table.columns[key] for key in varying]
    if len(columns) == 1:
        codes: Sequence[int] = columns[0].codes
        rows = {code: (code,) for code in sorted(set(codes))}
    else:
        combined = list(zip(*[column.codes for column in columns], strict=True))
        numbers = {combination: number for number, combination in enumerate(dict.fromkeys(combined))}
        codes = list(map(numbers.__getitem__, combined))
        rows = {number: combination for combination, number in numbers.items()}
    at = {key: number for number, key in enumerate(varying)}
    cells = {
        number: tuple(constant[key] if key in constant else _cell(table, key, combination[at[key]]) for key in keys)
        for number, combination in rows.items()
    }
    return Distinct(cells, codes)


def _cell(table: Table, key: Path, code: int) -> Cell:
    return ABSENT if code == NONE_HERE else table.columns[key].pool[code]


def used_values(table: Table, key: Path) -> list[Cell]:
    """Give the distinct values that rows have of one key."""
    return [cells[0] for cells in distinct(table, (key,)).cells.values()]


def leaves(table: Table | None, path: Path, labels: Container[Path]) -> tuple[Path, ...]:
    """Give the keys below a group, in config order, the bare keys of config groups left out."""
    order = () if table is None else table.order
    return tuple(key for key in order if len(key) > len(path) and key[: len(path)] == path and key not in labels)


def plain(cell: Cell) -> Value:
    """Give a value; null for a key that the point lacks."""
    return None if isinstance(cell, Absent) else cell


def tree_map(keys: Sequence[Path], below: int, cells: Sequence[Cell]) -> dict[str, Value]:
    """Give a group of keys as one map, without those that the point lacks; *below* segments are the group's name."""
    whole: dict[str, Value] = {}
    for key, cell in zip(keys, cells, strict=True):
        if not isinstance(cell, Absent):
            put(whole, key[below:], cell)
    return whole


def tree_json(keys: Sequence[Path], below: int, cells: Sequence[Cell]) -> str:
    """Give a group of keys as one JSON map."""
    return as_json(tree_map(keys, below, cells))


class Call:
    """A ``Code`` and the keys that it takes: a name in it may be a group of keys, which is given as a map."""

    __slots__ = ("_groups", "code", "keys")

    def __init__(self, code: Code, table: Table | None, labels: Container[Path], known: Container[Path] = ()) -> None:
        """*known* are names that are no keys, with values of their own."""
        self.code = code
        self._groups: list[tuple[Path, ...]] = []
        for name in code.names:
            below = leaves(table, name, labels)
            is_key = table is None or name in table.constants or name in table.columns or name in known
            self._groups.append((name,) if is_key or not below else below)
        self.keys = tuple(dict.fromkeys(key for group in self._groups for key in group))

    def value(self, cells: Sequence[Cell]) -> Value:
        """Evaluate with the values of *keys*; raises ``EvaluationError``."""
        by_key = dict(zip(self.keys, cells, strict=True))
        values: list[Value] = []
        for name, group in zip(self.code.names, self._groups, strict=True):
            if group == (name,):
                values.append(plain(by_key[name]))
            else:
                values.append(tree_map(group, len(name), [by_key[key] for key in group]))
        return self.code.call(values)
