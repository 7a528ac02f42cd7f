"""A CSV file to columns of cells, each with its place in the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..grammar import tree
from ..grammar.diagnostic import Label
from ..grammar.node import Node
from ..grammar.source import Source, Span
from .context import Context
from .fault import EvaluationError, report
from .read_text import read_text
from .values import Path, dotted


class Cell(Node):
    """The text of a cell, and where its line starts; ``span`` finds the cell when it is needed."""

    text: str
    source: Source
    start: int
    column: int

    @property
    def span(self) -> Span:
        return cell_span(self.source, self.start, self.column)


class CsvColumn(Node):
    path: Path
    span: Span
    cells: Sequence[Cell]


def read_rows(item: tree.AxisFrom, context: Context) -> tuple[CsvColumn, ...] | None:
    """Give the columns of ``rows from "points.csv"``; nothing if the file has a fault, which is reported."""
    path = context.text(item.path, "the path of a file")
    if path is None:
        return None
    try:
        text = read_text(path, item.path.span, context.world)
    except EvaluationError as error:
        report(error, context.diagnostics)
        return None
    return parse_csv(Source(path, text), item.path.span, context)


def parse_csv(source: Source, span: Span, context: Context) -> tuple[CsvColumn, ...] | None:
    """Give the columns of a CSV text; *span* is where the file was asked for."""
    before = context.diagnostics.errors
    lines = list(_records(source, context))
    if context.diagnostics.errors > before:
        return None
    if not lines:
        context.diagnostics.error("XP108", span, f"`{source.name}` has no header line", "empty file")
        return None
    (start, header), rows = lines[0], lines[1:]
    paths = _header(source, start, header, context)
    for at, row in rows:
        if len(row) != len(header):
            _ragged(source, at, row, header, context)
    if not rows:
        context.diagnostics.error("XP039", span, f"`{source.name}` has no rows below its header", "no rows")
    if context.diagnostics.errors > before:
        return None
    return tuple(
        CsvColumn(path, where, [Cell(row[index], source, at, index) for at, row in rows])
        for index, (path, where) in enumerate(paths)
    )


def _records(source: Source, context: Context) -> Iterator[tuple[int, list[str]]]:
    """Give each record with the place where it starts; blank lines are none."""
    import csv

    lines = source.text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    reader = csv.reader(lines, strict=True, skipinitialspace=True)
    while True:
        first = reader.line_num
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as reason:
            end = starts[min(first + 1, len(lines))]
            span = source.span(starts[first], max(starts[first] + 1, end - 1))
            context.diagnostics.error("XP108", span, f"`{source.name}` is no CSV: {reason}", "this line")
            return
        if record:
            yield starts[first], record


def _header(source: Source, start: int, header: list[str], context: Context) -> list[tuple[Path, Span]]:
    seen: dict[Path, Span] = {}
    found: list[tuple[Path, Span]] = []
    for index, cell in enumerate(header):
        span = cell_span(source, start, index)
        path = key_path(cell)
        if path is None:
            message = f"`{cell}` is no key" if cell.strip() else "a column has no head"
            help = "columns are separated by commas" if ";" in cell or "\t" in cell else ()
            context.diagnostics.error("XP109", span, message, "a column's head is a key", help=help)
            continue
        if path in seen:
            labels = [Label(seen[path], "the first")]
            context.diagnostics.error("XP109", span, f"two columns are called `{dotted(path)}`", "again", labels=labels)
        seen.setdefault(path, span)
        found.append((path, span))
    return found


def _ragged(source: Source, at: int, row: list[str], header: list[str], context: Context) -> None:
    last = cell_span(source, at, min(len(row), len(header) + 1) - 1)
    many = f"{len(row)} cell{'' if len(row) == 1 else 's'}"
    message = f"this row has {many}, and the header has {len(header)}"
    label = "one too many" if len(row) > len(header) else "the row ends here"
    context.diagnostics.error("XP108", last, message, label)


def key_path(text: str) -> Path | None:
    """Give the path of a dotted key as a column's head writes it, quoted segments included."""
    import re

    path: list[str] = []
    rest = text.strip()
    while True:
        found = re.match(r"""(?:([A-Za-z_][\w-]*)|"([^"]+)"|'([^']+)')(\.|$)""", rest)
        if found is None:
            return None
        path.append(found[1] or found[2] or found[3])
        rest = rest[found.end() :]
        if not found[4]:
            return tuple(path)


def cell_span(source: Source, start: int, index: int) -> Span:
    """Give the place of cell *index* in the record that starts at *start*, outer blanks left out."""
    text, at = source.text, start
    for _ in range(index):
        at = _cell_end(text, at) + 1
    end = min(_cell_end(text, at), len(text))
    while at < end and text[at] in " \t":
        at += 1
    while end > at and text[end - 1] in " \t":
        end -= 1
    return source.span(at, end)


def _cell_end(text: str, at: int) -> int:
    quoted = False
    while at < len(text) and (quoted or text[at] not in ",\r\n"):
        quoted ^= text[at] == '"'
        at += 1
    return at
