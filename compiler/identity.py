"""Values to run ids: the one place that decides what makes two points the same run.

The id of a run is the first 16 hex digits of BLAKE2b (digest of 8 bytes) over the UTF-8 text of
``[1,"experiment",{"dotted.key":value,…},["parent id",…]]``: canonical JSON, no spaces, keys sorted by code point,
parents' ids sorted, ``ignore``d keys left out. ``run_id`` says so for one run and is slow; ``digests`` does it for
all rows of a table.
The bare key of a config group or of ``config in`` counts as a value, so two files of equal content are two points.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import repeat
from json.encoder import encode_basestring
from math import isfinite
from typing import Final, assert_never

from .table import NONE_HERE, Column
from .values import Absent, Path, Value, dotted

IDENTITY: Final = 1
"""The version of this definition, hashed with everything else."""

Ignore = Sequence[tuple[Path, Value | Absent]]
"""Keys (or groups of keys) that do not count; with a value: only while the key has it."""


def canonical(value: Value) -> str:
    """Give the one JSON text of a value; ``ValueError`` for what is no number."""
    match value:
        case str():
            return encode_basestring(value)
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return int.__repr__(value)
        case float():
            return _number(value)
        case list():
            return f"[{','.join(map(canonical, value))}]"
        case dict():
            inside = (f"{encode_basestring(name)}:{canonical(value[name])}" for name in sorted(value))
            return f"{{{','.join(inside)}}}"
        case _:
            assert_never(value)


def _number(value: float) -> str:
    """Give an integral float as its integer, any other as the shortest digits that read back as the same number."""
    if not isfinite(value):
        raise ValueError("not a finite number")
    return int.__repr__(int(value)) if value.is_integer() else float.__repr__(value)


def ignored(path: Path, value: Value, ignore: Ignore) -> bool:
    """Tell whether a key with this value is left out of the id."""
    return any(
        path[: len(key)] == key if isinstance(when, Absent) else path == key and canonical(value) == canonical(when)
        for key, when in ignore
    )


def run_id(experiment: str, values: Mapping[Path, Value], parents: Iterable[str] = (), ignore: Ignore = ()) -> str:
    """Give the 16 hex digits of one run: the definition, word for word."""
    counted = {dotted(path): value for path, value in values.items() if not ignored(path, value, ignore)}
    ids: list[Value] = [*sorted(parents)]
    text = canonical([IDENTITY, experiment, counted, ids])
    return blake2b(_encode(text), digest_size=8).hexdigest()


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


# ------------------------------------------------------------------ a table at once


def digests(
    experiment: str,
    count: int,
    constants: Mapping[Path, Value],
    columns: Mapping[Path, Column],
    parents: Iterable[bytes] | None = None,
    ignore: Ignore = (),
) -> bytes:
    """Give the ids of *count* rows, 8 bytes each; each equals what ``run_id`` says of that row.

    *parents* holds for each row what ``parents_text`` gives.
    """
    shared, pieces, last = _pieces(constants, columns, ignore)
    texts = [map(piece.__getitem__, codes) for piece, codes in pieces]
    ends = repeat(last + b"},[]]", count) if parents is None else (b"%b},[%b]]" % (last, ids) for ids in parents)
    bodies: Iterable[bytes] = map(b"".join, zip(*texts, ends, strict=True))
    if not shared:
        bodies = map(_without_comma, bodies)
    # What all rows begin with is hashed once; a copy of that state is cheaper than a hash of its own.
    head = f"[{IDENTITY},{encode_basestring(experiment)},{{"
    copy = blake2b(_encode(head) + shared, digest_size=8).copy
    found = bytearray()
    for body in bodies:
        state = copy()
        state.update(body)
        found += state.digest()
    return bytes(found)


def parents_text(ids: Iterable[str]) -> bytes:
    """Give the inside of the JSON list of a row's parents."""
    return ",".join([f'"{one}"' for one in sorted(ids)]).encode()


Piece = Sequence[bytes] | Mapping[int, bytes]
"""By code, the JSON text of a key and its value, with the comma before it and the constants that stand beside it."""


def _pieces(
    constants: Mapping[Path, Value], columns: Mapping[Path, Column], ignore: Ignore
) -> tuple[bytes, list[tuple[Piece, array[int]]], bytes]:
    """Cut the text of a row's values into what all rows begin with, a piece for each column, and what all end with.

    Every key has its comma before it, except that the shared beginning lacks its first.
    """
    shared = between = b""
    pieces: list[tuple[Piece, array[int]]] = []
    for path in sorted({**constants, **columns}, key=dotted):
        name = _encode(f",{encode_basestring(dotted(path))}:")
        column = columns.get(path)
        if column is None:
            if not ignored(path, constants[path], ignore):
                between += name + _encode(canonical(constants[path]))
            continue
        if between and not pieces:
            shared, between = between[1:], b""
        pieces.append((_piece(between, path, name, column, ignore), column.codes))
        between = b""
    return (shared, pieces, between) if pieces else (between[1:], [], b"")


def _piece(before: bytes, path: Path, name: bytes, column: Column, ignore: Ignore) -> Piece:
    fragments = [
        before if ignored(path, value, ignore) else before + name + _encode(canonical(value)) for value in column.pool
    ]
    if NONE_HERE in column.codes:
        return {NONE_HERE: before, **dict(enumerate(fragments))}
    return fragments


def _without_comma(body: bytes) -> bytes:
    return body[1:] if body[:1] == b"," else body
