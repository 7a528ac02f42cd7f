"""Values of a query: when two are equal, which comes first, what a condition is. Booleans are not numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Hashable
from typing import Final

from .planned import Value

LARGEST: Final = 1000  # bits of an integer; one that would be larger has no result

_KINDS: Final = {bool: "bool", list: "list", dict: "map", str: "text"}
_RANKS: Final = {"number": 0, "text": 1, "bool": 2, "list": 3, "map": 4, "null": 5}


def kind(value: Value) -> str:
    """Give `null`, `bool`, `number`, `text`, `list` or `map`."""
    if value is None:
        return "null"
    found = _KINDS.get(type(value))
    if found is not None:
        return found
    return "number" if isinstance(value, (int, float)) else "text"


def named(value: Value) -> str:
    """Name a value's kind with its article."""
    found = kind(value)
    return found if found == "null" else f"a {found}"


def equal(left: Value, right: Value) -> bool:
    """Compare two values; null equals nothing, not even null."""
    if left is None or right is None:
        return False
    if isinstance(left, (list, dict)):
        return frozen(left) == frozen(right)
    if type(left) is type(right):
        return bool(left == right)
    return kind(left) == kind(right) and bool(left == right)


def frozen(value: Value) -> Hashable:
    """Give what is the same for values that are the same: 1 and 1.0 are, `true` and 1 are not."""
    match value:
        case bool():
            return ("bool", value)
        case list():
            return ("list", *map(frozen, value))
        case dict():
            return ("map", *sorted((key, frozen(inner)) for key, inner in value.items()))
        case _:
            hashable: Hashable = value
            return hashable


def order_key(value: Value) -> tuple[int, Value]:
    """Give what orders values of every kind: numbers, texts, booleans, lists by their elements, maps, null."""
    match kind(value):
        case "number" | "text" | "bool" as found:
            return _RANKS[found], value
        case "list":
            return _RANKS["list"], [order_key(element) for element in value]
        case found:
            return _RANKS[found], repr(value)


def finite(value: Value) -> Value:
    """Give a computed number; null where it is none, or an integer that no float comes near."""
    if isinstance(value, float):
        return None if math.isnan(value) else value
    return None if type(value) is int and value.bit_length() > LARGEST else value


def shown(value: Value) -> str:
    """Write a value as the Experimentfile has it, a text without its quotes."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return value
        case list():
            return f"[{', '.join(map(_quoted, value))}]"
        case dict():
            return f"{{{', '.join(f'{key}: {_quoted(inner)}' for key, inner in value.items())}}}"
        case _:
            return repr(value)


def _quoted(value: Value) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else shown(value)
