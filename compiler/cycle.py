"""Keys that name each other, though not in one row: their columns by recursion, row by row; a true cycle is an error.

Two configs of an axis may have it: one derives ``x`` from ``y``, the other ``y`` from ``x``.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import TYPE_CHECKING

from .late import Combination, Poisoned, put
from .product import Cells, Pool
from .study import Code
from .table import NONE_HERE
from .values import Path, Value, dotted

if TYPE_CHECKING:
    from .late import Late


def solve(path: Path, late: Late) -> None:
    """Settle *path* and all keys that hang on it and that it hangs on; raises ``Poisoned`` for a true cycle."""
    reached = late.dependencies([path])
    members = [
        key for key in reached if late.definition(key) is not None and path in late.dependencies(late.named_by(key))
    ]
    members.sort(key=lambda key: (key != path, key))
    for member in members:
        late.settle(member, None)
    inputs = _inputs(members, late)
    pools = {member: Pool() for member in members}
    solved: list[list[int]] = []

    def compute(codes: Combination) -> int:
        at = iter(codes)
        chosen = {key: 0 if cells.codes is None else next(at) for key, cells in inputs.items()}
        row = _Row(late, inputs, chosen)
        solved.append([NONE_HERE if chosen[m] == NONE_HERE else pools[m].code(row.value(m)) for m in members])
        return len(solved) - 1

    rows = late.over([cells.codes for cells in inputs.values() if cells.codes is not None], compute)
    for index, member in enumerate(members):
        table = [codes[index] for codes in solved]
        codes = table[rows] if isinstance(rows, int) else array("I", map(table.__getitem__, rows))
        late.settle(member, late.column(pools[member], codes))


def _inputs(members: list[Path], late: Late) -> dict[Path, Cells]:
    """Give the definitions of *members* and the values of all else that they name."""
    own = {member: defined for member in members if (defined := late.definition(member)) is not None}
    names = dict.fromkeys(name for member in members for name in late.named_by(member))
    keys = [key for name in names for key in ([name] if late.definition(name) else late.leaves(name))]
    return own | {key: late.cells(key) for key in dict.fromkeys(keys) if key not in own}


class _Row:
    """One row of keys that name each other: values by plain recursion."""

    def __init__(self, late: Late, inputs: Mapping[Path, Cells], codes: Mapping[Path, int]) -> None:
        self.late = late
        self.inputs = inputs
        self.codes = codes
        self.done: dict[Path, Value] = {}
        self.open: list[Path] = []

    def value(self, name: Path) -> Value:
        """Give the value of a key; of a group of keys a map; null where the row lacks it."""
        if name in self.done:
            return self.done[name]
        if name not in self.inputs:
            return self.group(name)
        code = self.codes[name]
        cell = None if code == NONE_HERE else self.inputs[name].pool[code]
        if isinstance(cell, Code):
            if name in self.open:
                self.refuse(name, cell)
            self.open.append(name)
            cell = self.late.held(name, cell.call([self.value(n) for n in cell.names]), cell)
            self.open.pop()
        self.done[name] = cell
        return cell

    def group(self, name: Path) -> Value:
        whole: dict[str, Value] = {}
        for key in self.inputs:
            if key[: len(name)] == name and self.codes[key] != NONE_HERE:
                put(whole, key[len(name) :], self.value(key))
        return whole or None

    def refuse(self, name: Path, code: Code) -> None:
        names = [*self.open[self.open.index(name) :], name]
        cycle = " → ".join(f"`{dotted(n)}`" for n in names)
        message = f"`{dotted(name)}` is defined by itself in some points"
        self.late.findings.error("XP031", code.span, message, f"the cycle is {cycle}")
        raise Poisoned
