"""A committed text to its tables: the formats that `xpc report` writes, read back as plain cells."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

ENDINGS: Final = {".csv": "csv", ".json": "json", ".md": "github", ".markdown": "github", ".tex": "latex"}
"""The format that a file has, by how its name ends."""

_RULE: Final = re.compile(r"\|?(?:\s*:?-+:?\s*\|)+\s*(?::?-+:?)?\s*")
_AMPERSAND: Final = re.compile(r"(?<!\\)&")
_TABULAR: Final = re.compile(r"\\begin\{tabular\}.*?\n(.*?)\\end\{tabular\}", re.DOTALL)
_LINES: Final = ("\\toprule", "\\midrule", "\\bottomrule", "\\hline")


@dataclass(frozen=True, slots=True)
class Grid:
    """A table as it is written: the heading, and rows of cells, longer and shorter ones included."""

    heading: Sequence[str]
    rows: Sequence[Sequence[str]]


class UnreadableError(ValueError):
    """The text is not of the format that it should have; the message says where."""


def read_tables(text: str, format: str) -> list[Grid]:
    """Give the tables in *text*, in order, whatever else stands around them; raises `UnreadableError`."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    match format:
        case "csv":
            return _csv(text)
        case "json":
            return _json(text)
        case "github":
            return _github(text.split("\n"))
        case "latex":
            return [_latex(match[1]) for match in _TABULAR.finditer(text)]
    raise ValueError(f"no table of the format {format} can be read")


def _csv(text: str) -> list[Grid]:
    """Tables of CSV are parted by a line without a single cell."""
    found: list[Grid] = []
    block: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text), strict=True):
            if row:
                block.append(row)
            elif block:
                found.append(Grid(block[0], block[1:]))
                block = []
    except csv.Error as error:
        raise UnreadableError(str(error)) from None
    return [*found, Grid(block[0], block[1:])] if block else found


def _json(text: str) -> list[Grid]:
    """A list of rows, or of tables with `rows`."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise UnreadableError(str(error)) from None
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise UnreadableError("it is no list of rows")
    several = found and all(entry.keys() == {"report", "title", "rows"} for entry in found)
    return [_of_rows(entry["rows"]) for entry in found] if several else [_of_rows(found)]


def _of_rows(rows: Iterable[Any]) -> Grid:
    known = [row for row in rows if isinstance(row, dict)]
    heading = list(dict.fromkeys(name for row in known for name in row))
    return Grid(heading, [[json.dumps(row.get(name), ensure_ascii=False) for name in heading] for row in known])


def _github(lines: Sequence[str]) -> list[Grid]:
    found = []
    at = 1
    while at < len(lines):
        if _RULE.fullmatch(lines[at]) and "|" in lines[at - 1]:
            rows = []
            end = at + 1
            while end < len(lines) and "|" in lines[end]:
                rows.append(_piped(lines[end]))
                end += 1
            found.append(Grid(_piped(lines[at - 1]), rows))
            at = end
        at += 1
    return found


def _piped(line: str) -> list[str]:
    """Part a line at its pipes; an escaped one is no pipe."""
    line = line.strip().removeprefix("|")
    cells, start, at = [], 0, 0
    while at < len(line):
        if line[at] == "|":
            cells.append(line[start:at])
            start = at + 1
        at += 2 if line[at] == "\\" else 1
    if line[start:].strip():
        cells.append(line[start:])
    return [cell.strip() for cell in cells]


def _latex(body: str) -> Grid:
    for rule in _LINES:
        body = body.replace(rule, "")
    rows = [[cell.strip() for cell in _AMPERSAND.split(line)] for line in body.split("\\\\")[:-1]]
    return Grid(rows[0], rows[1:]) if rows else Grid((), ())
