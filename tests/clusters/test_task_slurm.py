"""Tasks under SLURM: who they say they are, and what SLURM is told of how they ended."""

from __future__ import annotations

import pytest
from hand_build import Experiment
from shim_cluster import hand_project

pytestmark = pytest.mark.slurm


def test_task_names_its_job_and_node() -> None:
    """The claim has array job, task and raw id; the host is the node's name; done is exit 0, failed is not."""
    with hand_project("slurm", Experiment("train", '[ "$1" = 0 ]', runs=2)) as project:
        job = project.sbatch(array="0-1")
        assert [project.ended(job, 0), project.ended(job, 1)] == ["COMPLETED", "FAILED"]
        for n, state in ((0, "done"), (1, "failed")):
            claim = project.attempts(n=n)[0]["claim"]
            assert project.ends(n=n) == [state]
            raw = claim["scheduler"].pop("raw")
            assert raw.isdigit()
            assert claim["scheduler"] == {
                "kind": "slurm", "job": job, "task": n, "array": "train-1", "index": n, "restart": 0,
            }  # fmt: skip
            assert (claim["host"] in ("cn1", "cn2"), claim["lease"]) == (True, 60.0)
        assert "failed: exit status 1" in project.log()
