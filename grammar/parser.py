"""Sources to trees. Nothing here raises for a user's mistake: what is wrong is reported, and the rest comes back."""

from __future__ import annotations

from .blocks import Blocks
from .clause_order import check_clauses
from .diagnostic import Diagnostics
from .lexer import Excerpt
from .lines import split
from .source import Source, Span
from .statement import parse_excerpt
from .tree import (
    Constant,
    Expr,
    Key,
    ListOf,
    MapOf,
    Number,
    Quantity,
    Query,
    Statement,
    Text,
    Tree,
    Unary,
    Values,
)


def parse(source: Source, diagnostics: Diagnostics) -> Tree:
    """Parse an Experimentfile. A broken statement is missing from the tree, and costs nothing but itself."""
    blocks = Blocks(source, diagnostics)
    found = blocks.read(split(source, diagnostics), "top_item")
    statements = tuple(node for node in found if isinstance(node, Statement))
    return Tree(source, statements, frozenset(blocks.broken))


def parse_query(source: Source, diagnostics: Diagnostics) -> Query | None:
    """Parse the text of a query; nothing if it has a fault. A blank text is a query without clauses."""
    if not source.text.strip():
        return Query((), source.span(0, len(source.text)))
    excerpt = Excerpt(source, diagnostics, "query", 0, len(source.text), is_query=True)
    found = parse_excerpt(excerpt)
    if not isinstance(found, Query):
        return None
    check_clauses(found.clauses, diagnostics)
    return found


def parse_expression(source: Source, diagnostics: Diagnostics) -> Expr | None:
    """Parse an expression of the query language, such as that of ``--where``; nothing if it has a fault."""
    found = parse_excerpt(Excerpt(source, diagnostics, "expression", 0, len(source.text), is_query=True))
    return found if isinstance(found, Expr) else None


def parse_setting(source: Source, diagnostics: Diagnostics) -> tuple[Key, Span] | None:
    """Part ``key=value``, as ``--set`` takes it, into the key and the place of the value's raw text."""
    text = source.text
    equals = _equals_sign(text)
    if (sign := text.lstrip()[:1]) in ("", "=", "+", "~"):
        foreign = sign in ("+", "~")
        message = f"a setting takes no `{sign}`" if foreign else "a setting has no key"
        cure = "a setting changes keys that the file declares" if foreign else "write `--set key=value`"
        diagnostics.error("XP016" if foreign else "XP001", source.span(0, len(text)), message, help=cure)
        return None
    if equals < 0:
        diagnostics.error("XP001", source.span(0, len(text)), "a setting has no `=`", help="write `--set key=value`")
        return None
    key = parse_excerpt(Excerpt(source, diagnostics, "setting_key", 0, equals))
    if not isinstance(key, Key):
        return None
    start = equals + 1 + len(text[equals + 1 :]) - len(text[equals + 1 :].lstrip())
    return key, source.span(start, max(start, len(text.rstrip())))


def parse_literal(source: Source, diagnostics: Diagnostics) -> Expr | None:
    """Parse a literal (``0.1``, ``"a"``, ``[1, 2]``, ``{a: 1}``, ``4GiB``, ``-3``); anything else is a fault."""
    found = parse_expression(source, diagnostics)
    if found is None:
        return None
    other = _not_literal(found)
    if other is not None:
        diagnostics.error(
            "XP001", other.span, "not a literal value", "", help=f'a text stands in quotes: `"{source.text}"`'
        )
        return None
    return found


def _not_literal(expr: Expr) -> Expr | None:
    """Find a part of *expr* that is not a literal."""
    match expr:
        case Number() | Constant() | Quantity() | Text() | Values():
            return None
        case Unary("-" | "+", Number() | Quantity()):
            return None
        case ListOf(items):
            parts = items
        case MapOf(pairs):
            parts = tuple(value for _, value in pairs)
        case _:
            return expr
    return next((found for part in parts if (found := _not_literal(part)) is not None), None)


def _equals_sign(text: str) -> int:
    """Find the first ``=`` outside quotes; -1 if there is none."""
    import re

    found = re.match(r"""(?:[^"'=]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')*=""", text, re.DOTALL)
    return found.end() - 1 if found else -1
