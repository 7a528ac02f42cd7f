"""A text's token to a Text: indentation, escapes, placeholders, with the place of every character."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .source import Span
from .tree import Broken, Expr, Piece, Placeholder, Text, Word

if TYPE_CHECKING:
    from .lexer import Excerpt, Lexeme

_ESCAPE = re.compile(r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[\s\S])")
_ESCAPES = {'"': '"', "'": "'", "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_BEGINS = re.compile(r"[^\W\d]|\(")
_SHELL_NAME = re.compile(r"\$\{[#!]?([^\W\d][\w.]*)?")
_LINE = re.compile(r"[^\n]*\n?")
_QUOTED = re.compile(r""""(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'""")
_DEEPEST = 8


class _Cooked:
    """Characters and where each stands in the excerpt's text; one place more than characters."""

    __slots__ = ("at", "text")

    def __init__(self, text: str, at: Sequence[int]) -> None:
        self.text = text
        self.at = at


def read_text(token: Lexeme, *, placeholders: bool = True) -> Text:
    """Read a text's token. Wrong escapes and placeholders are reported and left out."""
    cooked, raw = _cook(token)
    excerpt = token.excerpt
    if excerpt.at is not None:
        cooked.at = [excerpt.at[i] for i in cooked.at]
    if raw or "{" not in cooked.text or not placeholders or excerpt.is_query:
        whole = Piece(cooked.text, cooked.at, token.span)
        return Text((whole,) if raw or cooked.text else (), raw, token.span)
    return _Parts(cooked, excerpt).text(token)


def plain_text(token: Lexeme) -> str:
    """Read a text that is a name: it holds no placeholders, a brace is a brace."""
    return _cook(token)[0].text


def _cook(token: Lexeme) -> tuple[_Cooked, bool]:
    raw = token.startswith("r")
    quote = 3 if token.startswith('"""', raw) else 1
    start = (token.start_pos or 0) + raw + quote
    end = (token.end_pos or 0) - quote
    cooked = _Cooked(token.excerpt.text[start:end], range(start, end + 1))
    if quote == 3 and "\n" in cooked.text:
        cooked = _dedent(cooked)
    if not raw and "\\" in cooked.text:
        cooked = _unescape(cooked, token)
    return cooked, raw


def _dedent(cooked: _Cooked) -> _Cooked:
    """Take away the indentation that all lines but the first share; a line of blanks loses them and does not count."""
    lines = [(m.start(), m[0]) for m in _LINE.finditer(cooked.text) if m[0]]
    if cooked.text.endswith("\n"):
        lines.append((len(cooked.text), ""))
    common: str | None = None
    for _, line in lines[1:]:
        if line.strip():
            indent = line[: len(line) - len(line.lstrip(" \t"))]
            common = indent if common is None else _shared(common, indent)
    chars: list[str] = []
    at: list[int] = []
    for number, (start, line) in enumerate(lines):
        kept = line.replace("\r\n", "\n")
        cut = 0
        if number:
            cut = len(common or "") if line.strip() else len(line.rstrip("\n"))
            kept = kept[min(cut, len(kept) - kept.endswith("\n")) :] if line.strip() else "\n" * line.endswith("\n")
        chars.append(kept)
        at.extend(cooked.at[start + cut + i] for i in range(len(kept)))
    at.append(cooked.at[-1])
    return _Cooked("".join(chars), at)


def _shared(left: str, right: str) -> str:
    length = 0
    while length < min(len(left), len(right)) and left[length] == right[length]:
        length += 1
    return left[:length]


def _unescape(cooked: _Cooked, token: Lexeme) -> _Cooked:
    chars: list[str] = []
    at: list[int] = []
    done = 0
    for found in _ESCAPE.finditer(cooked.text):
        chars.append(cooked.text[done : found.start()])
        at.extend(cooked.at[done : found.start()])
        char = _escape(found[0])
        if char is None:
            _report_escape(found, cooked, token)
            char = found[0][1:]  # what was meant is not known; something stands there, so that nothing else looks wrong
        chars.append(char)
        at.extend([cooked.at[found.start()]] * len(char))
        done = found.end()
    chars.append(cooked.text[done:])
    at.extend(cooked.at[done:])
    return _Cooked("".join(chars), at)


def _escape(escape: str) -> str | None:
    if len(escape) == 12:
        high, low = int(escape[2:6], 16), int(escape[8:], 16)
        return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    if len(escape) == 6:
        code = int(escape[2:], 16)
        return None if 0xD800 <= code < 0xE000 else chr(code)
    return _ESCAPES.get(escape[1])


def _report_escape(found: re.Match[str], cooked: _Cooked, token: Lexeme) -> None:
    escape = found[0]
    if escape == "\\\n":
        message, cure = (
            "a text has no escape for the end of a line",
            "where the shell should see a backslash, write `\\\\`",
        )
    elif escape.startswith("\\u"):
        message, cure = f"`{escape}` is not a character", "write `\\u` and four hex digits, such as `\\u00e9`"
    else:
        message = f"a text has no escape `{escape}`"
        cure = (
            f'for a backslash write `\\{escape}`, or begin the text with r: r"…" reads no escapes and no placeholders'
        )
    span = token.excerpt.span(cooked.at[found.start()], cooked.at[found.start()] + len(escape))
    token.excerpt.report.error("XP013", span, message, help=cure)


class _Parts:
    """The walk over a text's characters that finds its placeholders. Places are the source's from here on."""

    def __init__(self, cooked: _Cooked, excerpt: Excerpt) -> None:
        self.chars = cooked.text
        self.at = cooked.at
        self.excerpt = excerpt
        self.parts: list[Piece | Placeholder] = []
        self.shell: list[Word] = []
        self.kept: list[str] = []
        self.kept_at: list[int] = []

    def text(self, token: Lexeme) -> Text:
        done = at = 0
        while (at := self.chars.find("{", at)) >= 0:
            if self.chars.startswith("{{", at):
                self._keep(done, at + 1)
                done = at = at + 2
            elif at > 0 and self.chars[at - 1] == "$" and at - 1 >= done:
                at = self._shell_end(at)
            elif _BEGINS.match(self.chars, at + 1):
                self._keep(done, at)
                self._flush(at)
                done = at = self._placeholder(at)
            else:
                self._report_brace(at)
                at += 1
        self._keep(done, len(self.chars))
        self._flush(len(self.chars))
        return Text(tuple(self.parts), False, token.span, tuple(self.shell))

    def _keep(self, start: int, end: int) -> None:
        self.kept.append(self.chars[start:end])
        self.kept_at.extend(self.at[start:end])

    def _flush(self, end: int) -> None:
        text = "".join(self.kept)
        if text:
            at = [*self.kept_at, self.at[end]]
            self.parts.append(Piece(text, at, self.excerpt.source.span(at[0], at[-1])))
        self.kept.clear()
        self.kept_at.clear()

    def _span(self, start: int, end: int) -> Span:
        return self.excerpt.source.span(self.at[start], self.at[end])

    def _shell_end(self, brace: int) -> int:
        """Give the end of the shell's own ``${…}`` whose brace is at *brace*."""
        depth, at = 0, brace
        while at < len(self.chars):
            depth += {"{": 1, "}": -1}.get(self.chars[at], 0)
            at += 1
            if depth == 0:
                break
        name = _SHELL_NAME.match(self.chars, brace - 1)
        if name and name[1]:
            self.shell.append(Word(name[1], self._span(brace - 1, at)))
        return at

    def _placeholder(self, brace: int) -> int:
        """Read the placeholder whose brace is at *brace*; give its end."""
        colon = self._expression_end(brace + 1)
        close = self.chars.find("}", colon)
        if close < 0 or "\n" in self.chars[colon:close]:
            self.excerpt.report.error(
                "XP014",
                self._span(brace, brace + 1),
                "this placeholder is not closed",
                "opened here",
                help="close it with `}`; a brace of the text's own is written `{{`",
            )
            return self._line_end(brace)
        has_spec = self.chars[colon] == ":"
        expr = self._expression(brace + 1, colon)
        spec_span = self._span(colon + 1, close) if has_spec else None
        spec = self.chars[colon + 1 : close] if has_spec else None
        self.parts.append(Placeholder(expr, spec, self._span(brace, close + 1), spec_span))
        return close + 1

    def _expression(self, start: int, end: int) -> Expr:
        from .lexer import Excerpt
        from .statement import parse_expression_excerpt

        outer = self.excerpt
        if outer.depth >= _DEEPEST:
            outer.report.error("XP018", self._span(start, end), "placeholders are nested too deeply")
            return Broken(self._span(start, end))
        inner = Excerpt(
            outer.source,
            outer.report,
            "expression",
            start,
            end,
            text=self.chars,
            at=self.at,
            depth=outer.depth + 1,
        )
        return parse_expression_excerpt(inner)

    def _expression_end(self, at: int) -> int:
        """Find the first ``:`` or ``}`` outside brackets and texts, or the end of the characters."""
        depth = 0
        while at < len(self.chars):
            char = self.chars[at]
            if char in "\"'":
                quoted = _QUOTED.match(self.chars, at)
                at = quoted.end() - 1 if quoted else at
            elif char in "([{":
                depth += 1
            elif char in ")]}" and depth:
                depth -= 1
            elif char in ":}" and not depth:
                return at
            at += 1
        return at

    def _line_end(self, at: int) -> int:
        end = self.chars.find("\n", at)
        return len(self.chars) if end < 0 else end

    def _report_brace(self, brace: int) -> None:
        close = self.chars.find("}", brace)
        line_end = self._line_end(brace)
        to = close + 1 if 0 <= close < line_end else min(line_end, brace + 1)
        shown = self.chars[brace:to]
        if shown == "{}":
            message = "an empty placeholder"
            cure = "name a value, such as `{seed}`; for braces of the text's own write `{{}`"
        else:
            message = f"`{_short(shown)}` is not a placeholder"
            doubled = _short("{" + shown)
            cure = f"for a brace of the text's own write `{doubled}`; a placeholder has its name right after the brace"
        self.excerpt.report.error("XP014", self._span(brace, to), message, help=cure)


def _short(text: str) -> str:
    return text if len(text) <= 30 else text[:28] + "…"
