"""`xpc submit --rerun stale` on real clusters: earlier results are set aside, and all that is stale is sent as jobs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cluster_project import ClusterProject
from cluster_study import TRAIN, all_done, study

Make = Callable[..., ClusterProject]
RUNS = {"train": 2, "evaluate": 2, "ensemble": 1}


def content(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*") if p.is_file()
    }


def rerun(project: ClusterProject) -> None:
    """Run a study, change its code, run it again; and look at everything that is left afterwards."""
    project.xpc("submit", "--target", "here")
    project.until(lambda: all_done(project, RUNS))
    folders = [path for path in sorted((project.folder / "runs").glob("*/*")) if path.is_dir()]
    before = {path: content(path) for path in folders}
    project.write({"train.sh": TRAIN + "echo again\n"})

    assert project.xpc("submit", "--target", "here").stderr.startswith("Nothing to run: 5 done (5 stale: `xpc")
    built = project.xpc("build", "--target", "here", "--rerun", "stale").stdout
    assert "stale: 2 runs of train: train.sh changed (" in built
    assert "5 done runs will run again" in built
    said = project.xpc("submit", "--target", "here", "--rerun", "stale")
    assert said.stderr.startswith("Kept 5 earlier results")
    assert said.stdout.splitlines()[0].startswith("train")

    listed = {each["status"] for each in json.loads(project.xpc("list", "--json").stdout)}
    assert listed <= {"queued", "running", "done"}  # no word about the earlier jobs is taken for one about these
    project.until(lambda: all_done(project, RUNS), timeout=420)
    for path, files in before.items():
        assert content(path.with_name(f"{path.name}.v1")) == files
    found = json.loads(project.xpc("list", "--json").stdout)
    assert {(each["status"], each["attempt"], each["stale"]) for each in found} == {("done", 1, False)}
    assert project.xpc("submit", "--target", "here", "--rerun", "stale").stderr.startswith("Nothing to run: 5 done.")


@pytest.mark.slurm
def test_rerun_of_stale_runs_on_slurm(make_project: Make) -> None:
    rerun(make_project("slurm", study("slurm", points=2)))


@pytest.mark.slurm
def test_run_set_aside_and_not_sent_is_planned(make_project: Make) -> None:
    """Also while SLURM still knows its job: what is known of that is about the earlier result."""
    project = make_project("slurm", study("slurm", points=1))
    project.xpc("submit", "train", "--target", "here")
    project.until(lambda: project.status()["train"] == {"done": 1})
    script = (
        "import os, signal\n"
        "from xpc.runtime.schedulers import cluster\n"
        "cluster.Chooser = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from xpc.cli.failure import run_guarded\n"
        "run_guarded(['submit', 'train', '--target', 'here', '--force'])\n"
    )
    project.run("python3", "-c", script, check=False)
    assert project.status()["train"] == {"planned": 1}
    project.xpc("submit", "train", "--target", "here")
    project.until(lambda: project.status()["train"] == {"done": 1})
    assert len(list((project.folder / "runs/train").glob("*.v1"))) == 1


@pytest.mark.oar
def test_rerun_of_stale_runs_on_oar(make_project: Make) -> None:
    rerun(make_project("oar", study("oar", points=2)))
