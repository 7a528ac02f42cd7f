"""Texts beside a state or a time: what they stand for, and what is wrong with them."""

from __future__ import annotations

from datetime import UTC, datetime

from ...grammar import tree
from ...grammar.diagnostic import Diagnostics
from ...grammar.nearest import nearest
from ..states import STATES


def state_word(expr: tree.Expr) -> str | None:
    """Give the word that stands where a state is expected: a bare name or a text."""
    if isinstance(expr, tree.Name) and len(expr.path) == 1:
        return expr.path[0]
    return expr.plain if isinstance(expr, tree.Text) else None


def read_state(expr: tree.Expr, diagnostics: Diagnostics) -> str | None:
    """Give the state that a literal names; report a word that is none."""
    word = state_word(expr)
    if word in STATES:
        return word
    close = nearest(word or "", STATES)
    help = f"did you mean `{close}`?" if close else f"states are {', '.join(f'`{state}`' for state in STATES)}"
    diagnostics.error("XQ011", expr.span, f"`{word}` is no state of a run", help=help)
    return None


def read_time(expr: tree.Expr, diagnostics: Diagnostics) -> str | None:
    """Give an ISO text in the form of the records: UTC, milliseconds. A time without a zone is UTC."""
    text = expr.plain if isinstance(expr, tree.Text) else None
    try:
        found = datetime.fromisoformat(text or "")
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        diagnostics.error(
            "XQ012", expr.span, f"`{text}` is no time", help='write it as `"2026-11-21"` or `"2026-11-21T09:30"`'
        )
        return None
    return found.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
