"""Columns of a result to texts with sensible digits, for tables that people read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise, takewhile
from typing import Any, Final

from ..grammar.screen import visible
from . import quantities
from .query.result import ResultColumn

DIGITS: Final = 4  # significant ones of a number without an error
MOST_DECIMALS: Final = 8
MOST_DIGITS: Final = 15  # that a float keeps
MOST_SPREAD: Final = 3  # decimals by which the errors of a column may differ and still share one number of them
LARGE: Final = 1e7
LARGEST_QUANTITY: Final = 1e18  # seconds or bytes that are told in days or TiB
LONGEST: Final = 60  # characters of a text
SHORTEST_ID: Final = 7
NOTHING: Final = "–"

Value = Any


@dataclass(slots=True)
class TextColumn:
    """A column as texts; *error* stands after a `±`. *right*: numbers, which are flush right. *best* are the rows whose
    value is the best one, by the direction that its metric has; those that can't be told from it are as good."""

    name: str
    cells: list[str]
    error: list[str] | None
    right: bool
    key: bool
    best: frozenset[int] = frozenset()


def text_column(column: ResultColumn) -> TextColumn:
    """Write a column's values, all with the same number of decimals, and say which are the best."""
    found = _text_column(column)
    return replace(found, best=_best(column, found.cells)) if column.direction is not None else found


def _best(column: ResultColumn, cells: Sequence[str]) -> frozenset[int]:
    """Give the rows that show the best value; none where all of them do."""
    known = [row for row, value in enumerate(column.values) if value is not None]
    if column.key or not all(_is_number(column.values[row]) for row in known):
        return frozenset()
    pick = min if column.direction == "minimize" else max
    best = pick((column.values[row] for row in known), default=None)
    shown = {cells[row] for row in known if column.values[row] == best}
    found = frozenset(row for row in known if cells[row] in shown)
    return found if len(found) < len(known) else frozenset()


def _text_column(column: ResultColumn) -> TextColumn:
    values = column.values
    numeric = all(value is None or _is_number(value) for value in values)
    numeric = numeric and (not column.key or any(map(_is_number, values)))
    if column.error is not None:
        cells, error = _with_error(values, column.error, column.unit)
        return TextColumn(visible(column.name), cells, error, True, column.key)
    if not numeric:
        return TextColumn(visible(column.name), _texts(column), None, False, column.key)
    if column.unit:
        cells = [NOTHING if v is None else _quantity(v, column.unit) for v in values]
    elif column.key:
        cells = ["" if value is None else plain(value) for value in values]
    else:
        cells = _numbers(values)
    return TextColumn(visible(column.name), cells, None, True, column.key)


def plain(value: Value) -> str:
    """Write a value as the Experimentfile has it, texts without quotes."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(map(_inner, value)) or "[]"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_inner(inner)}" for key, inner in value.items()) or "{}"
    return visible(value) if isinstance(value, str) else repr(value)


def _inner(value: Value) -> str:
    """Write a value inside another one: without brackets nobody could tell `[1, [2, 3]]` from `[1, 2, 3]`."""
    if isinstance(value, list):
        return f"[{plain(value)}]" if value else "[]"
    if isinstance(value, dict):
        return f"{{{plain(value)}}}" if value else "{}"
    return plain(value)


def _is_number(value: Value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _texts(column: ResultColumn) -> list[str]:
    if column.name in ("id", "run.id"):
        length = prefix_length([value for value in column.values if isinstance(value, str)])
        return ["" if value is None else str(value)[:length] for value in column.values]
    written = plain if column.key else _rounded
    return ["" if value is None else _shortened(written(value)) for value in column.values]


def _rounded(value: Value) -> str:
    """Write a list that was computed, such as an interval, with as many digits as a number has."""
    if not isinstance(value, list):
        return plain(value)
    return ", ".join(map(_element, value)) or "[]"


def _element(value: Value) -> str:
    exact = _inner(value)
    return _fixed(value, None) if isinstance(value, float) and len(exact) > DIGITS + 2 else exact


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def prefix_length(ids: Sequence[str]) -> int:
    """Give how many digits tell all ids apart, seven at least."""
    ordered = sorted(set(ids))
    longest = SHORTEST_ID
    for left, right in pairwise(ordered):
        same = takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False))
        longest = max(longest, sum(1 for _ in same) + 1)
    return longest


def _quantity(value: float, unit: str) -> str:
    if value < 0:
        return f"-{_quantity(-value, unit)}"
    if value > LARGEST_QUANTITY:
        return f"{_general(value)} {'s' if unit == 'duration' else 'B'}"
    return quantities.duration(value) if unit == "duration" else quantities.size(value)


def _general(value: float) -> str:
    return f"{Decimal(value):.{DIGITS}g}" if isinstance(value, int) else f"{value:.{DIGITS}g}"


def _written(value: Value, unit: str) -> str:
    return _quantity(value, unit) if unit and _is_number(value) else plain(value)


# ------------------------------------------------------------------ numbers


def _numbers(values: Sequence[Value]) -> list[str]:
    if all(value is None or isinstance(value, int) for value in values):
        return [NOTHING if value is None else f"{value:,}" for value in values]
    if all(value is None or (abs(value) < LARGE and value == int(value)) for value in values):
        return [NOTHING if value is None else f"{int(value):,}" for value in values]  # counts that a program logged
    decimals = _decimals([abs(v) for v in values if v is not None and math.isfinite(v) and v])
    return [NOTHING if value is None else _fixed(value, decimals) for value in values]


def _decimals(sizes: Sequence[float]) -> int | None:
    """Give the decimals that suit numbers of these sizes; nothing if they differ too much for one number of them."""
    if not sizes:
        return 0
    least, most = _exponent(min(sizes)), _exponent(max(sizes))
    decimals = max(DIGITS - 1 - most, 2 - 1 - least, 0)
    return decimals if most - least <= DIGITS and decimals <= MOST_DECIMALS and max(sizes) < LARGE else None


def _exponent(value: float) -> int:
    return math.floor(math.log10(value))


def _fixed(value: float, decimals: int | None) -> str:
    if not math.isfinite(value):
        return str(value)
    return f"{value:z.{DIGITS}g}" if decimals is None else f"{value:z,.{decimals}f}"


def _to_error(value: float, error: Value) -> str:
    """Write a value that decimals do not suit with the digits that its own error has a meaning for."""
    if not value or not math.isfinite(value) or not error or not math.isfinite(error):
        return _fixed(value, None)
    digits = _exponent(abs(value)) - _exponent(abs(error)) + 2
    return f"{value:.{max(DIGITS, min(digits, MOST_DIGITS))}g}"


def _with_error(values: Sequence[Value], errors: Sequence[Value], unit: str) -> tuple[list[str], list[str]]:
    """Write values with as many decimals as their errors have a meaning for."""
    if unit or not all(v is None or _is_number(v) for v in (*values, *errors)):
        cells = [NOTHING if value is None else _written(value, unit) for value in values]
        return cells, ["" if error is None else _written(error, unit) for error in errors]
    wanted = sorted(_error_decimals(e) for e in errors if e is not None and math.isfinite(e) and e > 0)
    decimals: int | None = wanted[-1] if wanted else None
    if wanted and wanted[-1] - wanted[0] > MOST_SPREAD:
        return _each_with_error(values, errors)
    if decimals is None:
        return _numbers(values), ["" if error is None else _fixed(error, None) for error in errors]
    large = max((abs(v) for v in values if v is not None and math.isfinite(v)), default=0.0)
    if decimals > MOST_DECIMALS or large >= LARGE:
        decimals = None
    cells, texts = [], []
    for value, error in zip(values, errors, strict=True):
        own = None if _is_lost(value, error, decimals) else decimals
        cells.append(NOTHING if value is None else _to_error(value, error) if own is None else _fixed(value, own))
        texts.append("" if error is None else _fixed(error, own))
    return cells, texts


def _is_lost(value: Value, error: Value, decimals: int | None) -> bool:
    """Say whether a value that is known exactly would keep fewer than two digits by the errors of other rows."""
    if decimals is None or error or not value or not math.isfinite(value):
        return False
    return bool(abs(value) < 10.0 ** (1 - decimals))


def _each_with_error(values: Sequence[Value], errors: Sequence[Value]) -> tuple[list[str], list[str]]:
    """Write each value with the decimals of its own error, where the errors of a column differ by powers of ten."""
    cells, texts = [], []
    for value, error in zip(values, errors, strict=True):
        known = error is not None and math.isfinite(error) and error > 0
        decimals: int | None = _error_decimals(error) if known else None
        if decimals is not None and (decimals > MOST_DECIMALS or abs(value or 0) >= LARGE):
            decimals = None
        cells.append(
            NOTHING if value is None else _to_error(value, error) if decimals is None else _fixed(value, decimals)
        )
        texts.append("" if error is None else _fixed(error, decimals) if decimals is not None else f"{error:.2g}")
    return cells, texts


def _error_decimals(error: float) -> int:
    """Give the decimals for one significant digit of an error, for two if the first is a 1."""
    leading, exponent = f"{error:.6e}".split("e")
    return max(0, -int(exponent) + (1 if float(leading) < 1.95 else 0))
