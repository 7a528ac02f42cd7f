"""Files with logged values to lines of values by name: JSON lines, CSV, JSON."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import BinaryIO, Final

from .run_files import open_file
from .shim.regular import open_regular, read_regular

BLOCK: Final = 1 << 22  # bytes of lines that are parsed in one go
LONGEST: Final = 1 << 26  # bytes of a line
TOO_LONG: Final = b"\0"  # no JSON, whatever follows
ROWS: Final = 10_000  # rows of a CSV or JSON file


Line = Mapping[str, object]
Blocks = Iterator[Sequence[Line]]  # none of them empty


def read_file(path: str) -> Blocks:
    """Read a declared ``metrics "file"`` by its suffix; nothing where there is no file, or none that makes sense.

    Raises ``PermissionError`` for one that this user may not read.
    """
    match os.path.splitext(path)[1].lower():
        case ".csv":
            return _blocks(_read_csv(path))
        case ".json":
            return _blocks(_read_json(path))
        case _:
            return read_json_lines(path)


def read_json_lines(path: str) -> Blocks:
    """Give the objects of a file with one a line. A line that does not end or does not parse counts as not written."""
    try:
        file = open_file(path)  # a missing one is the usual case
    except PermissionError:
        raise  # there, and not for us: what it says must not count as nothing
    except OSError:
        return
    with file:
        for lines in _whole_lines(file):
            if found := [line for line in _parse_lines(lines) if isinstance(line, dict)]:
                yield found


def _whole_lines(file: BinaryIO) -> Iterator[list[bytes]]:
    """Give the lines that end, a block at a time; of one that is too long for any record only so much is held."""
    rest = b""
    while block := file.read(BLOCK):
        head, end, tail = block.rpartition(b"\n")
        if end:
            yield (rest + head).split(b"\n")
            rest = tail
        else:
            rest = rest + tail if len(rest) < LONGEST else TOO_LONG


def _blocks(lines: Iterator[Line]) -> Blocks:
    while block := list(islice(lines, ROWS)):
        yield block


def _parse_lines(lines: list[bytes]) -> list[object]:
    """Parse a block as one JSON list, which is twice as fast; where a line is damaged, line by line."""
    try:
        found: list[object] = json.loads(b"[" + b",".join(lines) + b"]")
    except (ValueError, RecursionError):
        return [_parse_line(line) for line in lines]
    # Two objects on one line would be a damaged line, too.
    return found if len(found) == len(lines) else [_parse_line(line) for line in lines]


def _parse_line(line: bytes) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _read_csv(path: str) -> Iterator[Line]:
    """Give a CSV's rows; a cell that is no number is passed over, an empty one too."""
    try:
        with io.TextIOWrapper(open_regular(path), "utf-8-sig", "replace", newline="") as file:
            for row in csv.DictReader(file, restkey="", restval=""):
                yield {name.strip(): _number(cell) for name, cell in row.items() if name and isinstance(cell, str)}
    except PermissionError:
        raise
    except (OSError, csv.Error):
        return


def _number(cell: str) -> float | None:
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def _read_json(path: str) -> Iterator[Line]:
    """Give the rows of a JSON file: a list of objects, or one object of numbers or of lists of numbers."""
    try:
        found = json.loads(read_regular(path))
    except PermissionError:
        raise
    except (OSError, ValueError, RecursionError):
        return
    if isinstance(found, list):
        yield from (row for row in found if isinstance(row, dict))
    elif isinstance(found, dict):
        yield from _transposed(found)


def _transposed(columns: Line) -> Iterator[Line]:
    lists = {name: value for name, value in columns.items() if isinstance(value, list)}
    single = {name: value for name, value in columns.items() if not isinstance(value, list)}
    if single:
        yield single
    for index in range(max(map(len, lists.values()), default=0)):
        yield {name: values[index] for name, values in lists.items() if index < len(values)}
