"""A diagnostic is a value: what is wrong, where, and what to do about it. Rendering is in ``render``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from .source import Span

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Label:
    """A secondary place with a short text beside it (``it was first given here``)."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    *message* stands alone in one-line output; *label* is short because it stands at the caret;
    *labels* are other places; *help* says what to do, a line a string.
    """

    code: str
    severity: Severity
    message: str
    span: Span | None = None
    label: str = ""
    labels: tuple[Label, ...] = ()
    help: tuple[str, ...] = ()


@dataclass(slots=True)
class Diagnostics:
    """What the passes have found so far. Passes add to it and go on; nobody raises for a user's mistake."""

    found: list[Diagnostic] = field(default_factory=list)

    def error(
        self,
        code: str,
        span: Span | None,
        message: str,
        label: str = "",
        *,
        labels: Iterable[Label] = (),
        help: str | Iterable[str] = (),
    ) -> None:
        self.add("error", code, span, message, label, labels, help)

    def warning(
        self,
        code: str,
        span: Span | None,
        message: str,
        label: str = "",
        *,
        labels: Iterable[Label] = (),
        help: str | Iterable[str] = (),
    ) -> None:
        self.add("warning", code, span, message, label, labels, help)

    def note(
        self,
        code: str,
        span: Span | None,
        message: str,
        label: str = "",
        *,
        labels: Iterable[Label] = (),
        help: str | Iterable[str] = (),
    ) -> None:
        self.add("note", code, span, message, label, labels, help)

    def add(
        self,
        severity: Severity,
        code: str,
        span: Span | None,
        message: str,
        label: str,
        labels: Iterable[Label],
        help: str | Iterable[str],
    ) -> None:
        lines = (help,) if isinstance(help, str) else tuple(help)
        finding = Diagnostic(code, severity, message, span, label, tuple(labels), lines)
        if finding not in self.found:
            self.found.append(finding)

    @property
    def failed(self) -> bool:
        return any(d.severity == "error" for d in self.found)

    def sorted(self) -> list[Diagnostic]:
        """Give all findings in file order: the order in which files were first mentioned, then the place."""
        files: dict[int, int] = {}
        for d in self.found:
            if d.span is not None:
                files.setdefault(id(d.span.source), len(files))
        return sorted(
            self.found,
            key=lambda d: (-1, 0) if d.span is None else (files[id(d.span.source)], d.span.start),
        )
