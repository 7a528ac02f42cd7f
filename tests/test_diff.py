"""`xpc diff`: what two runs differ in, in words and as JSON."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import console
import pytest
from recorded import Recorded, claim, end, journal, series

from xpc.runtime.diff import difference, render_difference

STUDY = """\
grid sweep:
    lr in [0.1, 0.01]
    model in ["mlp", "cnn"]

experiment train:
    grid sweep
    run "python train.py {lr} {model}"
    metric acc maximize from stdout matching "acc=([0-9.]+)"
"""


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Path:
    """Two runs done with one code, two with a later one."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "Experimentfile").write_text(STUDY)
    (source / "train.py").write_text("import sys\nprint(f'acc={float(sys.argv[1]) / 2}')\n")
    folder = console.fresh_project(source, tmp_path / "project")
    assert console.run("xpc submit --where 'lr == 0.1'", folder).returncode == 0
    (folder / "train.py").write_text(
        "import sys\nrate = float(sys.argv[1])\nprint(f'acc={rate / 2}')\n\x1b[2J# escape\n"
    )
    (folder / "train.py").write_text(
        "import sys\nrate = float(sys.argv[1])\nprint(f'acc={rate / 2}')\n# \x1b[2J escape\n"
    )
    (folder / "data.bin").write_bytes(b"\0\1\2")
    assert console.run("xpc submit", folder).returncode == 0
    return folder


def ids(folder: Path) -> dict[tuple[float, str], str]:
    rows = json.loads(console.run("xpc list --json", folder).stdout)
    return {(row["config"]["lr"], row["config"]["model"]): row["id"] for row in rows}


def test_what_differs_is_told(project: Path) -> None:
    """Config, files with their lines, metrics, the course of the runs; what is the same is left out."""
    known = ids(project)
    said = console.run(f"xpc diff {known[0.1, 'mlp']} {known[0.01, 'cnn']}", project)
    lines = said.stdout.splitlines()

    assert said.returncode == 0, said.stderr
    assert lines[:6] == [
        "config    lr      0.1 → 0.01",
        "          model   mlp → cnn",
        "code      data.bin   differs        (`--code` shows it)",
        "          train.py   +3 −1",
        "metrics   acc   0.05 → 0.005",
        lines[5],
    ]
    assert lines[5].startswith("          duration ")


def test_the_same_code(project: Path) -> None:
    known = ids(project)
    said = console.run(f"xpc diff {known[0.1, 'mlp']} {known[0.1, 'cnn']}", project).stdout.splitlines()

    assert said[:3] == ["config    model   mlp → cnn", "code      the same", "metrics   acc   0.05"]
    code = console.run(f"xpc diff --code {known[0.1, 'mlp']} {known[0.1, 'cnn']}", project)
    assert code.stdout == "The code is the same.\n"


def test_code_line_by_line(project: Path) -> None:
    """As git has it, and harmless to a terminal."""
    known = ids(project)
    said = console.run(f"xpc diff --code {known[0.1, 'mlp']} {known[0.01, 'mlp']}", project).stdout

    assert "\n-print(f'acc={float(sys.argv[1]) / 2}')\n+rate = float(sys.argv[1])\n" in said
    assert "\x1b" not in said
    assert "+#  escape" in said


def test_json(project: Path) -> None:
    known = ids(project)
    said = json.loads(console.run(f"xpc diff --json {known[0.1, 'mlp']} {known[0.01, 'mlp']}", project).stdout)

    assert said["schema"] == "xpc.diff/1"
    assert (said["a"]["id"], said["b"]["status"]) == (known[0.1, "mlp"], "done")
    assert said["config"] == {"lr": {"a": 0.1, "b": 0.01}}
    assert said["code"] == [
        {"path": "data.bin", "added": None, "deleted": None},
        {"path": "train.py", "added": 3, "deleted": 1},
    ]
    assert (said["code_unknown"], said["others"]) == (None, [])
    assert said["metrics"] == {"acc": {"a": 0.05, "b": 0.005}}
    assert said["course"]["exit"] == {"a": 0, "b": 0}


def test_what_can_not_be_told_is_said(tmp_path: Path) -> None:
    """Outside a repository, of runs that never began, of a missing run."""
    study = Recorded(tmp_path)
    study.write(0, metrics=series("loss", [1.0]))
    folder = study.write(1, "failed", exit=1, reason="it broke")
    values = {"optimizer.lr": 0.1, "model.name": "mlp", "seed": 1}
    lines = claim("train", folder.name, values, snapshot="abcdef12", fingerprint={"inputs": "other"})
    (folder / "run.jsonl").write_text(journal(lines, end("failed", exit=1)))
    one, two, three = (study.tables["train"].id(row) for row in (0, 1, 11))

    said = console.run(f"xpc diff {one} {two}", tmp_path).stdout.splitlines()
    assert said[:4] == [
        "config    seed   0 → 1",
        "code      there is no git repository here that has the snapshots",
        "          the inputs                                               differ",
        "metrics   loss   1 → —",
    ]
    assert "status   done → failed" in said[4]
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    assert "snapshot 4f2a91c is not in this repository" in console.run(f"xpc diff {one} {two}", tmp_path).stdout
    planned = console.run(f"xpc diff {one} {three}", tmp_path)
    assert (planned.returncode, "has not started" in planned.stdout) == (0, True)
    code = console.run(f"xpc diff --code {one} {three}", tmp_path)
    assert (code.returncode, code.stderr) == (1, f"error: run {three[:7]} has not started\n")
    assert console.run(f"xpc diff {one} ffffffff", tmp_path).returncode == 1


def test_what_differs_looks_different(tmp_path: Path) -> None:
    """Where rounded values are the same, or a text looks like a number, it is told exactly; what JSON lacks is null."""
    study = Recorded(tmp_path, STUDY.replace("0.1, 0.01", "0.12345671, 0.12345672").replace('"mlp", ', ""))
    for row, (loss, rate, duration) in enumerate([(0.1, "Infinity", 10.0), (0.1 + 1e-9, 1.5, 10.001)]):
        study.write(row, metrics=[{"loss": loss, "rate": rate}], duration=duration)
    one, other = study.tables["train"].ids()

    said = console.run(f"xpc diff {one} {other}", tmp_path).stdout.splitlines()
    assert said[0] == "config    lr   0.12345671 → 0.12345672"
    assert said[2:] == [
        "metrics   loss   0.1 → 0.100000001",
        "          rate   inf → 1.5",
        "          duration   10.0 s → 10.001 s",
    ]
    for command in (f"diff --json {one} {other}", f"show --json {one}"):
        text = console.run(f"xpc {command}", tmp_path).stdout
        assert json.loads(text, parse_constant=pytest.fail)["metrics"]["rate"] in (None, {"a": None, "b": 1.5})


def test_values_are_compared_as_values() -> None:
    """1 is 1.0 and not true; null is a value, a missing key is none; texts are harmless."""
    one = {"id": "a" * 16, "experiment": "x", "status": "done", "config": {"a": 1, "b": 1, "c": None, "e": "\x1b[1m"}}
    two = {"id": "b" * 16, "experiment": "y", "status": "done", "config": {"a": 1.0, "b": True, "d": 2, "e": "f"}}
    found = difference(one, two, [])

    assert list(found.record()["config"]) == ["b", "c", "e", "d"]
    assert found.record()["config"]["c"] == {"a": None}
    text = render_difference(found)
    assert "\x1b" not in text
    assert text.splitlines()[:4] == [
        "run       experiment   x → y",
        "config    b   1 → true",
        "          c   null → —",
        text.splitlines()[3],
    ]
