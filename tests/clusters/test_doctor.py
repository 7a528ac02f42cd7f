"""`xpc doctor` on real schedulers: it says what is true of them, and leaves nothing behind."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest
from cluster_project import ClusterProject

STUDY = 'target here = {kind}:\n    throttle = 4\n\nexperiment train:\n    run "true"\n'
NODE = {"a tiny job", "project folder", "python there", "clocks", "secrets"}


def verdicts(project: ClusterProject, *options: str) -> tuple[dict[str, str], dict[str, str]]:
    """Give the verdict on each thing that was looked at, and the lines for a target."""
    said = json.loads(project.xpc("doctor", "--json", *options, check=False).stdout)
    (site,) = said["sites"]
    return {finding["what"]: finding["verdict"] for finding in site["findings"]}, site["target"]


@pytest.mark.slurm
def test_slurm(make_project: Callable[..., ClusterProject]) -> None:
    """Nodes see the folder, and tasks may requeue and update themselves; the limits are those of the site."""
    project = make_project("slurm", {"Experimentfile": STUDY.format(kind="slurm")})
    found, target = verdicts(project, "--target", "here")

    assert {what for what in NODE | {"requeue itself", "update itself"} if found.get(what) != "ok"} == set()
    config = subprocess.run(["scontrol", "show", "config"], capture_output=True, text=True, check=True).stdout
    (most,) = [line.split("=")[1].strip() for line in config.splitlines() if line.startswith("MaxJobCount")]
    assert target == {"max_submit": most}
    assert not (project.folder / ".xpc").exists()
    left = subprocess.run(["squeue", "-h", "-u", "xpc", "-o", "%j"], capture_output=True, text=True, check=True).stdout
    assert not any(name.startswith("xpc-doctor") for name in left.split())


@pytest.mark.slurm
def test_slurm_that_refuses(make_project: Callable[..., ClusterProject]) -> None:
    """An account that does not exist: exit status 1, in SLURM's words; without jobs nothing is noticed."""
    text = STUDY.format(kind="slurm").replace("throttle = 4", 'account = "nosuch"')
    project = make_project("slurm", {"Experimentfile": text})
    refused = project.xpc("doctor", "--target", "here", check=False)

    assert refused.returncode == 1
    assert "Invalid account or account/partition combination specified" in refused.stdout
    assert project.xpc("doctor", "--target", "here", "--no-jobs").returncode == 0


@pytest.mark.oar
def test_oar(make_project: Callable[..., ClusterProject]) -> None:
    """Nodes see the folder; a secret comes through its file."""
    project = make_project(
        "oar", {"Experimentfile": STUDY.format(kind="oar").replace("    throttle = 4\n", "    lease = 60s\n")}
    )
    found, target = verdicts(project, "--target", "here")

    assert {what for what in NODE if found.get(what) != "ok"} == set()
    assert target == {}
    assert not (project.folder / ".xpc").exists()
