"""A committed table and what the records say now to the cells that differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .table_read import Grid

CLOSE: Final = 1e-12  # relatively: what another machine's arithmetic may change
NOTHING: Final = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: *row* by its keys, *column* by its heading; what the file has, and what the records say."""

    row: str
    column: str
    file: str
    now: str


def compare(file: Grid, now: Grid, keys: int) -> list[Change]:
    """Give the differences between two tables whose first *keys* columns name the rows."""
    if list(file.heading) != list(now.heading):
        return _headings(file.heading, now.heading)
    old, new = _named(file, keys), _named(now, keys)
    found = []
    for name, cells in new.items():
        if name not in old:
            found.append(Change(name, "", "no such row", "a row"))
            continue
        found += _cells(name, now.heading, old[name], cells)
    found += [Change(name, "", "a row", "no such row") for name in old if name not in new]
    kept = [name for name in old if name in new]
    if not found and kept != list(new):
        first = next(i for i, (one, other) in enumerate(zip(kept, new, strict=True)) if one != other)
        found.append(Change(f"row {first + 1}", "", kept[first], list(new)[first]))
    return found


def missing(now: Grid) -> Change:
    """Say that there is no table with this heading."""
    return Change("heading", "", "no such table", ", ".join(now.heading))


def _headings(file: Sequence[str], now: Sequence[str]) -> list[Change]:
    gone = [Change("heading", name, "a column", "no such column") for name in file if name not in now]
    new = [Change("heading", name, "no such column", "a column") for name in now if name not in file]
    return [*gone, *new] or [Change("heading", "", ", ".join(file), ", ".join(now))]


def _named(grid: Grid, keys: int) -> dict[str, Sequence[str]]:
    """Name rows by their keys; of rows with the same keys, and where there are none, also by their number."""
    found: dict[str, Sequence[str]] = {}
    for number, cells in enumerate(grid.rows, 1):
        pairs = zip(grid.heading[:keys], cells[:keys], strict=False)
        name = ", ".join(f"{key} {cell}" for key, cell in pairs) or f"row {number}"
        found[name if name not in found else f"{name} (row {number})"] = cells
    return found


def _cells(name: str, heading: Sequence[str], file: Sequence[str], now: Sequence[str]) -> list[Change]:
    width = max(len(file), len(now))
    old, new = [*file, *[NOTHING] * (width - len(file))], [*now, *[NOTHING] * (width - len(now))]
    columns = [*heading, *[f"column {i + 1}" for i in range(len(heading), width)]]
    return [Change(name, c, a, b) for c, a, b in zip(columns, old, new, strict=True) if not same(a, b)]


def same(file: str, now: str) -> bool:
    """Say whether two cells are one text, or one number but for the last digits of a computed one."""
    if file == now:
        return True
    try:
        left, right = float(file), float(now)
    except ValueError:
        return False
    if _whole(file) and _whole(now):
        return int(file) == int(now)
    if math.isinf(left) and any(map(str.isdigit, file + now)):
        return False  # such as the digits of two commits, `12e4567` and `13e4567`
    return math.isclose(left, right, rel_tol=CLOSE, abs_tol=0.0)


def _whole(text: str) -> bool:
    return text.lstrip("+-").isdecimal()
