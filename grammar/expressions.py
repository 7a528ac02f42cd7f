"""What the rules of expression.lark build. Each function is named after its rule and takes the rule's children."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from . import literals
from .node import Node
from .source import Span
from .texts import plain_text, read_text
from .tree import (
    Argument,
    Binary,
    Broken,
    Call,
    Conditional,
    Constant,
    Expr,
    Index,
    IsNull,
    Key,
    ListOf,
    MapOf,
    Member,
    Name,
    Number,
    Quantity,
    Text,
    Unary,
    Values,
    Word,
)

if TYPE_CHECKING:
    from .lexer import Excerpt, Lexeme

Children = list[Any]
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_FOREIGN = {"True": "true", "False": "false", "None": "null", "TRUE": "true", "FALSE": "false", "NULL": "null"}


def whole(children: Children) -> Span:
    """Give the span from the first child to the last."""
    span: Span = children[0].span
    return span.to(children[-1].span)


def word_of(token: Lexeme) -> Word:
    return Word(str(token), token.span)


def operands(children: Children) -> tuple[Any, ...]:
    """Give the children that are nodes, without commas and brackets."""
    return tuple(child for child in children if isinstance(child, Node))


# ------------------------------------------------------------------ names and texts


def segment(children: Children) -> Word:
    token: Lexeme = children[0]
    return Word(plain_text(token), token.span) if token.type == "TEXT" else word_of(token)


def key(children: Children) -> Key:
    return Key((children[0],), children[0].span)


def longer_key(children: Children) -> Key:
    return Key((*children[0].segments, children[2]), whole(children))


def name(children: Children) -> Name | Constant:
    token: Lexeme = children[0]
    meant = _FOREIGN.get(token)
    if meant is not None:
        token.excerpt.report.error("XP016", token.span, f"`{token}` is written `{meant}`", help=f"write `{meant}`")
        return Constant(_CONSTANTS[meant], token.span)
    return Name(Key((word_of(token),), token.span), token.span)


def text(children: Children) -> Text:
    return read_text(children[0])


def regex(children: Children) -> Text:
    found = read_text(children[0], placeholders=False)
    _warn_of_backspace(found, children[0].excerpt)
    return found


def _warn_of_backspace(pattern: Expr, excerpt: Excerpt) -> None:
    r"""In a regular expression that is no r"…", ``\b`` has become a backspace, which nobody wants to match."""
    if isinstance(pattern, Text) and not pattern.raw and "\b" in (pattern.plain or ""):
        at = pattern.span.text.index("\\b") if "\\b" in pattern.span.text else 0
        excerpt.report.warning(
            "XP013",
            pattern.span.sub(at, at + 2),
            r"`\b` is a backspace in a text, not the edge of a word",
            help='begin the text with r: r"…" reads no escapes',
        )


# ------------------------------------------------------------------ literals


def integer(children: Children) -> Number:
    return literals.integer(children[0])


def float_number(children: Children) -> Number:
    return literals.float_number(children[0])


def size(children: Children) -> Quantity:
    return literals.size(children[0])


def duration(children: Children) -> Quantity:
    return literals.duration(children[0])


def constant(children: Children) -> Constant:
    return Constant(_CONSTANTS[children[0]], children[0].span)


def values(children: Children) -> Values:
    return literals.values(children[0])


def list_of(children: Children) -> ListOf:
    return ListOf(operands(children), whole(children))


def pair(children: Children) -> tuple[Key, Expr]:
    return children[0], children[2]


def map_of(children: Children) -> MapOf:
    return MapOf(tuple(child for child in children if isinstance(child, tuple)), whole(children))


def group(children: Children) -> Expr:
    inner: Expr = children[1]
    return inner.replace(span=whole(children))


# ------------------------------------------------------------------ operators


def unary(children: Children) -> Unary:
    operator, operand = children
    return Unary(operator=_plain(operator), operand=operand, span=whole(children))


def binary(children: Children) -> Binary:
    left, operator, right = children
    sign = "±" if operator == "+/-" else str(operator)
    if sign == "matches":
        _warn_of_backspace(right, operator.excerpt)
    return Binary(sign, left, right, whole(children), operator.span)


def not_in(children: Children) -> Binary:
    left, first, second, right = children
    return Binary("not in", left, right, whole(children), first.span.to(second.span))


def is_null(children: Children) -> IsNull:
    return IsNull(children[0], len(children) == 4, whole(children))


def conditional(children: Children) -> Conditional:
    then, _, condition, _, otherwise = children
    return Conditional(condition, then, otherwise, whole(children))


def _plain(token: Lexeme) -> Any:
    return str(token)


# ------------------------------------------------------------------ what follows an atom


def member(children: Children) -> Name | Member | Broken:
    base, _, word = children
    if isinstance(base, Name):
        longer = Key((*base.key.segments, word), whole(children))
        return Name(longer, longer.span)
    return Member(base, word, whole(children))


def index(children: Children) -> Index:
    return Index(children[0], children[2], whole(children))


def call(children: Children) -> Call | Broken:
    base = children[0]
    span = whole(children)
    if not isinstance(base, Name):
        if not isinstance(base, Broken | Constant):
            excerpt = children[1].excerpt
            code = "XQ001" if excerpt.is_query else "XP001"
            excerpt.report.error(code, base.span, "only a function's name can be called", "not a name")
        return Broken(span)
    return Call(base.key, _arguments(children[2:]), span)


def _arguments(children: Iterable[object]) -> tuple[Argument, ...]:
    return tuple(child for child in children if isinstance(child, Argument))


def positional(children: Children) -> Argument:
    return Argument(None, children[0], children[0].span)


def named(children: Children) -> Argument:
    return Argument(word_of(children[0]), children[2], whole(children))
