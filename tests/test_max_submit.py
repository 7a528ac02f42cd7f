"""`max_submit` bounds what a submit would send: what is done already does not count."""

from __future__ import annotations

from pathlib import Path

from repository import Repo
from strangers import answer

STUDY = """
target far = slurm:
    max_submit = 4

grid points:
    n in range({count})

experiment train:
    grid points
    run "true"
{more}"""


def write(folder: Path, count: int, more: str = "") -> None:
    Repo(folder).write({"Experimentfile": STUDY.format(count=count, more=more)})


def test_done_runs_do_not_count(tmp_path: Path) -> None:
    """A study that is too large for one submit is sent in parts; check, build and submit agree on what is left."""
    folder = tmp_path / "project"
    write(folder, 6)
    status, said = answer(folder, "build", "--target", "far")
    assert status == 1
    assert "error[XP144]: 6 tasks are more than one submit may have\n" in said
    assert answer(folder, "submit", "--where", "n < 3")[0] == 0

    status, said = answer(folder, "build", "--target", "far")
    assert status == 0, said
    assert "To submit: 3 runs" in said
    write(folder, 8)
    status, said = answer(folder, "build", "--target", "far")
    assert status == 1
    assert "error[XP144]: 5 tasks are more than one submit may have\n" in said


def test_a_packed_task_counts_while_one_of_its_runs_is_left(tmp_path: Path) -> None:
    """Tasks are counted, not runs: one of which all runs are done is none."""
    folder = tmp_path / "project"
    write(folder, 10, "    pack 2\n")
    status, said = answer(folder, "build", "--target", "far")
    assert status == 1
    assert "error[XP144]: 5 tasks are more" in said
    answer(folder, "submit", "--where", "n == 0 or n == 5")  # neighbours of the grid are in different tasks
    assert answer(folder, "build", "--target", "far")[0] == 0
