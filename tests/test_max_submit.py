"""`max_submit` bounds what a submit would send: what is done already does not count."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
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


RERUN = """
target far = slurm:
    max_submit = 2

grid points:
    n in range(6)

experiment train:
    grid points
    code "train.py"
    retries 0
    output model = "m"
    run "python3 train.py {n} {output.model}"

experiment evaluate:
    after train
    code "evaluate.py"
    run "python3 evaluate.py"
"""
TRAIN = "import sys\nif sys.argv[1] in '45':\n    sys.exit('no luck')\nopen(sys.argv[2], 'w')\n"


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs that are done, two that have failed, and those that come after them."""
    folder = tmp_path_factory.mktemp("ended") / "project"
    Repo(folder).write({"Experimentfile": RERUN, "train.py": TRAIN, "evaluate.py": ""})
    answer(folder, "submit")
    return folder


@pytest.fixture
def project(ended: Path, tmp_path: Path) -> Path:
    shutil.copytree(ended, tmp_path / "project", symlinks=True)
    return tmp_path / "project"


def refused(folder: Path, *words: str) -> str:
    """Give how many tasks are too many for the target; nothing where a command goes on to plan them."""
    status, said = answer(folder, *words, "--target", "far")
    found = re.search(r"error\[XP144\]: (\d+) tasks", said)
    assert status == (1 if found else 0), said
    return found[1] if found else ""


def test_what_failed_and_would_fail_alike_does_not_count(project: Path) -> None:
    """Nor what comes after it. It is sent, and counts, once its code or its request has changed, or it has retries."""
    assert refused(project, "build", "--dry-run") == ""
    (project / "train.py").write_text(TRAIN + "# better\n")
    assert refused(project, "build", "--dry-run") == "4"
    (project / "train.py").write_text(TRAIN)
    assert refused(project, "build", "--dry-run") == ""
    more = RERUN.replace("    retries 0\n", "    retries 0\n    resources more\n")
    (project / "Experimentfile").write_text(more + "\nresources more:\n    memory = 1GiB\n")
    assert refused(project, "build", "--dry-run") == "4"
    (project / "Experimentfile").write_text(RERUN.replace("    retries 0\n", "    retries 1\n"))
    assert refused(project, "build", "--dry-run") == "4"


def test_stale_runs_alone_count_for_a_rerun(project: Path) -> None:
    """What is done and fresh stays, what is stale counts with what comes after it; the failed ones count for a change
    of theirs alone."""
    assert refused(project, "build", "--dry-run", "--rerun", "stale") == ""
    (project / "evaluate.py").write_text("# better\n")
    assert refused(project, "build", "--dry-run", "--rerun", "stale") == "4"
    assert refused(project, "build", "--dry-run", "--rerun", "stale", "--where", "n < 2") == ""
    (project / "train.py").write_text(TRAIN + "# better\n")
    assert refused(project, "build", "--dry-run", "--rerun", "stale") == "12"


def test_chosen_runs_alone_count_for_force(project: Path) -> None:
    """A parent that was not named stays done."""
    assert refused(project, "build", "--dry-run", "--force") == "8"
    assert refused(project, "build", "evaluate", "--dry-run", "--force") == "4"
    assert refused(project, "build", "evaluate", "--dry-run", "--force", "--where", "n < 2") == ""


def test_retry_counts_what_it_sends(project: Path) -> None:
    """The runs that failed and what waits for them, not those that are still to be submitted."""
    (project / "Experimentfile").write_text(RERUN.replace("max_submit = 2", "max_submit = 1").replace("(6)", "(9)"))
    assert refused(project, "build", "--dry-run") == "6"
    assert refused(project, "retry") == "4"
    assert refused(project, "retry", "--where", "n == 4") == "2"
    ids = [each["id"] for each in json.loads(answer(project, "list", "train", "--json")[1])]
    assert refused(project, "retry", ids[4]) == "2"
    assert refused(project, "retry", ids[4], ids[6]) == "4"


def test_help_says_what_is_sure_where_a_part_is_sent(project: Path) -> None:
    """Of a part of the runs nobody knows how many share a task."""
    assert (
        "`pack 3` in experiment evaluate gives at most 2 tasks"
        in answer(project, "build", "evaluate", "--dry-run", "--force", "--target", "far")[1]
    )
