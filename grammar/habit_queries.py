"""Queries in the forms of SQL, and conditions without their clause."""

from __future__ import annotations

from lark.exceptions import UnexpectedInput

from . import engine
from .diagnostic import Diagnostics
from .fault import Fault, Finding, short
from .lexer import Excerpt, Lexeme
from .nearest import nearest
from .tree import Call

_CLAUSES = {
    "ascending": "asc",
    "descending": "desc",
    "select": "show",
    "order": "sort by",
    "order by": "sort by",
    "like": "matches",
    "offset": "limit",
}


def foreign_clause(fault: Fault, lexeme: Lexeme) -> Finding | None:
    """Recognise a clause of SQL, or one in capitals."""
    lower = lexeme.lower()
    meant = _CLAUSES.get(lower)
    following = next(
        (t for t in fault.tokens if t.start_pos is not None and t.start_pos > (lexeme.start_pos or 0)), None
    )
    span = lexeme.span
    if meant is None and lexeme != lower and lower in engine.words():
        meant = lower
    if meant is None:
        return None
    if lower in ("order", "group", "sort") and following is not None and following.lower() == "by":
        span = span.to(following.span)
        meant = "sort by" if lower == "order" else f"{lower} by"
    return Finding("XP001", span, f"`{span.text}` is written `{meant}`", "", f"write `{meant}`")


def sql(fault: Fault) -> Finding | None:
    """Recognise ``SELECT``, ``ORDER BY``, and words of the language in capitals."""
    if not fault.excerpt.is_query:
        return None
    for lexeme in (fault.token, fault.before):
        if lexeme is not None and lexeme.type == "NAME" and (found := foreign_clause(fault, lexeme)):
            return found
    return None


def all_columns(fault: Fault) -> Finding | None:
    """Recognise ``show *``."""
    lexeme = fault.token
    if lexeme is None or lexeme != "*" or fault.before != "show":
        return None
    return Finding("XP001", lexeme.span, "`*` names no column", "", "leave `show` out to see all that differs")


def bare_condition(fault: Fault) -> Finding | None:
    """Recognise ``status == done`` or ``mean(acc)`` as a whole query."""
    if fault.excerpt.start_rule != "query" or fault.index or not fault.tokens:
        return None
    if nearest(fault.tokens[0], engine.starting_words("clause")):
        return None
    expression = _as_expression(fault.excerpt)
    if expression is None:
        return None
    word = "show" if isinstance(expression, Call) else "where"
    text = fault.source_text.strip()
    return Finding(
        "XP001", fault.tokens[0].span, "a query is made of clauses", "", f"write `{short(f'{word} {text}')}`"
    )


def _as_expression(excerpt: Excerpt) -> object | None:
    trial = Excerpt(excerpt.source, Diagnostics(), "expression", excerpt.start, excerpt.end, is_query=True)
    try:
        return engine.run(trial)
    except UnexpectedInput:
        return None
