"""Sources to trees. Nothing here raises for a user's mistake: what is wrong is reported, and the rest comes back."""

from __future__ import annotations

from .blocks import Blocks
from .diagnostic import Diagnostics
from .lexer import Excerpt
from .lines import split
from .source import Source, Span
from .statement import parse_excerpt
from .tree import Expr, Key, Query, Statement, Tree


def parse(source: Source, diagnostics: Diagnostics) -> Tree:
    """Parse an Experimentfile. A broken statement is missing from the tree, and costs nothing but itself."""
    blocks = Blocks(source, diagnostics)
    found = blocks.read(split(source, diagnostics), "top_item")
    statements = tuple(node for node in found if isinstance(node, Statement))
    return Tree(source, statements, frozenset(blocks.broken))


def parse_query(source: Source, diagnostics: Diagnostics) -> Query | None:
    """Parse the text of a query; nothing if it has a fault."""
    excerpt = Excerpt(source, diagnostics, "query", 0, len(source.text), placeholders=False)
    found = parse_excerpt(excerpt)
    return found if isinstance(found, Query) else None


def parse_expression(source: Source, diagnostics: Diagnostics) -> Expr | None:
    """Parse an expression of the query language, such as that of ``--where``; nothing if it has a fault."""
    excerpt = Excerpt(source, diagnostics, "expression", 0, len(source.text), placeholders=False)
    found = parse_excerpt(excerpt)
    return found if isinstance(found, Expr) else None


def parse_setting(source: Source, diagnostics: Diagnostics) -> tuple[Key, Span] | None:
    """Part ``key=value``, as ``--set`` takes it, into the key and the place of the value's raw text."""
    text = source.text
    equals = _equals_sign(text)
    if equals < 0:
        diagnostics.error("XP001", source.span(0, len(text)), "a setting has no `=`", help="write `--set key=value`")
        return None
    key = parse_excerpt(Excerpt(source, diagnostics, "setting_key", 0, equals))
    if not isinstance(key, Key):
        return None
    start = equals + 1 + len(text[equals + 1 :]) - len(text[equals + 1 :].lstrip())
    return key, source.span(start, max(start, len(text.rstrip())))


def parse_literal(source: Source, diagnostics: Diagnostics) -> Expr | None:
    """Parse a literal (``0.1``, ``"a"``, ``[1, 2]``, ``4GiB``); names and operators are faults."""
    return parse_expression(source, diagnostics)


def _equals_sign(text: str) -> int:
    quote = ""
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char == "=":
            return at
    return -1
