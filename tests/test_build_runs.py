"""`xpc build -v` names each run, how it stands and why: with real runs, in the words of its own table."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fresh_study import STUDY as TWO_EXPERIMENTS
from fresh_study import Study, masked

STUDY = TWO_EXPERIMENTS.replace("range(2)", "range(3)").replace('"train.py", "src/**"', '"train.py"\n    retries 0')
TRAIN = "import sys\nif sys.argv[1] == '1':\n    sys.exit(3)\nopen(sys.argv[2], 'w').write(sys.argv[1])\n"


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """A run that is done, one that has failed, one that is new, and what comes after them."""
    study = Study(tmp_path / "project", STUDY, {"train.py": TRAIN})
    study.xpc("submit --where 'seed < 2'", status=1)
    return study


def runs(shown: str) -> list[str]:
    """Give what stands between the last line of the summary and the first script."""
    _, _, below = masked(shown).partition("\nBuild ID, ")
    return below.partition("\n\n--- ")[0].splitlines()[1:]


def test_each_run_with_its_state_and_why(study: Study) -> None:
    """What is new, done, stale or failed is called so, and told why, before the scripts; also by a dry run."""
    study.edit("sys.exit(3)", "sys.exit(4)", "train.py")
    expected = [
        "",
        "train:",
        "id       status  seed  why",
        "ID  stale      0  stale: train.py changed (OLD → NEW)",
        "ID  failed     1  exit status 3",
        "ID  new        2",
        "evaluate:",
        "id       status  seed",
        "ID  done       0",
        "ID  new        1",
        "ID  new        2",
    ]
    assert runs(study.xpc("build --dry-run -v")) == expected
    assert runs(study.xpc("build -v")) == expected
    assert "--- arrays/" in study.xpc("build -v")
    assert "\nid " not in study.xpc("build")


def test_what_waits_in_vain_says_for_which_run(study: Study) -> None:
    """As long as that would fail again: the first one above that is at fault."""
    waiting = [
        "evaluate:",
        "id       status  seed  why",
        "ID  done       0",
        "ID  new        1  comes after train ID, which failed",
        "ID  new        2",
    ]
    assert runs(study.xpc("build -v"))[-5:] == waiting
    more = "\nexperiment last:\n    after evaluate\n    run 'true'\n".replace("'", '"')
    study.write("Experimentfile", STUDY + more)
    last = ["last:", *waiting[1:2], *(line.replace("done", "new ") for line in waiting[2:])]
    assert runs(study.xpc("build -v"))[-10:] == [*waiting, *last]
    id = study.ids("train")[1]
    assert f"comes after train {id[:7]}, which failed" in study.xpc("build -v")
    (study.folder / f"runs/train/{id}/run.jsonl").write_text("{}\nnonsense\n")
    study.xpc("list --rescan")
    assert study.xpc("build -v").count(f"comes after train {id[:7]}, whose records can't be read\n") == 2


def test_chosen_runs_alone(study: Study) -> None:
    """`--where` shows the runs of that build: the chosen ones, and what they come after."""
    assert runs(study.xpc("build evaluate --where 'seed == 0' --dry-run -v")) == [
        "",
        "train:",
        "id       status",
        "ID  done",
        "evaluate:",
        "id       status",
        "ID  done",
    ]


def test_first_runs_of_many(tmp_path: Path) -> None:
    """Of a large study the first 200 are shown, and where the others are."""
    study = Study(tmp_path / "project", STUDY.replace("range(3)", "range(150)"), {"train.py": TRAIN})
    shown = runs(study.xpc("build --dry-run -v"))
    assert len([line for line in shown if line.endswith(tuple("0123456789"))]) == 200
    assert shown[-1] == "and 100 runs more: `xpc list` has all of them"


def test_unreadable_runs_are_not_to_be_submitted(study: Study) -> None:
    """Records that can't be read are told as that, and sent by no submit, nor is what comes after them."""
    (folder,) = (p.parent for p in study.folder.glob("runs/train/*/run.jsonl") if '"state":"done"' in p.read_text())
    (folder / "run.jsonl").write_text("{}\nnonsense\n")
    shutil.rmtree(study.folder / "runs/evaluate")
    assert masked(study.xpc("build --where 'seed < 2' --dry-run")).splitlines()[2:] == [
        "experiment  runs  new  done  stale  failed  broken  each   arrays",
        "train          2    0     0      0       1       1  1 CPU       1",
        "evaluate       2    2     0      0       0       0  1 CPU       1",
        "",
        "Nothing to submit.",
        "2 wait for parents that failed or can't be read.",
        "1 failed with this very code: `xpc retry` runs it again.",
        "1 has records that can't be read: `xpc status` names it.",
        "Build ID, not written (dry run)",
    ]
    assert study.xpc("submit --where 'seed < 2'", status=1) == (
        "Nothing to run: 1 that failed with this very code (`xpc retry` runs it again), "
        "1 with records that can't be read (`xpc status` names them), 2 whose parents are not done.\n"
    )
    assert "broken" in runs(study.xpc("build -v"))[3]


def test_what_a_scheduler_skipped_is_new(study: Study) -> None:
    """It never began; a submit sends it like any other. The table counts every run."""
    (journal,) = (p for p in study.folder.glob("runs/train/*/run.jsonl") if '"state":"failed"' in p.read_text())
    journal.write_text(journal.read_text().replace('"state":"failed"', '"state":"skipped"'))
    shown = masked(study.xpc("build train --dry-run -v"))
    assert shown.splitlines()[2:6] == [
        "experiment  runs  new  done  stale  failed  each   arrays",
        "train          3    2     1      0       0  1 CPU       1",
        "",
        "To submit: 2 runs in 1 array; at most 12 files.",
    ]
    assert [line.split()[1] for line in runs(shown)[2:]] == ["done", "new", "new"]
