"""The lines of source that a diagnostic shows, with its carets and labels."""

from __future__ import annotations

from collections.abc import Sequence

from .diagnostic import Label
from .screen import Paint, columns, visible
from .source import Source, Span

_WIDEST = 110  # characters of a line that are shown
_BEFORE = 30  # of them before the first mark, where a line is cut


class _Mark:
    """One label on one line: characters *start* to *end* of it, from 0."""

    __slots__ = ("end", "primary", "start", "text")

    def __init__(self, label: Label, primary: bool, line: str) -> None:
        _, column = label.span.source.position(label.span.start)
        self.start = min(column - 1, len(line))
        # A span over several lines is shown at its first one.
        self.end = max(self.start + 1, min(self.start + label.span.end - label.span.start, len(line)))
        self.primary = primary
        self.text = visible(label.text)


def snippet(severity: str, primary: Label, others: Sequence[Label], paint: Paint, *, more: bool) -> list[str]:
    """Show *primary* and *others*: the primary's file first, then each further one; *more* if something follows."""
    source = primary.span.source
    one_line = source.name.startswith("<") and "\n" not in source.text.strip("\n")
    if one_line and all(label.span.source is source for label in others):
        return _bare(severity, (primary, *others), paint)
    files = _by_file(primary, others)
    width = max(len(str(line)) for _, lines in files for line in lines)
    bar = paint("gutter", " " * (width + 1) + "|")
    shown: list[str] = []
    for number, (file, lines) in enumerate(files):
        place = primary.span if number == 0 else _first(file, others)
        arrow = "-->" if number == 0 else ":::"
        line, column = file.position(place.start)
        if number:
            shown.append(bar)
        shown.append(paint("gutter", " " * width + arrow) + f" {visible(file.name)}:{line}:{column}")
        shown.append(bar)
        shown += _lines(file, lines, width, severity, paint)
    if more:
        shown.append(bar)
    return shown


def _bare(severity: str, labels: Sequence[Label], paint: Paint) -> list[str]:
    """Show a text that is a single line, such as a query from the command line, without a place."""
    source = labels[0].span.source
    number, _ = source.position(labels[0].span.start)
    line = source.line(number)
    text, marks = _cut(line, [_Mark(label, label is labels[0], line) for label in labels])
    return [f"  {visible(text)}".rstrip(), *(f"  {row}" for row in _rows(text, marks, severity, paint))]


def _by_file(primary: Label, others: Sequence[Label]) -> list[tuple[Source, dict[int, list[_Mark]]]]:
    """Group the labels by file, then by line; the primary's file comes first."""
    files: dict[int, tuple[Source, dict[int, list[_Mark]]]] = {}
    for label in (primary, *others):
        source = label.span.source
        number, _ = source.position(label.span.start)
        _, lines = files.setdefault(id(source), (source, {}))
        lines.setdefault(number, []).append(_Mark(label, label is primary, source.line(number)))
    return list(files.values())


def _first(source: Source, labels: Sequence[Label]) -> Span:
    return next(label.span for label in labels if label.span.source is source)


def _lines(source: Source, lines: dict[int, list[_Mark]], width: int, severity: str, paint: Paint) -> list[str]:
    shown: list[str] = []
    before: int | None = None
    for number in sorted(lines):
        if before is not None and number == before + 2:
            shown.append(_numbered(number - 1, visible(_cut(source.line(number - 1), [])[0]), width, paint))
        elif before is not None and number > before + 2:
            shown.append(paint("gutter", "..."))
        text, marks = _cut(source.line(number), lines[number])
        shown.append(_numbered(number, visible(text), width, paint))
        bar = paint("gutter", " " * (width + 1) + "|")
        shown += [f"{bar} {row}" for row in _rows(text, marks, severity, paint)]
        before = number
    return shown


def _numbered(number: int, text: str, width: int, paint: Paint) -> str:
    return (paint("gutter", f"{number:>{width}} |") + f" {text}").rstrip()


def _cut(line: str, marks: list[_Mark]) -> tuple[str, list[_Mark]]:
    """Cut a long line to the part around its marks."""
    if len(line) <= _WIDEST:
        return line, marks
    primary = next((mark for mark in marks if mark.primary), marks[0] if marks else None)
    start = max(0, primary.start - _BEFORE) if primary and primary.start > _WIDEST - _BEFORE else 0
    end = start + _WIDEST
    text = ("…" if start else "") + line[start:end] + ("…" if end < len(line) else "")
    shift = start - bool(start)
    for mark in marks:
        mark.start = min(max(mark.start - shift, 0), len(text) - 1)
        mark.end = max(mark.start + 1, min(mark.end - shift, len(text)))
    return text, marks


def _rows(text: str, marks: list[_Mark], severity: str, paint: Paint) -> list[str]:
    """Give the rows under a line: the carets with the last label, then the other labels from right to left."""
    marks = sorted(marks, key=lambda mark: (mark.start, not mark.primary))
    carets: dict[int, tuple[str, str]] = {}
    for mark in sorted(marks, key=lambda mark: mark.primary):
        style = (severity, "^") if mark.primary else ("second", "-")
        begin = columns(text[: mark.start])
        for column in range(begin, begin + max(1, columns(text[mark.start : mark.end]))):
            carets[column] = style
    row = _row(carets, paint)
    last = marks[-1]
    beside = bool(last.text) and not any(mark.end > last.start for mark in marks[:-1])
    if beside:
        row += " " + paint(severity if last.primary else "second", last.text)
    hanging = [mark for mark in (marks[:-1] if beside else marks) if mark.text]
    return [row, *_hanging(text, hanging, severity, paint)]


def _row(marks: dict[int, tuple[str, str]], paint: Paint) -> str:
    row = ""
    column = 0
    for at in sorted(marks):
        if at < column:
            continue
        style, char = marks[at]
        end = at
        while marks.get(end) == (style, char):
            end += 1
        row += " " * (at - column) + paint(style, char * (end - at))
        column = end
    return row


def _hanging(text: str, marks: list[_Mark], severity: str, paint: Paint) -> list[str]:
    rows: list[str] = []
    for index in range(len(marks) - 1, -1, -1):
        mark = marks[index]
        style = severity if mark.primary else "second"
        strokes = {columns(text[: m.start]): (severity if m.primary else "second", "|") for m in marks[: index + 1]}
        if index == len(marks) - 1:
            rows.append(_row(strokes, paint))
        at = columns(text[: mark.start])
        left = {column: stroke for column, stroke in strokes.items() if column < at}
        row = _row(left, paint)
        rows.append(row + " " * (at - (max(left) + 1 if left else 0)) + paint(style, mark.text))
    return rows
