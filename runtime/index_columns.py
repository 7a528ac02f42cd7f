"""A column of values to bytes and back: numbers as they lie in memory, everything else as a pool and a code a row."""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Sequence
from typing import Any, Final

Value = Any  # what JSON can hold

FLOATS: Final = b"f"  # every value a float
SOME_FLOATS: Final = b"n"  # floats and nulls; a NaN stands for null, and no value of a column is NaN
WHOLE: Final = b"q"  # every value an integer of 64 bits
POOL: Final = b"p"  # 8 bytes: how long the pool's JSON is; the pool; the codes

_LENGTH: Final = 8

to_json: Final = json.JSONEncoder(separators=(",", ":")).encode


def from_json(text: str | bytes) -> Any:
    """Give what the index keeps as JSON. A page that a crash has damaged may well be one that SQLite takes for whole:
    then this is a `sqlite3.DatabaseError` too, and the index is made anew."""
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise sqlite3.DatabaseError("the index is damaged") from error


def encode(values: Sequence[Value]) -> bytes:
    """Give the bytes of a column. They are for this machine: the order of bytes is its own."""
    kinds = set(map(type, values))
    if kinds == {float}:
        return FLOATS + array("d", values).tobytes()
    if kinds == {float, type(None)}:
        return SOME_FLOATS + array("d", [float("nan") if value is None else value for value in values]).tobytes()
    if kinds == {int}:
        try:
            return WHOLE + array("q", values).tobytes()
        except OverflowError:
            pass
    return _pooled(values, plain=kinds <= {str, type(None)})


def _pooled(values: Sequence[Value], *, plain: bool) -> bytes:
    """*plain*: equal values are the same, which 1, 1.0 and true are not; then they need no text to tell them apart."""
    codes: dict[Value, int] = {}
    column = array("I", [codes.setdefault(value if plain else to_json(value), len(codes)) for value in values])
    pool = (to_json(list(codes)) if plain else f"[{','.join(codes)}]").encode()
    return POOL + len(pool).to_bytes(_LENGTH, "little") + pool + column.tobytes()


def decode(data: bytes) -> list[Value]:
    """Give the values of a column; equal texts, lists and maps are one object."""
    try:
        return _decode(data)
    except (ValueError, TypeError, LookupError) as error:
        raise sqlite3.DatabaseError("the index is damaged") from error


def _decode(data: bytes) -> list[Value]:
    kind, rest = data[:1], memoryview(data)[1:]
    if kind == POOL:
        start = _LENGTH + int.from_bytes(rest[:_LENGTH], "little")
        pool = json.loads(bytes(rest[_LENGTH:start]))
        return list(map(pool.__getitem__, _array("I", rest[start:])))
    if kind == WHOLE:
        return _array("q", rest).tolist()
    floats = _array("d", rest).tolist()
    return floats if kind == FLOATS else [None if value != value else value for value in floats]


def _array(kind: str, data: memoryview) -> array[Any]:
    found: array[Any] = array(kind)
    found.frombytes(data)
    return found
