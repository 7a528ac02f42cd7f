"""Excerpts of a source to tokens: one scanner, and words that are words only where the parser's state accepts them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lark.lexer import Lexer, LexerState, LexerThread, LineCounter, PatternStr, TerminalDef, Token
from lark.utils import TextSlice

from .source import Source, Span

if TYPE_CHECKING:
    from lark.common import LexerConf
    from lark.parsers.lalr_parser_state import ParserState

    from .diagnostic import Diagnostics

# At the start of a statement a word is a key if what follows can only follow a key.
_KEY_FOLLOWS = re.compile(r"\s*(?:\.|=(?!=)|:)")
_AXIS_FOLLOWS = re.compile(
    r"\s*(?:\.|=(?!=)|~|(?:in|from)\b(?!\s*(?:[=!<>+\-*/%,.:)\]]|$|(?:and|or|not|in|is|if|from)\b)))"
)
_LONG = 600  # characters left; shorter texts have no list worth a token of its own


class Excerpt(TextSlice[str]):
    """A part of *text* that is parsed in one go from *start_rule*, and where its characters stand in the source.

    *at* maps offsets of *text* to the source; without it they are the same. *header* if the line ends in a colon,
    *has_body* if lines stand below it. A text of a query takes no placeholders. *depth* counts placeholders in texts
    in placeholders.
    """

    __slots__ = ("at", "depth", "has_body", "header", "is_query", "report", "source", "start_rule")

    def __init__(
        self,
        source: Source,
        report: Diagnostics,
        start_rule: str,
        start: int,
        end: int,
        *,
        header: bool = False,
        has_body: bool = False,
        is_query: bool = False,
        text: str | None = None,
        at: Sequence[int] | None = None,
        depth: int = 0,
    ) -> None:
        super().__init__(source.text if text is None else text, start, end)
        self.source = source
        self.report = report
        self.start_rule = start_rule
        self.header = header
        self.has_body = has_body
        self.is_query = is_query
        self.at = at
        self.depth = depth

    def span(self, start: int, end: int) -> Span:
        """Give the place in the source of the characters from *start* to *end*."""
        if self.at is None:
            return Span(self.source, start, end)
        return Span(self.source, self.at[start], self.at[end])

    def with_colon(self) -> Excerpt:
        """Give this excerpt as it were if it ended in a colon."""
        text = self.text[: self.end] + ":"
        at = range(len(text)) if self.at is None else self.at
        return Excerpt(
            self.source,
            self.report,
            self.start_rule,
            self.start,
            self.end + 1,
            header=True,
            has_body=self.has_body,
            is_query=self.is_query,
            text=text,
            at=[*at[: self.end + 1], at[self.end]],
            depth=self.depth,
        )


class Lexeme(Token):
    """A token that knows its excerpt."""

    __slots__ = ("excerpt",)
    excerpt: Excerpt

    @property
    def span(self) -> Span:
        return self.excerpt.span(self.start_pos or 0, self.end_pos or 0)


class ExcerptThread(LexerThread):
    """Begins at an excerpt's start. Lark's own counts the lines before it, for each statement anew."""

    @classmethod
    def from_text(cls, lexer: Lexer, text_or_slice: str | TextSlice[str]) -> ExcerptThread:
        text = TextSlice.cast_from(text_or_slice)
        counter = LineCounter("\n")  # type: ignore[no-untyped-call]
        counter.char_pos = text.start
        return cls(lexer, LexerState(text, counter))


class SoftLexer(Lexer):
    """The contextual lexer. Lark's own makes one scanner for each set of accepted tokens; this one scans once for all
    states and then asks the state whether a word is meant as a word, which costs one regular expression."""

    def __init__(
        self, conf: LexerConf, states: dict[int, Collection[str]], always_accept: Collection[str] = ()
    ) -> None:
        self._states = states
        self.words, scanned, self._list = _sort_terminals(conf.terminals)
        self.spellings = {t.name: t.pattern.value for t in conf.terminals if isinstance(t.pattern, PatternStr)}
        self._scan = re.compile("|".join(f"(?P<{t.name}>{t.pattern.to_regexp()})" for t in scanned)).match

    def lex(self, lexer_state: LexerState, parser_state: ParserState[int]) -> Iterator[Lexeme]:
        excerpt = lexer_state.text
        if not isinstance(excerpt, Excerpt):
            raise TypeError("this lexer reads excerpts only")
        at, end = excerpt.start, excerpt.end
        first = excerpt.start_rule.endswith("_item") and excerpt.start_rule != "top_item"
        while at < end:
            kind, to = self._token(excerpt.text, at, end)
            if kind == "BLANK":
                at = to
                continue
            accepted = self._states[parser_state.position]
            if kind == "NAME":
                word = self.words.get(excerpt.text[at:to])
                if word in accepted and not (first and _is_key(excerpt, to)):
                    kind = word or kind
            elif kind == "LSQB" and end - at > _LONG and "VALUES" in accepted:
                found = self._list.match(excerpt.text, at, end)
                if found:
                    kind, to = "VALUES", found.end()
            token = _lexeme(excerpt, kind, at, to)
            lexer_state.last_token = token
            yield token
            first = False
            at = to

    def tokens(self, excerpt: Excerpt) -> list[Lexeme]:
        """Give all tokens without a parser, every word a NAME: for finding out what a mistake was meant to be."""
        found: list[Lexeme] = []
        at = excerpt.start
        while at < excerpt.end:
            kind, to = self._token(excerpt.text, at, excerpt.end)
            if kind != "BLANK":
                found.append(_lexeme(excerpt, kind, at, to))
            at = to
        return found

    def _token(self, text: str, at: int, end: int) -> tuple[str, int]:
        found = self._scan(text, at, end)
        return (found.lastgroup or "BAD", found.end()) if found else ("BAD", at + 1)


def _lexeme(excerpt: Excerpt, kind: str, start: int, end: int) -> Lexeme:
    token = Lexeme(kind, excerpt.text[start:end], start, 0, 0, 0, 0, end)
    token.excerpt = excerpt
    return token


def _is_key(excerpt: Excerpt, after: int) -> bool:
    if excerpt.start_rule != "grid_item":
        return _KEY_FOLLOWS.match(excerpt.text, after, excerpt.end) is not None
    found = _AXIS_FOLLOWS.match(excerpt.text, after, excerpt.end)
    return found is not None and not (excerpt.header and found[0].lstrip()[0] in "if")


def _sort_terminals(terminals: Collection[TerminalDef]) -> tuple[dict[str, str], list[TerminalDef], re.Pattern[str]]:
    """Part the terminals into words, what the scanner tries (in that order), and the long list."""
    words: dict[str, str] = {}
    scanned: list[TerminalDef] = []
    values: Any = None
    for terminal in terminals:
        pattern = terminal.pattern
        if isinstance(pattern, PatternStr) and pattern.value.isidentifier():
            words[pattern.value] = terminal.name
        elif terminal.name == "VALUES":
            values = pattern.to_regexp()
        else:
            scanned.append(terminal)
    scanned.sort(key=lambda t: (-t.priority, -len(t.pattern.value), t.name))
    return words, scanned, re.compile(values)
