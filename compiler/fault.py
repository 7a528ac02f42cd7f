"""How an expression fails while it is evaluated: with a finished diagnostic."""

from __future__ import annotations

from collections.abc import Iterable

from ..grammar.diagnostic import Diagnostic, Diagnostics, Label
from ..grammar.source import Span


class EvaluationError(Exception):
    """A user's mistake that showed when a ``Code`` was called."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


def fault(
    code: str,
    span: Span,
    message: str,
    label: str = "",
    *,
    labels: Iterable[tuple[Span, str]] = (),
    help: str | Iterable[str] = (),
) -> EvaluationError:
    """Give the error that ends an evaluation, to be raised."""
    lines = (help,) if isinstance(help, str) else tuple(help)
    others = tuple(Label(where, text) for where, text in labels)
    return EvaluationError(Diagnostic(code, "error", message, span, label, others, lines))


def report(error: EvaluationError, diagnostics: Diagnostics) -> None:
    """Add what ended an evaluation to the findings."""
    d = error.diagnostic
    diagnostics.add(d.severity, d.code, d.span, d.message, d.label, d.labels, d.help)
