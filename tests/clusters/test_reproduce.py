"""`xpc reproduce` on real clusters: a cluster's run once more, there and here."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cluster_project import ClusterProject

STUDY = """\
grid sweep:
    lr in [0.5, 0.25]

experiment train:
    grid sweep
    pack 2
    run "python3 train.py {{lr}} {{output.model}}"
    output model = "model.txt"
    metric acc maximize from stdout matching "acc=([0-9.]+)"

experiment score:
    after train
    run "cp {{train.model}} {{output.copy}}"
    output copy = "copy.txt"

target here = {kind}:
    setup "export PATH={bin}:$PATH"
"""
TRAIN = "import sys\nopen(sys.argv[2], 'w').write(sys.argv[1])\nprint(f'acc={sys.argv[1]}')\n"


@pytest.mark.parametrize(
    "kind", [pytest.param("slurm", marks=pytest.mark.slurm), pytest.param("oar", marks=pytest.mark.oar)]
)
def test_there_and_here(kind: str, make_project: Callable[..., ClusterProject], user_bin_folder: Path) -> None:
    """A run that shared its task, and one that reads a parent's file; the environment names both."""
    study = STUDY.format(kind=kind, bin=user_bin_folder)
    project = make_project(kind, {"Experimentfile": study, "train.py": TRAIN})
    project.xpc("submit", "--target", "here")
    project.xpc("wait", timeout=300)
    assert project.status() == {"train": {"done": 2}, "score": {"done": 2}}
    train, score = (next(iter(project.journals(name))) for name in ("train", "score"))

    there = project.xpc("reproduce", train, "--target", "here", "--wait", "--json", timeout=300, check=False)
    said = json.loads(there.stdout)
    assert (there.returncode, said["reproduced"], said["target"]) == (0, True, "here"), (said, there.stderr)
    assert (said["metrics"]["acc"]["exact"], said["outputs"]["model"]["verdict"]) == (True, "equal")
    assert said["environment"] == []
    journal = (project.folder / said["folder"] / "run.jsonl").read_text().splitlines()
    assert json.loads(journal[0])["scheduler"]["kind"] == kind

    later = project.xpc("reproduce", score, "--target", "here")
    assert "--compare" in later.stdout
    compared = project.xpc("reproduce", score, "--compare", "--wait", timeout=300)
    assert compared.stdout.startswith("Reproduced: ")

    here = json.loads(project.xpc("reproduce", score, "--json").stdout)
    assert (here["reproduced"], here["target"], here["outputs"]["copy"]["verdict"]) == (True, "local", "equal")
