"""Tasks that OAR starts again though they were cancelled: they leave, and nothing of them is run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hand_build import Experiment
from test_shim_again import of_kind
from test_shim_task import build_of, folder, task

from xpc.runtime.cluster_states import Held
from xpc.runtime.schedulers.cluster_withdraw import withdraw
from xpc.runtime.submissions import SubmissionWriter

FIRST = {"OAR_JOB_ID": "57", "OAR_ARRAY_ID": "50", "OAR_JOB_NAME": "xpc-9c3e11f-1"}
AGAIN = {**FIRST, "OAR_JOB_ID": "63"}


class Deletes:
    """An OAR that deletes what it is told to."""

    name, kind, holds = "OAR", "oar", False

    def cancel(self, jobs: object) -> None:
        return None


def cancel(project: Path, build: Path, job: str, index: int = 0) -> None:
    """Write what `xpc cancel` of a job writes."""
    writer = SubmissionWriter(project, "", "", "", event="cancels")
    held = Held("oar", job, None, "train-1", index, build.name)
    withdraw([held], [held], writer, lambda kind: Deletes())  # type: ignore[arg-type,return-value]
    writer.end()


@pytest.fixture(name="build")
def _build(tmp_path: Path) -> Path:
    return of_kind("oar", build_of(tmp_path, Experiment("train", '[ "$XPC_ATTEMPT" -gt 1 ]', runs=2)))


def attempts(project: Path) -> int:
    return len(list(folder(project).glob("run*.jsonl")))


def test_cancelled_task_that_is_started_again_leaves(tmp_path: Path, build: Path) -> None:
    """It has no other attempt, its exit status says why, and its log does."""
    assert task(tmp_path, build, **FIRST)[0] == 1
    cancel(tmp_path, build, "57")

    code, said = task(tmp_path, build, **AGAIN)
    assert (code, attempts(tmp_path)) == (77, 1)
    assert said == "train-1, task 0: cancelled as job 57, and started again by OAR: nothing is run\n"
    assert task(tmp_path, build, **{**AGAIN, "OAR_JOB_ID": "64"})[0] == 77


def test_only_what_was_cancelled_stays_away(tmp_path: Path, build: Path) -> None:
    """Another task's cancel, damaged lines and a job of a later submit are no reason to leave."""
    assert task(tmp_path, build, **FIRST)[0] == 1
    cancel(tmp_path, build, "58", 1)
    odd = [{"event": "cancel"}, {"event": "cancel", "jobs": 57}, {"event": "cancel", "jobs": ["57", [], {}]}]
    text = "".join(json.dumps(line) + "\n" for line in odd) + '"cancel"\n\xff"cancel" 57\n{"event":"cancel","jo'
    (tmp_path / ".xpc/submissions/odd.jsonl").write_text(text, encoding="latin-1")
    (tmp_path / ".xpc/submissions/folder.jsonl").mkdir()

    assert (task(tmp_path, build, **AGAIN)[0], attempts(tmp_path)) == (0, 2)


def test_run_that_is_sent_again_is_run(tmp_path: Path, build: Path) -> None:
    """A new submit's job is another task, whatever was cancelled before."""
    assert task(tmp_path, build, **FIRST)[0] == 1
    cancel(tmp_path, build, "57")
    new = {"OAR_JOB_ID": "70", "OAR_ARRAY_ID": "70", "OAR_JOB_NAME": "xpc-9c3e11f-2"}

    assert (task(tmp_path, build, **new)[0], attempts(tmp_path)) == (0, 2)
