"""Nodes, shims and programs that die under SLURM: another attempt takes over, and never are two of them done."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from hand_build import Experiment
from shim_cluster import HandProject, hand_project

from xpc.runtime.shim import machine

pytestmark = [pytest.mark.slurm, pytest.mark.alone]
BRING_UP = Path(__file__).parent / "slurm"


def slurmd_of(node: str) -> int:
    """Find the process of a node's slurmd by its command line."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if os.path.basename(words[0]) == b"slurmd" and (b"-N", node.encode()) in pairwise(words):
                return int(folder.name)
    raise LookupError(f"no slurmd runs for {node}")


@contextmanager
def node_down(node: str) -> Iterator[None]:
    """Kill a node's slurmd and set it down, as a node is that has lost its network; bring it back afterwards."""
    os.kill(slurmd_of(node), signal.SIGKILL)
    try:
        set_down(node)
        yield
    finally:
        subprocess.run(["scontrol", "update", f"nodename={node}", "state=resume"], check=False)
        subprocess.run([BRING_UP, "up"], check=True, capture_output=True, timeout=120)


def set_down(node: str) -> None:
    """Set a node down until it stays so: an answer of its slurmd that is still under way brings it back."""
    asked = ["scontrol", "update", f"nodename={node}", "state=down", "reason=test"]
    shown = ["scontrol", "show", "node", node]
    subprocess.run(asked, check=True)
    quiet = time.monotonic() + 2
    while time.monotonic() < quiet:
        if "State=DOWN" not in subprocess.check_output(shown, text=True):
            subprocess.run(asked, check=True)
            quiet = time.monotonic() + 2
        time.sleep(0.05)


def is_alive(process: dict[str, int]) -> bool:
    return machine.is_alive(process)


def take_over(project: HandProject) -> tuple[str, str]:
    """Lose the node on which attempt 1 runs; give both attempts' nodes."""
    job = project.sbatch()
    project.started()
    first = project.attempts()[0]["claim"]["host"]
    with node_down(first):
        project.until(lambda: len(project.attempts()) == 2, 90)
        assert project.ended(job) == "COMPLETED"
        second = project.attempts()[1]["claim"]
        assert second["scheduler"]["restart"] == 1
    return first, second["host"]


def test_node_down_while_its_program_lives() -> None:
    """The copy that SLURM starts elsewhere asks the first one to leave, and goes on when it has; only it is done."""
    script = '[ "$XPC_ATTEMPT" = 2 ] || sleep 120'
    with hand_project("slurm", Experiment("train", script), lease=2) as project:
        first, second = take_over(project)
        assert first != second
        assert project.ends() == ["killed", "done"]
        one, two = project.attempts()
        assert (one["end"]["reason"], one["end"]["by"]) == ("its task was started again on another node", "task")
        assert not is_alive(one["start"]["program"])
        assert not is_alive(one["claim"]["shim"])
        assert "contested" not in two["end"]
        assert f"attempt 1, of xpc on {first}, may still run: it is asked to leave" in project.log()


def test_node_down_with_a_frozen_task() -> None:
    """A first attempt that shows no sign of life is given up after three leases; when it wakes up it has lost: it kills
    its program, writes no end line, and the other one's end says that it was contested."""
    script = '[ "$XPC_ATTEMPT" = 1 ] && sleep 120; until [ -e "$XPC_RUN_DIR/go" ]; do sleep 0.1; done'
    with hand_project("slurm", Experiment("train", script), lease=2) as project:
        job = project.sbatch()
        project.started()
        one = project.attempts()[0]
        shim = one["claim"]["shim"]["pid"]
        os.kill(shim, signal.SIGSTOP)
        try:
            with node_down(one["claim"]["host"]):
                project.started(attempt=2)
                assert is_alive(one["start"]["program"])
                os.kill(shim, signal.SIGCONT)
                project.until(lambda: not is_alive(one["claim"]["shim"]), 20)
                (project.run_folder() / "go").touch()
                assert project.ended(job) == "COMPLETED"
        finally:
            if machine.start_time(shim) == one["claim"]["shim"]["start"]:
                os.kill(shim, signal.SIGCONT)
        assert not is_alive(one["start"]["program"])
        assert project.ends() == [None, "done"]
        assert project.attempts()[1]["end"]["contested"] is True
        assert "another attempt has taken over" in project.log()


def test_killed_shim_leaves_nothing_running() -> None:
    """KILL to the shim alone: its program is gone a moment later, and the next attempt goes on at once."""
    with hand_project("slurm", Experiment("train", '[ "$XPC_ATTEMPT" = 2 ] || sleep 120'), lease=60) as project:
        job = project.sbatch()
        project.started()
        one = project.attempts()[0]
        os.kill(one["claim"]["shim"]["pid"], signal.SIGKILL)
        project.until(lambda: not is_alive(one["start"]["program"]), 10)
        assert project.ended(job) == "FAILED"
        began = time.monotonic()
        again = project.sbatch("train", f"--nodelist={one['claim']['host']}")
        assert project.ended(again) == "COMPLETED"
        assert project.ends() == [None, "done"]
        assert time.monotonic() - began < 60  # no lease was waited for: its processes are gone from this very node


def test_killed_shim_on_another_node() -> None:
    """Elsewhere nobody can look the processes up: three leases pass first."""
    with hand_project("slurm", Experiment("train", '[ "$XPC_ATTEMPT" = 2 ] || sleep 120'), lease=2) as project:
        job = project.sbatch()
        project.started()
        claim = project.attempts()[0]["claim"]
        os.kill(claim["shim"]["pid"], signal.SIGKILL)
        assert project.ended(job) == "FAILED"
        again = project.sbatch("train", f"--exclude={claim['host']}")
        assert project.ended(again) == "COMPLETED"
        assert project.ends() == [None, "done"]
        assert "has no end; watching it for 6 s" in project.log()


def test_killed_node() -> None:
    """All processes of a task die at once: nothing is on record, and the next attempt finds nobody alive."""
    with hand_project("slurm", Experiment("train", '[ "$XPC_ATTEMPT" = 2 ] || sleep 120'), lease=60) as project:
        job = project.sbatch()
        project.started()
        one = project.attempts()[0]
        for pid in (one["claim"]["shim"]["pid"], one["start"]["program"]["pid"]):
            os.kill(pid, signal.SIGKILL)
        assert project.ended(job) == "FAILED"
        again = project.sbatch("train", f"--nodelist={one['claim']['host']}")
        assert project.ended(again) == "COMPLETED"
        assert project.ends() == [None, "done"]


def test_live_task_keeps_its_run() -> None:
    """Another job for the same run says who has it, and leaves with 75."""
    with hand_project("slurm", Experiment("train", "sleep 6"), lease=2) as project:
        job = project.sbatch()
        project.started()
        other = project.sbatch()
        assert [project.ended(other), project.ended(job)] == ["FAILED", "COMPLETED"]
        assert project.ends() == ["done"]
        assert "attempt 1 is held by xpc on cn" in project.log()
