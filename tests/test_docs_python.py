"""docs/python.md: its programs run, the first one inside a run, the others on records; the types of all are right."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import console
import pytest

PAGE = console.ROOT / "docs" / "python.md"

STUDY = """\
config base:
    optimizer.lr = 0.1

experiment train:
    config base
    run "python train.py"
"""


def programs() -> list[str]:
    return [match["body"] for match in console.BLOCK.finditer(PAGE.read_text()) if match["info"] == "python"]


def test_what_a_script_gets(tmp_path: Path) -> None:
    """The page's training logs a thousand steps, its progress and an artifact."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "Experimentfile").write_text(STUDY)
    (source / "train.py").write_text(programs()[0] + "\nopen('model.pt', 'w').close()\n")
    folder = console.fresh_project(source, tmp_path / "project")

    done = console.shell("xpc submit", folder)

    assert done.returncode == 0, done.stderr
    asked = console.shell('xpc query "show loss.count, loss" --format json', folder)
    assert json.loads(asked.stdout) == [{"loss.count": 1000, "loss": 0.21}]
    (journal,) = folder.glob("runs/train/*/run.jsonl")
    end = json.loads(journal.read_text().splitlines()[-1])
    assert end["progress"] == [999, 1000]
    assert [Path(path).name for path in end["artifacts"]] == ["model.pt"]


def test_reading_records(tmp_path: Path) -> None:
    """The page's query gives a frame with a row for each rate."""
    folder = console.fresh_project(console.ROOT / "examples" / "first", tmp_path / "project")
    (tmp_path / "read.py").write_text(programs()[1] + "\nprint(frame.columns.tolist(), len(frame))\n")
    console.shell("xpc submit", folder)

    done = console.shell(f"python {tmp_path}/read.py", folder)

    assert done.stdout == "['lr', 'loss', 'loss_err'] 3\n", done.stderr


def test_reading_runs(tmp_path: Path) -> None:
    """The page's loops go over the runs of an example, group by group."""
    folder = console.fresh_project(console.ROOT / "examples" / "first", tmp_path / "project")
    (tmp_path / "read.py").write_text(programs()[2])
    console.shell("xpc submit", folder)

    done = console.shell(f"python {tmp_path}/read.py", folder)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].split() == ["lr", "loss"]
    assert [line.split()[:2] for line in done.stdout.splitlines()[-3:]] == [
        ["0.001", "10"],
        ["0.0005", "10"],
        ["0.0001", "10"],
    ]


def test_types_of_the_page(pytestconfig: pytest.Config) -> None:
    """A strict checker has nothing to say of any program."""
    kept = pytestconfig.cache.mkdir("mypy-page")  # what it finds of xpc and libraries, as long as they are the same
    for page in kept.glob("page*.py"):
        page.unlink()
    for number, program in enumerate(programs()):
        (kept / f"page{number}.py").write_text(program)
    known = shlex.quote(os.path.relpath(kept, console.ROOT))  # which a checkout that is moved takes along
    done = console.shell(f"env MYPYPATH=src mypy --strict --cache-dir={known} {known}/page*.py", console.ROOT)

    assert [line for line in done.stdout.splitlines() if "page" in line] == []
