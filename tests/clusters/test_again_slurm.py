"""Tasks that go back to SLURM's queue by themselves: checkpoints, retries with a growing request, preemption."""

from __future__ import annotations

import subprocess
import time

import pytest
from hand_build import Experiment
from shim_cluster import hand_project, limit

pytestmark = pytest.mark.slurm

SAVES = """
if [ -e saved ]; then echo 1 > model; exit; fi
until [ -e "$XPC_STOP" ]; do sleep 0.1; done
echo "attempt $XPC_ATTEMPT" > saved
"""


def test_checkpoint_before_the_time_limit() -> None:
    """The program is warned and leaves; the same run goes on in the same folder, and its child after it."""
    train = Experiment("train", SAVES, request=[{"time": 30}], outputs={"model": "model"})
    with hand_project("slurm", train, Experiment("eval", after={"train": [[0]]})) as project:
        limit(project, checkpoint={"before": 27.0, "signal": None})
        job = project.sbatch("train", "--time=1")
        child = project.sbatch("eval", f"--dependency=aftercorr:{job}")
        assert [project.ended(job), project.ended(child)] == ["COMPLETED", "COMPLETED"]
        one, two = project.attempts()
        assert project.ends() == ["timeout", "done"]
        assert (one["end"]["requeued"], one["end"]["checkpointed"]) == (True, True)
        assert one["end"]["reason"] == "checkpointed: it left: output missing: model"
        assert two["claim"]["scheduler"] == {**one["claim"]["scheduler"], "restart": 1}
        assert (project.run_folder() / "files/saved").read_text() == "attempt 1\n"
        assert project.ends("eval") == ["done"]


def test_signal_of_the_scheduler() -> None:
    """The signal that `--signal=B:USR1@…` sends reaches the shim, and what was asked for reaches the program alone."""
    script = """
if [ -e saved ]; then echo 1 > model; exit; fi
trap 'echo saved > saved; exit 0' USR2
touch ready
while :; do sleep 0.1; done
"""
    train = Experiment("train", script, request=[{"time": 600}], outputs={"model": "model"})
    with hand_project("slurm", train) as project:
        limit(project, checkpoint={"before": 60.0, "signal": "USR2"})
        job = project.sbatch()
        project.until(lambda: (project.run_folder() / "files/ready").exists())
        subprocess.run(["scancel", "--batch", "--signal=USR1", f"{job}_0"], check=True)
        project.until(lambda: len(project.attempts()) == 2)
        assert project.ended(job) == "COMPLETED"
        assert project.ends() == ["timeout", "done"]


def test_checkpoints_have_a_cap() -> None:
    """A run that never gets done is not started again without end."""
    script = 'until [ -e "$XPC_STOP" ]; do sleep 0.1; done'
    with hand_project("slurm", Experiment("train", script, request=[{"time": 30}]), max_requeues=1) as project:
        limit(project, checkpoint={"before": 29.0, "signal": None})
        job = project.sbatch()
        project.until(lambda: len(project.attempts()) == 2)
        assert project.ended(job) == "FAILED"
        assert project.ends() == ["timeout", "timeout"]
        last = project.attempts()[1]["end"]
        assert ("requeued" in last, "checkpointed" in last) == (False, False)
        assert last["reason"].endswith(", after 1 attempt that did too")


def test_retry_with_more_memory() -> None:
    """A task that fails puts itself back with a greater request; its child waits for the attempt that is done."""
    script = 'echo "$SLURM_MEM_PER_NODE"; [ "$XPC_ATTEMPT" = 2 ]'
    requests = [{"memory": 600 << 20}, {"memory": 900 << 20}]
    train = Experiment("train", script, request=requests, retries=1, runs=2)
    with hand_project("slurm", train, Experiment("eval", runs=2, after={"train": [[0], [1]]})) as project:
        job = project.sbatch("train", "--mem=600M", array="0-1")
        child = project.sbatch("eval", f"--dependency=aftercorr:{job}", array="0-1")
        assert [project.ended(job, n) for n in range(2)] == ["COMPLETED", "COMPLETED"]
        assert [project.ended(child, n) for n in range(2)] == ["COMPLETED", "COMPLETED"]
        for n in range(2):
            assert project.ends(n=n) == ["failed", "done"]
            one, two = project.attempts(n=n)
            assert (one["end"]["requeued"], "requeued" in two["end"]) == (True, False)
            assert two["start"]["request"]["memory"] == 900 << 20
            logs = [project.run_folder(n=n) / name for name in ("stdout.log", "stdout.2.log")]
            assert [log.read_text() for log in logs] == ["600\n", "900\n"]


def test_retries_are_used_up() -> None:
    """The last failure is one for SLURM too, and the child does not run."""
    with hand_project(
        "slurm", Experiment("train", "exit 3", retries=1), Experiment("eval", after={"train": [[0]]})
    ) as project:
        job = project.sbatch()
        child = project.sbatch("eval", f"--dependency=aftercorr:{job}")
        project.until(lambda: len(project.attempts()) == 2)
        assert [project.ended(job), project.ended(child)] == ["FAILED", "CANCELLED"]
        assert project.ends() == ["failed", "failed"]
        assert ["requeued" in attempt["end"] for attempt in project.attempts()] == [True, False]


def test_requeue_that_is_refused() -> None:
    """Where the job may not be put back it fails: its end says nothing of another attempt."""
    with hand_project("slurm", Experiment("train", "exit 3", retries=1)) as project:
        job = project.sbatch("train", "--no-requeue")
        assert project.ended(job) == "FAILED"
        assert project.ends() == ["failed"]
        assert "requeued" not in project.attempts()[0]["end"]
        assert "scontrol requeue" in project.log()


def test_preemption() -> None:
    """SLURM takes the nodes away and starts the task again later: the same run, the same folder, the next attempt."""
    script = 'echo "$XPC_ATTEMPT" >> attempts; [ "$XPC_ATTEMPT" = 2 ] || sleep 300'
    with hand_project("slurm", Experiment("train", script)) as project:
        job = project.sbatch("train", "--partition=low", "--nodelist=cn2", "--requeue")
        project.started()
        wanted = ["sbatch", "--parsable", "--partition=cpu", "--nodelist=cn2", "--exclusive", "--output=/dev/null"]
        other = project.as_user([*wanted, "--wrap", "sleep 1"]).strip()
        project.jobs.append(other)
        project.until(lambda: len(project.attempts()) == 2, 420)
        assert project.ended(job) == "COMPLETED"
        assert project.ends() == ["killed", "done"]
        end = project.attempts()[0]["end"]
        assert (end["by"], "requeued" in end) == ("task", False)
        assert (project.run_folder() / "files/attempts").read_text() == "1\n2\n"


def test_cancelled_while_its_program_lingers() -> None:
    """The end is on record before SLURM's patience is over, though the program does not leave."""
    with hand_project("slurm", Experiment("train", "trap '' TERM; while :; do sleep 0.2; done")) as project:
        job = project.sbatch()
        project.started()
        began = time.monotonic()
        subprocess.run(["scancel", job], check=True)
        assert project.ended(job) == "CANCELLED"
        assert time.monotonic() - began < 30
        end = project.attempts()[0]["end"]
        assert (end["state"], end["by"], end["reason"]) == ("killed", "task", "the task got SIGTERM")
