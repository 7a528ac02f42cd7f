"""How an expression fails while it is evaluated: with a finished diagnostic."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

from ..grammar.diagnostic import Diagnostic, Label
from ..grammar.source import Span


class EvaluationError(Exception):
    """A user's mistake that showed when a ``Code`` was called."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


def fail(
    code: str,
    span: Span,
    message: str,
    label: str = "",
    *,
    labels: Iterable[tuple[Span, str]] = (),
    help: str | Iterable[str] = (),
) -> NoReturn:
    """End an evaluation with an error."""
    lines = (help,) if isinstance(help, str) else tuple(help)
    others = tuple(Label(where, text) for where, text in labels)
    raise EvaluationError(Diagnostic(code, "error", message, span, label, others, lines))
