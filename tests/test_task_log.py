"""The log that a scheduler keeps of an array, to the lines about one run."""

from __future__ import annotations

from pathlib import Path

import pytest

from xpc.runtime.cluster_states import Held
from xpc.runtime.task_log import TaskLog, log_of_task

ID = "3fa2c81d90b1e4f7"
PATH = ".xpc/builds/b1/logs/train-1.out"


@pytest.fixture(name="log")
def _log(tmp_path: Path) -> Path:
    log = tmp_path / PATH
    log.parent.mkdir(parents=True)
    return log


def read(log: Path, job: str = "24") -> TaskLog | None:
    return log_of_task(log.parents[4], ID, Held("oar", job, None, "train-1", 0, "b1"), None)


def test_lines_of_oar_name_the_job(log: Path) -> None:
    """Those of the other jobs of the array are left out; what a terminal would obey is, too."""
    log.write_text(
        "train 91bc07e: its parent in runs/prepare is not done\n"
        "## OAR [2026-11-21 03:21:29] Job 24 KILLED ##\n"
        "## OAR [2026-11-21 03:21:30] Job 25 KILLED ##\n"
        "train 3fa2c81: can't be \x1b[31mclaimed\n"
    )
    lines = ("## OAR [2026-11-21 03:21:29] Job 24 KILLED ##", "train 3fa2c81: can't be claimed")

    assert read(log) == TaskLog(PATH, lines)


def test_lines_that_name_nobody(log: Path) -> None:
    """A node without python says so once for each task: it may be about this one."""
    log.write_text("bash: python3: command not found\n" * 3 + "## OAR [2026-11-21 03:21:30] Job 25 KILLED ##\n")

    assert read(log) == TaskLog(PATH, ("bash: python3: command not found",), shared=True)


def test_no_log(log: Path) -> None:
    """A task that has not begun, or a build that is gone."""
    assert read(log) is None
