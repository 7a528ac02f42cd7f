"""Anything at all through every reader: Experimentfiles, settings, conditions, YAML, CSV, plans, schedulers' words."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_schedulers import FakeSchedulers
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from repository import Repo
from resolving import MemoryFiles
from strangers import ESCAPES, patience, typed
from test_fuzz_front import TEXTS, TOKEN, TOKENS
from test_schedulers_say import ACCOUNTS, OAR, QUEUE, scheduler

from xpc.compiler.emit import emit
from xpc.compiler.expand import expand
from xpc.compiler.plan import SnapshotRef, make_plan
from xpc.compiler.resolve import resolve
from xpc.compiler.study import Study
from xpc.compiler.table import Table
from xpc.grammar.codes import TITLES
from xpc.grammar.diagnostic import Diagnostics
from xpc.grammar.render import render
from xpc.grammar.source import Source
from xpc.runtime.schedulers.ask import Answer
from xpc.runtime.schedulers.evidence import look
from xpc.runtime.schedulers.oar_site import find_oar
from xpc.runtime.schedulers.oar_submit import read_oarsub
from xpc.runtime.schedulers.slurm_site import find_slurm
from xpc.runtime.schedulers.slurm_states import unfold
from xpc.runtime.schedulers.slurm_submit import read_sbatch

ODD = [
    "\0",
    "\x1b[2J",
    "\u202e",
    "\ud800",
    "\r",
    "\t",
    '"""',
    "{{",
    "}}",
    "${",
    "9" * 400,
    "1e999",
    "'",
    "\\",
    "é",
    "𝔘",
    "(" * 200,
]
FUZZ = settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


def planned(study: Study, tables: dict[str, Table], target: str, diagnostics: Diagnostics) -> None:
    """Make the plan, and the scripts of it."""
    plan = make_plan(
        study,
        tables,
        SnapshotRef("4f2a91c0"),
        study.targets[target],
        diagnostics,
        code_of=lambda patterns: "",
        content_of=lambda path: None,
    )
    if plan is not None and not diagnostics.failed:
        emit(plan, b"")


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """Give an Experimentfile of which some tokens are other ones, gone, doubled or odd."""
    found = TOKEN.findall(draw(st.sampled_from(TEXTS)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(found) - 1))
        found[at : at + draw(st.integers(0, 2))] = draw(
            st.lists(st.sampled_from(TOKENS) | st.sampled_from(ODD), max_size=2)
        )
        if not found:
            break
    return "".join(found)


@FUZZ
@given(text=mutated(), target=st.sampled_from(["local", "slurm", "oar"]))
def test_experimentfiles_through_the_whole_compiler(text: str, target: str) -> None:
    """Each is compiled to a plan, or has findings with a known code that can be printed in every form."""
    diagnostics = Diagnostics()
    files = MemoryFiles({"configs/base.yaml": "a: 1\n", "points.csv": "a,b\n1,2\n"})
    with patience():
        study = resolve(Source("Experimentfile", text), files, {}, [], diagnostics, target)
        if study is not None and not diagnostics.failed:
            tables = expand(study, diagnostics)
            if not diagnostics.failed and sum(table.count for table in tables.values()) < 5000:
                planned(study, tables, target, diagnostics)
        found = diagnostics.sorted()
        printed = [render(found, form, color=False) for form in ("full", "concise", "json", "github")]

    assert {d.code for d in found} <= set(TITLES), text
    assert not any("\x1b" in form or "\u202e" in form for form in printed[:2]), text


STUDY = """
config c:
    lr = 0.1
    name = "a"
    model:
        width = 3

grid g:
    lr in [0.1, 0.2]

experiment train:
    config c
    grid g
    run "echo {lr} {name}"
    metric loss
"""
WORDS = [
    "lr", "name", "model.width", "status", "loss", "==", "in", "not", "and", "(", ")", "[", "]", "0.1", '"a"',
    "null", "=",
    "matches", "{", "}", ",", "if", "else", "mean", "true", "1h", "id", "-", "**", "10", '"', "new", "key", ".", " ",
    "é",
]  # fmt: skip
TALK = st.lists(st.sampled_from(WORDS + ODD), max_size=8).map(" ".join) | st.text(max_size=12)


@pytest.fixture(name="project", scope="module")
def _project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fuzz") / "project"
    Repo(folder, {"Experimentfile": STUDY})
    assert "2 done" in typed(folder, "submit")
    return folder


@FUZZ
@given(said=TALK)
def test_conditions(project: Path, said: str) -> None:
    """`--where` takes any text, and `xpc query` too."""
    typed(project, "list", "--where", said)
    typed(project, "query", said)


@FUZZ
@given(key=TALK, value=TALK)
def test_settings(project: Path, key: str, value: str) -> None:
    """`--set` takes any text, with an equals sign and without one."""
    typed(project, "list", "--set", f"{key}={value}")
    typed(project, "check")
    typed(project, "list", "--set", key, "--json")


@FUZZ
@given(words=st.lists(TALK, max_size=2))
def test_names_of_runs_and_targets(project: Path, words: list[str]) -> None:
    """Arguments of any text: options, ids, targets, experiments."""
    for command in (
        ["show", *words],
        ["logs", *words],
        ["diff", *words],
        ["report", *words],
        ["build", "--dry-run", "--target", *words],
    ):
        typed(project, *command)


YAML = st.lists(
    st.sampled_from(
        [
            "a",
            "b",
            ":",
            ": ",
            "- ",
            "\n",
            "\n  ",
            "[",
            "]",
            "{",
            "}",
            "&x ",
            "*x",
            "!!str ",
            "!e ",
            "<<",
            "|",
            ">",
            "'",
            '"',
            "#",
            "? ",
            "1e3",
            "~",
            "yes",
            "0x1F",
            "---",
            "...",
            "%YAML 1.1",
            "2026-01-01",
            ".inf",
            *ODD,
        ]
    ),
    max_size=14,
).map("".join)


@FUZZ
@given(text=YAML | st.text(max_size=20))
def test_yaml(text: str) -> None:
    """Any text is keys with values, or findings."""
    _compiled('config c:\n    from "f.yaml"\nexperiment e:\n    config c\n    run "true {args}"\n', {"f.yaml": text})


CSV = st.lists(
    st.sampled_from(
        ["a", "b", "a.b", ",", '"', "\n", "\r\n", "\r", ";", "1", "0.5", "null", '"a"', "'", " ", "=1+1", *ODD]
    ),
    max_size=14,
)


@FUZZ
@given(text=CSV.map("".join) | st.text(max_size=20))
def test_csv(text: str) -> None:
    """Any text is rows, or findings."""
    _compiled('grid g:\n    rows from "f.csv"\nexperiment e:\n    grid g\n    run "true {args}"\n', {"f.csv": text})


def _compiled(text: str, files: dict[str, str]) -> None:
    diagnostics = Diagnostics()
    beside = {name: content.encode("utf-8", "surrogatepass") for name, content in files.items()}
    with patience(20):
        study = resolve(Source("Experimentfile", text), MemoryFiles(beside), {}, [], diagnostics, "local")
        if study is not None and not diagnostics.failed:
            tables = expand(study, diagnostics)
            if not diagnostics.failed:
                planned(study, tables, "local", diagnostics)
    assert {d.code for d in diagnostics.found} <= set(TITLES)
    assert "\x1b" not in render(diagnostics.sorted(), "full", color=False)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2**70) | st.floats()
    | st.sampled_from(["", "x", "../..", "slurm", "train"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["name", "kind", "tasks", "rows"]), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Give the paths of all parts of a JSON value."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, part in parts for found in places(part, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    """Give a JSON value with one part exchanged."""
    if not path:
        return other
    key, *rest = path
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[key] = replaced(copy[key], tuple(rest), other)
    return copy


@FUZZ
@given(data=st.data())
def test_plans(project: Path, data: st.DataObject) -> None:
    """A plan of which one part is anything: readers say what they can, and the shim that the build can't be read."""
    (file,) = (project / ".xpc/builds").glob("*/plan.json")
    whole = file.read_text()
    plan = json.loads(whole)
    other = replaced(plan, data.draw(st.sampled_from(places(plan))), data.draw(ANY))
    try:
        file.write_text(json.dumps(other))
        for command in (["status"], ["query", "with past show id, loss"], ["list"], ["gc"]):
            typed(project, *command)
    finally:
        file.write_text(whole)


@st.composite
def garbled(draw: st.DrawFn, text: str) -> str:
    """Give what a scheduler printed, with some characters and lines changed."""
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        gone = draw(st.integers(0, 6))
        put = draw(
            st.sampled_from(
                [
                    "",
                    "|",
                    "\n",
                    ";",
                    "1; rm -rf ~",
                    "$(x)",
                    "-1",
                    "9" * 30,
                    "[0-9999999999]",
                    "[1-",
                    "null",
                    "{",
                    "[",
                    '"',
                    *ODD,
                ]
            )
        )
        text = text[:at] + put + text[at + gone :]
    return text


JOBS: list[tuple[str, int | None]] = [("3", 0), ("3", 1), ("4", 0), ("8", None), ("10", 2), ("57", None)]


@FUZZ
@given(queue=garbled(QUEUE), accounts=garbled(ACCOUNTS), jobs=garbled(OAR))
def test_words_of_schedulers(queue: str, accounts: str, jobs: str) -> None:
    """Whatever squeue, sacct and oarstat print, the answer is about jobs that were asked for alone."""
    with patience(20):
        for kind in ("slurm", "oar"):
            found = look(kind, JOBS, run=scheduler(squeue=queue, sacct=accounts, oarstat=jobs)[0])
            assert set(found.seen) <= set(JOBS)


@FUZZ
@given(
    text=st.text(max_size=60)
    | st.sampled_from(["481234;cluster", "1; rm -rf ~", "OAR_JOB_ID=57", "-1", "OAR_JOB_ID=1; ls"]),
    tasks=st.integers(1, 3),
)
def test_ids_that_schedulers_give(text: str, tasks: int) -> None:
    """What is no number is never taken for a job's id."""
    for read in (read_sbatch, read_oarsub):
        accepted = read(Answer(0, text, ""), tasks)
        for job, count in getattr(accepted, "jobs", ()):
            assert str(job).isdigit()
            assert count >= 1
    unfold(text)


@FUZZ
@given(
    text=st.text(max_size=80)
    | garbled(QUEUE)
    | garbled(OAR)
    | st.sampled_from(["", "MaxArraySize = x\nVersion = y", "[]", "{}", '{"1": null}'])
)
@pytest.mark.parametrize("find", [find_slurm, find_oar])
def test_sites(find: Callable[..., object], text: str) -> None:
    """`xpc doctor` makes something of whatever a site's commands print."""
    with patience(20):
        find(lambda command: Answer(0, text, ""))
        find(lambda command: Answer(1, text, text))


def test_schedulers_that_say_escapes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a scheduler says goes to the terminal as a picture of itself."""
    Repo(tmp_path / "project", {"Experimentfile": STUDY})
    git = shutil.which("git")
    fake = FakeSchedulers(tmp_path / "bin", monkeypatch)
    os.symlink(str(git), tmp_path / "bin/git")
    for program in (
        "sinfo",
        "squeue",
        "sacct",
        "scontrol",
        "sbatch",
        "sacctmgr",
        "oarstat",
        "oarnodes",
        "oarsub",
        "scancel",
    ):
        fake.answers(program, f"slurm 23.02{ESCAPES}\n{ESCAPES} = {ESCAPES}|{ESCAPES}\n", err=ESCAPES, status=1)
    for command in (
        ["doctor"],
        ["submit", "--target", "slurm"],
        ["submit", "--target", "oar"],
        ["status"],
        ["cancel", "--all"],
    ):
        typed(tmp_path / "project", *command)
    for program in ("sinfo", "scontrol", "sbatch", "sacctmgr", "oarnodes", "oarsub"):
        fake.answers(program, f"PartitionName={ESCAPES}\nMaxArraySize = {ESCAPES}\n{ESCAPES}|{ESCAPES}|{ESCAPES}\n")
    for command in (["doctor"], ["submit", "--target", "slurm"], ["status"]):
        typed(tmp_path / "project", *command)
