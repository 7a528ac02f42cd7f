"""Plans Experimentfiles that tests write as texts, and executes their commands as a run would."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from xpc.compiler.expand import expand
from xpc.compiler.files import MemoryFiles
from xpc.compiler.format import format_value
from xpc.compiler.plan import Plan, SnapshotRef, make_plan
from xpc.compiler.resolve import resolve
from xpc.compiler.study import Study
from xpc.compiler.table import Table
from xpc.compiler.template import Argv, KeyPart, ListWord, Script, TextPart, Word
from xpc.grammar.diagnostic import Diagnostics
from xpc.grammar.render import render
from xpc.grammar.source import Source

COMPILE = Path(__file__).parent / "compile"


def read_study(name: str) -> tuple[str, dict[str, str]]:
    """Give the Experimentfile of a study below tests/compile, and the files beside it."""
    folder = COMPILE / name
    files = {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).parts[0] not in ("expected", "Experimentfile")
    }
    return (folder / "Experimentfile").read_text(), files


EVERYTHING, EVERYTHING_FILES = read_study("everything")  # in which all that a plan can hold occurs
Files = Mapping[str, str]
Rows = Mapping[str, Sequence[int]]


@dataclass
class Planned:
    """What the passes gave; *plan* is nothing after an error."""

    study: Study
    tables: Mapping[str, Table]
    plan: Plan | None
    diagnostics: Diagnostics


def attempt(
    text: str,
    files: Files | None = None,
    rows: Rows | None = None,
    settings: Sequence[str] = (),
    target: str = "local",
) -> Planned:
    """Take a text through parse, resolve, expand and plan."""
    diagnostics = Diagnostics()
    source = Source("Experimentfile", dedent(text).lstrip("\n"))
    beside = {name: dedent(content) for name, content in (files or {}).items()}
    study = resolve(source, MemoryFiles(beside), {}, settings, diagnostics, target)
    assert study is not None
    tables = expand(study, diagnostics)
    plan = make_plan(
        study,
        tables,
        SnapshotRef("4f2a91c0d1", ""),
        study.targets[target],
        diagnostics,
        code_of=lambda patterns: f"code of {', '.join(patterns) or 'all'}",
        content_of={name: f"content of {name}" for name in beside}.get,
        rows=rows,
    )
    return Planned(study, tables, plan, diagnostics)


def plan_of(text: str, files: Files | None = None, **more: object) -> Plan:
    """Plan a text in which nothing may be found."""
    planned = attempt(text, files, **more)  # type: ignore[arg-type]
    assert render(planned.diagnostics.sorted(), "full", color=False) == ""
    assert planned.plan is not None
    return planned.plan


def found(text: str, files: Files | None = None, **more: object) -> str:
    """Plan a text and give all that is found, rendered."""
    planned = attempt(text, files, **more)  # type: ignore[arg-type]
    return render(planned.diagnostics.sorted(), "full", color=False)


def study_text(run: str, values: str = "lr = 0.1", grid: str = "", extra: str = "") -> str:
    """Give an Experimentfile with one experiment; *values*, *grid* and *extra* are lines of their blocks."""

    def block(head: str, lines: str) -> list[str]:
        return [head, *(f"    {line}" for line in lines.splitlines())] if lines else []

    use = "    grid g\n" if grid else ""
    body = [*block("config base:", values), *block("grid g:", grid)]
    body += [f"experiment train:\n    config base\n{use}    run {run}", *(f"    {line}" for line in extra.splitlines())]
    return "\n".join(body) + "\n"


def command_json(run: str, **more: str) -> object:
    """Give the compiled command of the experiment in ``study_text``."""
    from xpc.compiler.template import command_json as as_json

    return as_json(plan_of(study_text(run, **more)).experiments["train"].compiled.command)


def check_golden(name: str, text: str) -> None:
    """Compare with a file below tests/compile; ``UPDATE_GOLDEN=1`` writes it."""
    path = COMPILE / name
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert path.is_file(), f"{name} is missing: UPDATE_GOLDEN=1 writes it"
    assert text == path.read_text()


# ------------------------------------------------------------------ executing


def filled(plan: Plan, words: Sequence[Word], row: int = 0, *, counted: bool) -> list[str]:
    """Fill words from a row's keys and texts, lists with their count before them if *counted*."""
    planned = plan.experiments["train"]
    texts = planned.compiled.texts
    found: list[str] = []
    for word in words:
        if isinstance(word, ListWord):
            text = texts[word.index]
            several = text.results[0 if text.codes is None else text.codes[row]]
            assert isinstance(several, list)
            found += [str(len(several)), *several] if counted else several
            continue
        assert isinstance(word, tuple)
        whole = ""
        for part in word:
            if isinstance(part, KeyPart):
                value = planned.table.value(part.key, row)
                whole += format_value(value)  # type: ignore[arg-type]
            elif isinstance(part, TextPart):
                text = texts[part.index]
                whole += text.results[0 if text.codes is None else text.codes[row]]  # type: ignore[operator]
            else:
                assert isinstance(part, str)
                whole += part
        found.append(whole)
    return found


def argv_of(plan: Plan, row: int = 0) -> list[str]:
    """Give what is executed for a row."""
    command = plan.experiments["train"].compiled.command
    if isinstance(command, Argv):
        return filled(plan, command.words, row, counted=False)
    assert isinstance(command, Script)
    words = filled(plan, command.args, row, counted=True)
    return ["bash", "-e", "-o", "pipefail", "-c", command.script, "xpc", *words]


def output_of(plan: Plan, row: int = 0) -> str:
    """Execute a row's command; give what it wrote."""
    done = subprocess.run(argv_of(plan, row), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()
