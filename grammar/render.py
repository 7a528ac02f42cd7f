"""Diagnostics to what people and machines read."""

from __future__ import annotations

import json
from collections.abc import Sequence

from .diagnostic import Diagnostic, Label
from .screen import Paint, visible
from .snippet import snippet
from .source import Span

_GITHUB = {"error": "error", "warning": "warning", "note": "notice"}


def render(diagnostics: Sequence[Diagnostic], format: str, *, color: bool) -> str:
    """Render *diagnostics* in their order, without a newline at the end.

    *format* is one of ``full``, ``concise``, ``json``, ``github``; colour is for the first two.
    """
    paint = Paint(color)
    match format:
        case "full":
            return "\n\n".join(_full(d, paint) for d in diagnostics)
        case "concise":
            return "\n".join(_concise(d, paint) for d in diagnostics)
        case "json":
            return json.dumps([_record(d) for d in diagnostics], indent=2)
        case "github":
            return "\n".join(_github(d) for d in diagnostics)
    raise ValueError(f"unknown format {format!r}")


def _head(d: Diagnostic, paint: Paint) -> str:
    return paint(d.severity, f"{d.severity}[{d.code}]") + paint("strong", f": {visible(d.message)}")


def _full(d: Diagnostic, paint: Paint) -> str:
    lines = [_head(d, paint)]
    if d.span is not None:
        lines += snippet(d.severity, Label(d.span, d.label), d.labels, paint, more=bool(d.help))
    for text in d.help:
        first, *rest = text.split("\n")
        lines.append(paint("help", "help") + f": {visible(first)}")
        lines += [f"      {visible(line)}" for line in rest]
    return "\n".join(lines)


def _concise(d: Diagnostic, paint: Paint) -> str:
    if d.span is None:
        return _head(d, paint)
    line, column = d.span.source.position(d.span.start)
    return f"{visible(d.span.source.name)}:{line}:{column}: {_head(d, paint)}"


def _place(span: Span) -> tuple[int, int, int, int]:
    return (*span.source.position(span.start), *span.source.position(span.end))


def _record(d: Diagnostic) -> dict[str, str | int | None]:
    line, column, end_line, end_column = _place(d.span) if d.span else (None, None, None, None)
    return {
        "code": d.code,
        "severity": d.severity,
        "message": d.message,
        "help": "\n".join(d.help) or None,
        "file": d.span.source.name if d.span else None,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
    }


def _github(d: Diagnostic) -> str:
    properties: dict[str, str | int] = {}
    if d.span is not None:
        line, column, end_line, end_column = _place(d.span)
        properties = {
            "file": d.span.source.name,
            "line": line,
            "col": column,
            "endLine": end_line,
            "endColumn": end_column,
        }
    properties["title"] = d.code
    listed = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    message = "\n".join((d.message, *(f"help: {line}" for line in d.help)))
    return f"::{_GITHUB[d.severity]} {listed}::{_data(message)}"


def _data(text: str) -> str:
    kept = "\n".join(visible(line) for line in text.split("\n"))
    return kept.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
