"""Where a parse stopped, and what is said about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .source import Span

if TYPE_CHECKING:
    from .lexer import Excerpt, Lexeme


class Finding:
    """What will be reported: one code, one place, one message."""

    __slots__ = ("code", "help", "label", "message", "span")

    def __init__(self, code: str, span: Span, message: str, label: str = "", help: str = "") -> None:
        self.code = code
        self.span = span
        self.message = message
        self.label = label
        self.help: tuple[str, ...] = (help,) if help else ()


class Fault:
    """The excerpt's *tokens*, the *index* at which the parser stopped (*token*, or the end), and what it *accepted*."""

    __slots__ = ("accepted", "excerpt", "index", "token", "tokens")

    def __init__(
        self, excerpt: Excerpt, tokens: list[Lexeme], index: int, token: Lexeme | None, accepted: frozenset[str]
    ) -> None:
        self.excerpt = excerpt
        self.tokens = tokens
        self.index = index
        self.token = token
        self.accepted = accepted

    def at(self, index: int) -> Lexeme | None:
        return self.tokens[index] if 0 <= index < len(self.tokens) else None

    @property
    def before(self) -> Lexeme | None:
        return self.at(self.index - 1)

    @property
    def after(self) -> Lexeme | None:
        return self.at(self.index + 1)

    @property
    def end(self) -> Span:
        """The place after the last token."""
        last = self.tokens[-1].end_pos if self.tokens else self.excerpt.start
        return self.excerpt.span(last or 0, last or 0)

    @property
    def source_text(self) -> str:
        return self.excerpt.text[self.excerpt.start : self.excerpt.end]

    @property
    def is_expression(self) -> bool:
        return self.excerpt.start_rule == "expression"

    @property
    def takes_value(self) -> bool:
        """Whether a value could stand at the fault."""
        return {"NAME", "INTEGER"} <= self.accepted

    def touching(self, left: Lexeme | None, right: Lexeme | None) -> bool:
        """Whether two tokens stand side by side without a blank."""
        return left is not None and right is not None and left.end_pos == right.start_pos


def short(text: str) -> str:
    """Give the first line of *text*, cut where it gets long."""
    line = text.split("\n", 1)[0]
    return line if len(line) <= 70 else line[:68] + "…"
