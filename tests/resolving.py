"""Resolves Experimentfiles that tests write as texts, with the files beside them in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import dedent

from xpc.compiler.files import MemoryFiles
from xpc.compiler.resolve import resolve
from xpc.compiler.study import Experiment, Study
from xpc.grammar.diagnostic import Diagnostics
from xpc.grammar.render import render
from xpc.grammar.source import Source

Files = Mapping[str, str]


def attempt(
    text: str,
    files: Files | None = None,
    *,
    env: Mapping[str, str] | None = None,
    settings: Sequence[str] = (),
    target: str | None = None,
) -> tuple[Study | None, Diagnostics]:
    """Resolve a text; give the study and the findings."""
    diagnostics = Diagnostics()
    beside = {name: dedent(content) for name, content in (files or {}).items()}
    source = Source("Experimentfile", dedent(text).lstrip("\n"))
    return resolve(source, MemoryFiles(beside), env or {}, settings, diagnostics, target), diagnostics


def study(
    text: str, files: Files | None = None, *, env: Mapping[str, str] | None = None, settings: Sequence[str] = ()
) -> Study:
    """Resolve a text that must be right."""
    found, diagnostics = attempt(text, files, env=env, settings=settings)
    assert render(diagnostics.sorted(), "full", color=False) == ""
    assert found is not None
    return found


def experiment(
    text: str, files: Files | None = None, *, env: Mapping[str, str] | None = None, settings: Sequence[str] = ()
) -> Experiment:
    """Resolve a text that must be right and give its last experiment."""
    return list(study(text, files, env=env, settings=settings).experiments.values())[-1]


def faults(text: str, files: Files | None = None, **more: object) -> str:
    """Resolve a text and give all findings, rendered."""
    _, diagnostics = attempt(text, files, **more)  # type: ignore[arg-type]
    return render(diagnostics.sorted(), "full", color=False)


def concise(text: str, files: Files | None = None, **more: object) -> list[str]:
    """Resolve a text and give a line for each finding."""
    _, diagnostics = attempt(text, files, **more)  # type: ignore[arg-type]
    return render(diagnostics.sorted(), "concise", color=False).splitlines()
