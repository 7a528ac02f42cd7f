"""Tasks under OAR: who they say they are, and what OAR is told of how they ended."""

from __future__ import annotations

import json
import subprocess
import time

import pytest
from hand_build import Experiment
from shim_cluster import HandProject, hand_project, limit

pytestmark = pytest.mark.oar


def jobs_of(ids: list[str]) -> dict[str, dict[str, object]]:
    command = ["oarstat", "-f", "-J"]
    for one in ids:
        command += ["-j", one]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found: dict[str, dict[str, object]] = json.loads(said)
    return found


def wait_for(project: HandProject, ids: list[str], timeout: float = 90) -> dict[str, dict[str, object]]:
    project.until(lambda: all(job["state"] in ("Terminated", "Error") for job in jobs_of(ids).values()), timeout)
    return jobs_of(ids)


def test_task_names_its_job_and_node() -> None:
    """The claim has job and array; the host is the node's name; a program's own 99 does not start it again."""
    with hand_project("oar", Experiment("train", '[ "$1" = 0 ] || exit 99', runs=2)) as project:
        ids = project.oarsub("train", [0, 1])
        ended = wait_for(project, ids)
        assert [ended[one]["exit_code"] for one in ids] == [0, 1 << 8]
        for n, state in ((0, "done"), (1, "failed")):
            claim = project.attempts(n=n)[0]["claim"]
            assert project.ends(n=n) == [state]
            assert claim["scheduler"] == {
                "kind": "oar", "job": ids[n], "task": None, "array": "train-1", "index": n,
                "array_job": ids[0], "restart": 0,
            }  # fmt: skip
            assert claim["host"] in ("oarn1", "oarn2")


def test_checkpointed_task_is_started_again() -> None:
    """A warned task ends with 99, OAR starts it again as another job, and the run goes on."""
    script = """
if [ -e saved ]; then echo 1 > model; exit; fi
until [ -e "$XPC_STOP" ]; do sleep 0.1; done
touch saved
"""
    with hand_project("oar", Experiment("train", script, outputs={"model": "model"})) as project:
        limit(project, checkpoint={"before": 60.0, "signal": None})
        options = ["-l", "core=1,walltime=0:10:00", "-t", "idempotent", "--checkpoint", "60", "--signal", "10"]
        ids = project.oarsub("train", [0], *options)
        project.started()
        began = time.monotonic()
        project.until(lambda: time.monotonic() - began > 63, 70)  # OAR starts nothing again that ran for less
        subprocess.run(["oardel", "-s", "SIGUSR1", ids[0]], check=True, capture_output=True)
        project.until(lambda: project.ends() == ["timeout", "done"], 90)
        one, two = project.attempts()
        assert one["end"]["requeued"] is True
        assert jobs_of(ids)[ids[0]]["exit_code"] == 99 << 8
        again = two["claim"]["scheduler"]
        project.jobs.append(again["job"])
        assert again["job"] != ids[0]
        assert {**again, "job": ids[0]} == one["claim"]["scheduler"]
