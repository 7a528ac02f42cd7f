"""A source to lines: logical lines cut where brackets and texts allow, nested by their indentation."""

from __future__ import annotations

import re

from .diagnostic import Diagnostics
from .source import Source, Span

_INDENT = re.compile(r"[ \t\xa0]*")
_NO_SPACE = re.compile(r"[\t\xa0]")
# All that cannot change where a line ends: plain characters and simple texts.
# No choice stands inside a possessive repetition: Python before 3.11.5 loses its way there.
_PLAIN = re.compile(r"[^\"'#\n()\[\]{}]*+(?:(?:\"[^\"\\\n]*+\"(?!\")|'[^'\\\n]*+')[^\"'#\n()\[\]{}]*+)*")
_LONG_TEXT = re.compile(r'"""[^"\\]*+(?:(?:\\[\s\S]|"(?!""))[^"\\]*+)*"""')
_SHORT_TEXT = re.compile(r"\"[^\"\\\n]*+(?:\\[^\n][^\"\\\n]*+)*\"|'[^'\\\n]*+(?:\\[^\n][^'\\\n]*+)*'")
_BLOCK = re.compile(
    r"(?:config|grid|resources|environment|target|experiment|report|zip|if|elif|else|sample)\b(?!\s*(?:=|\.|in\b|~))"
)
_TOP = re.compile(r"^(?:config|grid|resources|environment|target|experiment|report)[ \t]+\w+[^\n]*:[ \t]*$", re.M)
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u202a-\u202e\u2060\u2066-\u2069]|(?<!^)\ufeff")
_CLOSES = {")": "(", "]": "[", "}": "{"}
_TAB = 4


class Line:
    """A logical line, without its indentation and comment, and the lines below it.

    *header* if it ends in a colon; *broken* if the fault has been reported and the text cannot be parsed.
    """

    __slots__ = ("body", "broken", "end", "header", "indent", "start")

    def __init__(self, indent: int, start: int, end: int, header: bool, broken: bool) -> None:
        self.indent = indent
        self.start = start
        self.end = end
        self.header = header
        self.broken = broken
        self.body: list[Line] = []


def split(source: Source, report: Diagnostics) -> list[Line]:
    """Cut *source* into its top-level lines. What is wrong with characters, tabs, quotes and brackets is reported."""
    return nest(_Splitter(source, report).split(), source, report)


def nest(lines: list[Line], source: Source, report: Diagnostics) -> list[Line]:
    """Put each line under the line that it is indented below."""
    top: list[Line] = []
    levels: list[tuple[int, list[Line]]] = [(0, top)]
    for line in lines:
        left: tuple[int, list[Line]] | None = None
        while line.indent < levels[-1][0]:
            left = levels.pop()
        indent, siblings = levels[-1]
        if line.indent > indent:
            if left is not None:
                _report_dedent(line, left[0], source, report)
                if left[0] - line.indent <= line.indent - indent:
                    levels.append(left)
            elif siblings:
                levels.append((line.indent, siblings[-1].body))
            else:
                _report_first(line, source, report)
                levels.append((line.indent, siblings))
        levels[-1][1].append(line)
    return top


def _report_first(line: Line, source: Source, report: Diagnostics) -> None:
    place = _indentation(line, source)
    if not has_tab(line, source):
        help = "write it at the start of the line"
        report.error("XP004", place, "the first line is indented", "", help=help)


def _report_dedent(line: Line, inner: int, source: Source, report: Diagnostics) -> None:
    place = _indentation(line, source)
    if has_tab(line, source):
        return
    report.error(
        "XP004",
        place,
        "this indentation matches no line above",
        f"{_spaces(line.indent)}",
        help=f"the lines above are indented by {_spaces(inner)}",
    )


def _indentation(line: Line, source: Source) -> Span:
    return source.span(source.text.rfind("\n", 0, line.start) + 1, line.start)


def has_tab(line: Line, source: Source) -> bool:
    """Tell whether other than spaces indent *line*: which is reported by itself; what depth is meant nobody knows."""
    return _NO_SPACE.search(source.text, source.text.rfind("\n", 0, line.start) + 1, line.start) is not None


def _spaces(count: int) -> str:
    return "1 space" if count == 1 else f"{count} spaces"


class _Splitter:
    """The scan of one source. *unclosed* are the openings of long texts that turned out to have no end of their own."""

    def __init__(self, source: Source, report: Diagnostics) -> None:
        self.source = source
        self.text = source.text
        self.report = report
        self.unclosed: dict[int, int | None] = {}
        self.long_texts: list[tuple[int, int]] = []
        self.tabs: list[int] = []
        self.quote: int | None = None

    def split(self) -> list[Line]:
        self._report_unseen()
        faults: list[tuple[str, int]] = []
        while True:
            faults.clear()
            self.tabs.clear()
            self.long_texts.clear()
            lines = self._lines(faults)
            culprit = self._culprit()
            if culprit is None:
                break
            self.unclosed[culprit[0]] = culprit[1]
        for kind, at in faults:
            self._report_fault(kind, at)
        self._report_tabs()
        return lines

    def _lines(self, faults: list[tuple[str, int]]) -> list[Line]:
        text, at = self.text, 1 if self.text.startswith("\ufeff") else 0
        lines: list[Line] = []
        while at < len(text):
            start = self._skip_indent(at)
            if start >= len(text):
                break
            if text[start] == "\r" and text[start + 1 : start + 2] in ("\n", ""):
                start += 1
            if start >= len(text) or text[start] == "\n":
                at = start + 1
                continue
            if text[start] == "#":
                at = self._line_end(start) + 1
                continue
            line, at = self._line(start, _width(text, at, start), faults)
            self._note_tabs(line.start)
            lines.append(line)
        return lines

    def _skip_indent(self, at: int) -> int:
        found = _INDENT.match(self.text, at)
        return found.end() if found else at

    def _line_end(self, at: int) -> int:
        end = self.text.find("\n", at)
        return len(self.text) if end < 0 else end

    def _note_tabs(self, start: int) -> None:
        begin = self.text.rfind("\n", 0, start) + 1
        if _NO_SPACE.search(self.text, begin, start):
            self.tabs.append(begin)

    def _line(self, start: int, indent: int, faults: list[tuple[str, int]]) -> tuple[Line, int]:
        """Read the logical line at *start*; give it and where the next one begins."""
        text, at = self.text, start
        open_brackets: list[int] = []
        first = True
        fault: tuple[str, int] | None = None
        while True:
            found = _PLAIN.match(text, at)
            at = found.end() if found else at
            char = text[at : at + 1]
            if not char or char in "#\n":
                end, at = at, self._line_end(at)
                if not open_brackets or (first and self._is_head(start, end)) or not self._goes_on(at, indent):
                    break
                first = False
                at += 1
            elif char in "([{":
                open_brackets.append(at)
                at += 1
            elif char in ")]}":
                if open_brackets and text[open_brackets[-1]] == _CLOSES[char]:
                    open_brackets.pop()
                at += 1
            else:
                to = self._text_end(at)
                if to is None:
                    fault = fault or ("text", at)
                    to = self._line_end(at)
                at = to
        while end > start and text[end - 1] in " \t\r":
            end -= 1
        if fault is None and open_brackets:
            fault = ("bracket", open_brackets[-1])
        if fault is not None:
            faults.append(fault)
        return Line(indent, start, end, text[end - 1] == ":", fault is not None), at + 1

    def _is_head(self, start: int, end: int) -> bool:
        """Say whether a line with an open bracket is the head of a block (`config base(wide:`): it has lost a bracket,
        and the lines below are its body."""
        return self.text[start:end].rstrip().endswith(":") and _BLOCK.match(self.text, start) is not None

    def _goes_on(self, at: int, indent: int) -> bool:
        """Say whether the line that has an open bracket goes on after the line end *at*."""
        text = self.text
        while at < len(text):
            following = self._skip_indent(at + 1)
            if following >= len(text):
                return False
            if text[following] == "\r":
                following += 1
            if text[following : following + 1] in ("\n", "#"):
                at = self._line_end(following)
                continue
            width = _width(text, at + 1, following)
            goes_on = width > indent or (width == indent and text[following : following + 1] in _CLOSES)
            if goes_on and _NO_SPACE.search(text, at + 1, following):
                self.tabs.append(at + 1)
            return goes_on
        return False

    def _text_end(self, at: int) -> int | None:
        """Give the end of the text whose quote is at *at*, or nothing if it has none."""
        if self.text.startswith('"""', at):
            found = None if at in self.unclosed else _LONG_TEXT.match(self.text, at)
            if found is None:
                self.unclosed.setdefault(at, None)
            else:
                self.long_texts.append((at, found.end()))
        else:
            found = _SHORT_TEXT.match(self.text, at)
        return found.end() if found else None

    def _culprit(self) -> tuple[int, int] | None:
        """If a long text has no end, find the earlier one that took its place: it holds the head of a block."""
        if not any(at not in dict(self.long_texts) and found is None for at, found in self.unclosed.items()):
            return None
        for start, end in self.long_texts:
            head = _TOP.search(self.text, start, end)
            if head and self.text.startswith("\n", head.start() - 1):
                self.unclosed = {at: place for at, place in self.unclosed.items() if place is not None}
                return start, head.start()
        return None

    # -------------------------------------------------------------- reports

    def _report_fault(self, kind: str, at: int) -> None:
        source = self.source
        if kind == "bracket":
            bracket = self.text[at]
            closing = {opening: closing for closing, opening in _CLOSES.items()}[bracket]
            self.report.error(
                "XP006",
                source.span(at, at + 1),
                f"`{bracket}` is not closed",
                "opened here",
                help=f"add `{closing}`; lines inside brackets are indented deeper than the line that opens them",
            )
        elif self.text.startswith('"""', at):
            help_line = 'close it with `"""`'
            head = self.unclosed.get(at)
            if head is not None:
                line, _ = source.position(head)
                help_line += f" above line {line}, where the next block begins"
            self.report.error(
                "XP005", source.span(at, at + 3), "this text is not closed", "opened here", help=help_line
            )
        else:
            quote = self.text[at]
            message = 'close it with the same quote; a text over several lines stands in `"""`'
            if self.text.startswith("''", at - 2 if at >= 2 else 0) and quote == "'":
                message = 'a text over several lines stands in `"""`'
            self.report.error(
                "XP005",
                source.span(at, at + 1),
                "this text is not closed",
                "opened here",
                help=message,
            )

    def _report_tabs(self) -> None:
        lines = sorted(set(self.tabs))
        found = _NO_SPACE.search(self.text, lines[0]) if lines else None
        if found is None:
            return
        name = "tab" if found[0] == "\t" else "no-break space"
        more = len(lines) - 1
        also = f"; {more} more {'line has' if more == 1 else 'lines have'} such" if more else ""
        self.report.error(
            "XP003",
            self.source.span(found.start(), found.end()),
            f"a {name} in the indentation",
            name,
            help=f"indent with spaces{also}",
        )

    def _report_unseen(self) -> None:
        found = list(_UNSEEN.finditer(self.text))
        if not found:
            return
        char = ord(found[0][0])
        name = "a NUL character" if char == 0 else f"an invisible character, U+{char:04X}"
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        self.report.error(
            "XP002",
            self.source.span(found[0].start(), found[0].end()),
            f"{name}{more}",
            "",
            help="delete it" if char == 0 else f"delete it; inside a text write `\\u{char:04x}`",
        )


def _width(text: str, start: int, end: int) -> int:
    width = 0
    for char in text[start:end]:
        width += _TAB - width % _TAB if char == "\t" else 1
    return width
