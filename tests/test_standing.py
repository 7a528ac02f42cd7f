"""What a second submit does with a failure that was not the last word: a checkpoint, a retry that is left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from console import run
from repository import Repo

STUDY = """
experiment train:
    retries 1
    run "false"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    Repo(tmp_path / "project", {"Experimentfile": STUDY})
    assert run("xpc submit", tmp_path / "project").returncode == 1
    return tmp_path / "project"


def journals(project: Path) -> list[Path]:
    return sorted(project.glob("runs/train/*/run*.jsonl"), key=lambda path: (len(path.name), path.name))


def sent(project: Path) -> int:
    found = json.loads(run("xpc submit --json", project).stdout)
    assert isinstance(found["sent"], int)
    return found["sent"]


def test_failure_whose_retries_are_used_up_is_left_alone(project: Path) -> None:
    assert len(journals(project)) == 2
    assert sent(project) == 0
    assert len(journals(project)) == 2


def test_failure_that_has_a_retry_left_is_sent_again(project: Path) -> None:
    """As where a scheduler starts no task again by itself."""
    journals(project)[1].unlink()
    assert sent(project) == 1
    assert len(journals(project)) == 3  # this machine retries by itself
    assert sent(project) == 0


def test_run_that_was_checkpointed_goes_on(project: Path) -> None:
    last = journals(project)[-1]
    *before, end = last.read_text().splitlines()
    said = {**json.loads(end), "state": "timeout", "checkpointed": True}
    last.write_text("\n".join([*before, json.dumps(said)]) + "\n")
    assert sent(project) == 1
