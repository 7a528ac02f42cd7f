"""The first token that does not fit to a diagnostic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lark.exceptions import UnexpectedInput

if TYPE_CHECKING:
    from .lexer import Excerpt


def explain(error: UnexpectedInput, excerpt: Excerpt) -> None:
    """Report what *error* found in *excerpt*."""
    token = getattr(error, "token", None)
    if token is None or token.type == "$END":
        excerpt.report.error("XP001", excerpt.span(excerpt.end, excerpt.end), "this statement is not complete")
    else:
        excerpt.report.error("XP001", token.span, f"unexpected `{token}`")
