"""The schedulers that the other tests of this folder submit to are there and run jobs of an ordinary user."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cluster_project import USER, ClusterProject


@pytest.mark.slurm
def test_slurm_runs_a_job_of_the_user(make_project: Callable[..., ClusterProject]) -> None:
    project = make_project("slurm", {"job.sh": "#!/bin/sh\nid -un\necho $SLURMD_NODENAME\n"})
    project.run("sbatch", "--wait", "--output=out", "job.sh")
    assert (project.folder / "out").read_text() in (f"{USER}\ncn1\n", f"{USER}\ncn2\n")


@pytest.mark.oar
def test_oar_runs_a_job_of_the_user(make_project: Callable[..., ClusterProject]) -> None:
    project = make_project("oar", {"Experimentfile": ""})
    out = project.folder / "out"
    project.run(
        "oarsub", "-d", str(project.folder), "-O", str(out), "-E", str(out), "-l", "core=1", "id -un; touch done"
    )
    project.until((project.folder / "done").exists)
    assert out.read_text() == f"{USER}\n"
