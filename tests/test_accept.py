"""`xpc accept`: stale results that a person keeps count as those of the present code, and a record tells who did so."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from console import run
from fresh_study import STUDY, TRAIN, Study, content, masked

from xpc.runtime.accepted import Acceptance, read_accepted, write_accepted

REPORT = """
report numbers:
    from train
    show count()
"""
BETTER = TRAIN + "# better\n"


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = Study(tmp_path_factory.mktemp("done") / "project", STUDY + REPORT)
    study.xpc("submit")
    return study.folder


@pytest.fixture
def study(done: Path, tmp_path: Path) -> Study:
    shutil.copytree(done, tmp_path / "project", symlinks=True)
    return Study.opened(tmp_path / "project")


def files(study: Study) -> list[Path]:
    return sorted((study.folder / ".xpc/accepted").glob("*"))


def test_dry_by_default_then_recorded(study: Study) -> None:
    """Whole outputs; the runs' own files are not touched."""
    before = content(study.folder / "runs")
    study.write("train.py", BETTER)
    assert masked(study.xpc("accept")) == (
        "stale: 2 runs of train: train.py changed (OLD → NEW)\n"
        "\n"
        "Nothing was written. `xpc accept --yes` keeps these results as those of the present code.\n"
    )
    assert files(study) == []
    assert masked(study.xpc("accept --reason 'only a comment' --yes")) == (
        "accepted: 2 runs of train: train.py changed (OLD → NEW)\n\n2 runs count as done by the present code.\n"
    )
    assert study.why("train") == {"train": [None, None]}
    assert study.xpc("submit --rerun stale").startswith("Nothing to run: 4 done.")
    assert study.xpc("accept") == "Nothing to accept: no run is stale.\n"
    assert content(study.folder / "runs") == before


def test_record_tells_who_when_and_why(study: Study) -> None:
    study.write("train.py", BETTER)
    study.xpc("accept train --where 'seed == 0' --reason 'only a comment' --yes")
    (path,) = files(study)
    (line,) = [json.loads(line) for line in path.read_text().splitlines()]
    id = study.ids("train")[0]
    assert (line["schema"], line["experiment"], line["runs"]) == ("xpc.accepted/1", "train", [id])
    assert line["reason"] == "only a comment"
    assert line["user"]
    assert line["time"].endswith("Z")
    assert line["recorded"] != line["fingerprint"]
    shown = study.xpc(f"show {id}")
    assert "accepted  by " in shown
    assert "train.py changed" in shown
    assert "): only a comment\n" in shown
    assert study.json(f"show {id}")["accepted"][0]["reason"] == "only a comment"
    assert [why is not None for why in study.why("train")["train"]] == [False, True]


def test_next_change_makes_it_stale_again(study: Study) -> None:
    study.write("train.py", BETTER)
    study.xpc("accept --yes")
    study.write("train.py", BETTER + "# and better\n")
    assert study.stale_lines()[0] == "stale: 2 runs of train: train.py changed (OLD → NEW)"
    study.write("train.py", TRAIN)
    assert study.why("train") == {"train": [None, None]}  # as it was recorded


def test_what_was_accepted_says_nothing_of_a_later_result(study: Study) -> None:
    study.write("train.py", BETTER)
    study.xpc("accept --yes")
    study.write("train.py", BETTER + "# and better\n")
    study.xpc("submit --rerun stale")
    study.write("train.py", BETTER)
    assert study.stale_lines()[0] == "stale: 2 runs of train: train.py changed (OLD → NEW)"


def test_parent_that_was_run_again(study: Study) -> None:
    """Accepted is what the parents gave when it was; the next rerun makes the child stale again."""
    study.xpc("submit train --where 'seed == 0' --force")
    assert study.xpc("accept").startswith("stale: 1 run of evaluate: a parent in train was run again\n")
    study.xpc("accept --yes")
    assert study.why("evaluate") == {"evaluate": [None, None]}
    study.xpc("submit train --where 'seed == 0' --force")
    assert study.stale_lines()[0] == "stale: 1 run of evaluate: a parent in train was run again"


def test_strict_report_takes_accepted_runs_for_the_code_they_count_as(study: Study) -> None:
    """A table of runs of two code versions is at fault, unless somebody vouches for one of them."""
    assert run("xpc report --strict", study.folder).returncode == 0
    study.write("train.py", BETTER)
    study.xpc("submit train --where 'seed == 0' --force")
    mixed = run("xpc report --strict", study.folder)
    assert mixed.returncode == 1
    assert "2 code versions of `train`" in mixed.stderr
    study.xpc("accept train --yes")
    assert run("xpc report --strict", study.folder).returncode == 0


def test_removed_file_takes_it_back(study: Study) -> None:
    study.write("train.py", BETTER)
    study.xpc("accept --yes")
    files(study)[0].unlink()
    assert study.stale_lines()[0] == "stale: 2 runs of train: train.py changed (OLD → NEW)"


HOSTILE = [
    b"",
    b"\0" * 100,
    b"{",
    b"[[[[" * 50_000,
    b'{"schema":"xpc.accepted/1","event":"accept","experiment":"train"}\n',
    b'{"schema":"xpc.accepted/1","event":"accept","experiment":"train","runs":[[]],"recorded":{},"fingerprint":{}}\n',
    b'{"schema":"xpc.accepted/1","event":"accept","experiment":7,"runs":"x","recorded":[],"fingerprint":null}\n',
    b'\xff\xfe{"schema":"xpc.accepted/1"}\n',
]


@pytest.mark.parametrize("data", HOSTILE)
def test_file_that_makes_no_sense_counts_for_nothing(study: Study, data: bytes) -> None:
    study.write("train.py", BETTER)
    (study.folder / ".xpc/accepted").mkdir()
    (study.folder / ".xpc/accepted/1.jsonl").write_bytes(data)
    (study.folder / ".xpc/accepted/2.jsonl").mkdir()
    assert study.stale_lines()[0] == "stale: 2 runs of train: train.py changed (OLD → NEW)"


def test_torn_line_counts_for_nothing(tmp_path: Path) -> None:
    parts = dict.fromkeys(("command", "code", "environment", "inputs"), "a")
    found = Acceptance("train", ("0123456789abcdef",), parts, parts, "tree", what="x\x1b[0m")
    path = write_accepted(tmp_path, [found, found])
    assert len(read_accepted(tmp_path).of("train", "0123456789abcdef", parts)) == 2
    path.write_bytes(path.read_bytes()[:-1])
    assert len(read_accepted(tmp_path).of("train", "0123456789abcdef", parts)) == 1
    assert not read_accepted(tmp_path).of("train", "0123456789abcdef", {**parts, "code": "b"})
