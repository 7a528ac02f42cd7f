"""Whatever the files of a project hold, and whatever schedulers print: every command comes back with an answer."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fake_schedulers import FakeSchedulers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from repository import Repo
from strangers import typed
from test_fuzz_inputs import ANY, ODD, garbled, places, replaced
from test_schedulers_say import ACCOUNTS, OAR, QUEUE

from xpc.runtime.schedulers import cluster_resume, cluster_send

FUZZ = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
STUDY = """
target far = slurm:
    account = "vision"

target grid = oar:
    queue = "default"

grid g:
    lr in [0.1, 0.2]

experiment train:
    grid g
    run "echo loss=1 {lr}"
    metric loss minimize from stdout matching "loss=([0-9.]+)"
    output model = "model.pt"

experiment test:
    after train
    run "sh -c 'echo x > out'"

report table:
    from test
    group by lr
    show count()
"""


def commands(id: str) -> list[list[str]]:
    """Give all commands that only read, and those that look before they write."""
    return [
        ["status"],
        ["list", "--json"],
        ["query", "with past with all attempts show id, status, lr, loss, reason, duration, train.loss, job"],
        ["report", "--explain"],
        ["show", id],
        ["logs", id],
        ["diff", id, id],
        ["build", "--dry-run"],
        ["build", "--against", "HEAD", "-v"],
        ["gc", "--where", "status == failed", "--superseded"],
        ["gc", "--where", "lr == 0.1", "--done"],
        ["gc", "--builds", "--snapshots", "--older-than", "0s"],
    ]


@pytest.fixture(name="project", scope="module")
def _project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with runs that are done, failed, superseded, packed and accepted."""
    folder = tmp_path_factory.mktemp("fuzz") / "project"
    repo = Repo(folder, {"Experimentfile": STUDY.replace('"model.pt"', '"none"'), "train.py": "1"})
    typed(folder, "submit")  # without the output that is declared, both fail
    repo.write({"Experimentfile": STUDY.replace('    output model = "model.pt"\n', ""), "train.py": "1\n"})
    assert "4 done" in typed(folder, "submit")
    repo.write({"train.py": "2"})
    typed(folder, "submit", "--rerun", "stale")
    typed(folder, "gc", "--pack", "--yes")
    repo.write({"train.py": "3"})
    typed(folder, "accept")
    typed(folder, "submit", "--force", "--where", "lr == 0.1")
    typed(folder, "build")
    return folder


def ids(project: Path) -> list[str]:
    found = json.loads(typed(project, "list", "--json"))
    return [run["id"] for run in found]


@contextmanager
def changed(file: Path, content: bytes) -> Iterator[None]:
    """Let *file* hold something else for a while; what commands make meanwhile goes too."""
    project = next(parent for parent in file.parents if (parent / "Experimentfile").exists())
    before = file.read_bytes()
    mode = file.stat().st_mode
    file.chmod(0o644)
    file.write_bytes(content)
    try:
        yield
    finally:
        file.write_bytes(before)
        file.chmod(mode)
        for path in (project / ".xpc").glob("index*"):
            path.unlink()


def records(project: Path) -> list[Path]:
    """Give the files that commands read back."""
    patterns = (
        "runs/*/*/run*.jsonl",
        "runs/*/*/metrics.jsonl",
        "runs/*/*/config.json",
        "runs/*/packs/*",
        ".xpc/submissions/*.jsonl",
        ".xpc/evidence/*.jsonl",
        ".xpc/accepted/*.jsonl",
        ".xpc/events/*.log",
        ".xpc/builds/*/provenance.json",
        ".xpc/builds/*/points.jsonl",
        ".xpc/snapshots/*.json",
        ".xpc/*.json",
        ".xpc/environments/*",
    )
    return sorted(path for pattern in patterns for path in project.glob(pattern) if path.is_file())


@FUZZ
@given(data=st.data())
def test_one_field_of_one_line(project: Path, data: st.DataObject) -> None:
    """Journals, submissions, accepted results, provenance: a part of a line is anything else."""
    file = data.draw(st.sampled_from([path for path in records(project) if path.suffix in (".json", ".jsonl", ".log")]))
    lines = file.read_bytes().splitlines()
    at = data.draw(st.integers(0, max(0, len(lines) - 1)))
    try:
        line = json.loads(lines[at])
    except (ValueError, IndexError):
        return
    lines[at] = json.dumps(replaced(line, data.draw(st.sampled_from(places(line))), data.draw(ANY))).encode()
    ending = b"\n" if file.read_bytes().endswith(b"\n") else b""
    id = data.draw(st.sampled_from(ids(project)))
    with changed(file, b"\n".join(lines) + ending):
        for command in data.draw(st.lists(st.sampled_from(commands(id)), min_size=3, max_size=3)):
            typed(project, *command)


@FUZZ
@given(data=st.data())
def test_damaged_bytes(project: Path, data: st.DataObject) -> None:
    """Torn, overwritten, filled with zeros, a stretch of something else: every file that is read back."""
    file = data.draw(st.sampled_from(records(project)))
    content = file.read_bytes()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + 60)))
    put = data.draw(
        st.sampled_from([b"", b"\0" * 30, b"\xff\xfe", b"\n", b"{", b"[[[", b'"', b"null"]) | st.binary(max_size=8)
    )
    whole = data.draw(st.booleans())
    id = data.draw(st.sampled_from(ids(project)))
    with changed(file, content[:start] + put + (content[end:] if whole else b"")):
        for command in data.draw(st.lists(st.sampled_from(commands(id)), min_size=3, max_size=3)):
            typed(project, *command)


@FUZZ
@given(data=st.data())
def test_what_is_submitted_after_damage(
    project: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Writing commands too end with an answer; what they touched stays readable."""
    copy = tmp_path_factory.mktemp("copy") / "project"
    shutil.copytree(project, copy, symlinks=True)
    file = data.draw(st.sampled_from(records(copy)))
    content = file.read_bytes()
    at = data.draw(st.integers(0, len(content)))
    file.chmod(0o644)
    file.write_bytes(content[:at] + data.draw(st.sampled_from([b"", b"\0\0\0", b"}{", b'"\n'])))
    for command in (
        ["submit"],
        ["gc", "--pack", "--yes"],
        ["accept"],
        ["retry"],
        ["gc", "--where", "lr == 0.2", "--yes"],
    ):
        typed(copy, *command)
    typed(copy, "status")


# ------------------------------------------------------------------ schedulers, through whole commands


@pytest.fixture(name="sent")
def _sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, FakeSchedulers]:
    """A project of which a SLURM and an OAR hold the runs, both of them fakes."""
    for module in (cluster_send, cluster_resume):
        monkeypatch.setattr(module, "LATE", 0.0)  # nobody waits for a scheduler that will never say more
    folder = tmp_path / "project"
    Repo(folder, {"Experimentfile": STUDY})
    git = shutil.which("git")
    fake = FakeSchedulers(tmp_path / "bin", monkeypatch)
    for program in ("git", "sh", "cat", "true"):
        os.symlink(
            str(git if program == "git" else shutil.which(program, path="/usr/bin:/bin")), tmp_path / "bin" / program
        )
    fake.answers("sbatch", "3;cluster\n")
    fake.answers("scontrol", "MaxArraySize = 1001\n")
    for program in ("squeue", "sacct", "sacctmgr", "sinfo", "scancel", "oardel", "oarnodes"):
        fake.answers(program)
    fake.answers("oarsub", "OAR_JOB_ID=57\nOAR_JOB_ID=58\n")
    fake.answers("oarstat", "{}")
    typed(folder, "submit", "--target", "far", "train")
    return folder, fake


WORDS = st.sampled_from(
    ["3", "3_0", "3_[0-1]", "57", "RUNNING", "PENDING", "COMPLETED", "|", "\n", "Invalid job id", *ODD]
)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    queue=garbled(QUEUE) | st.lists(WORDS, max_size=8).map("".join),
    accounts=garbled(ACCOUNTS) | st.lists(WORDS, max_size=8).map("".join),
    site=st.lists(WORDS | st.sampled_from(["MaxArraySize = ", "PartitionName=", "="]), max_size=8).map("".join),
    status=st.sampled_from([0, 0, 1, 127]),
    data=st.data(),
)
def test_slurm_through_whole_commands(
    sent: tuple[Path, FakeSchedulers], queue: str, accounts: str, site: str, status: int, data: st.DataObject
) -> None:
    """squeue, sacct, scontrol, sinfo: garbled, cut, empty, with an error; each command has an answer."""
    folder, fake = sent
    for program, text in (("squeue", queue), ("sacct", accounts), ("scontrol", site), ("sinfo", site)):
        fake.answers(program, text.encode("utf-8", "replace").decode().replace("\0", ""), status=status)
    talk: list[list[str]] = [
        ["status"],
        ["status", "--json"],
        ["list"],
        ["query", "show id, status, job, reason"],
        ["cancel", "--all"],
        ["submit", "--target", "far", "train"],
        ["retry"],
        ["gc", "--where", "status == failed"],
        ["build", "--target", "far", "--ask-scheduler", "--dry-run"],
    ]
    for command in data.draw(st.lists(st.sampled_from(talk), min_size=2, max_size=3)):
        typed(folder, *command)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(jobs=garbled(OAR), nodes=garbled(OAR), status=st.sampled_from([0, 0, 1]), data=st.data())
def test_oar_through_whole_commands(
    sent: tuple[Path, FakeSchedulers], jobs: str, nodes: str, status: int, data: st.DataObject
) -> None:
    """oarstat and oarnodes, the same."""
    folder, fake = sent
    for program, text in (("oarstat", jobs), ("oarnodes", nodes)):
        fake.answers(program, text.encode("utf-8", "replace").decode().replace("\0", ""), status=status)
    typed(folder, "submit", "--target", "grid", "test")
    for command in data.draw(
        st.lists(st.sampled_from([["status"], ["cancel", "--all"], ["list"]]), min_size=2, max_size=2)
    ):
        typed(folder, *command)
