"""Tasks of a cluster without a cluster: warned, put back, refused, with a `scontrol` that only notes its calls."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hand_build import Experiment
from test_shim_task import build_of, folder, lines, pid_in, start, task, wait_until

from xpc.runtime.shim import machine
from xpc.runtime.submissions import SubmissionWriter

SCONTROL = """#!/bin/sh
echo "$@" >> "{calls}"
case $1 in {refuses}) echo "scontrol: error: Access/permission denied" >&2; exit 1;; esac
"""
OAR = {"OAR_JOB_ID": "57", "OAR_ARRAY_ID": "50", "OAR_JOB_NAME": "xpc-9c3e11f-1"}


class Cluster:
    """An environment of a SLURM job, and the calls that its tasks made."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()
        self._calls = folder / "calls"
        self.set_up()

    def set_up(self, refuses: str = "nothing") -> None:
        for name in ("scontrol", "scancel"):
            (self.bin / name).write_text(SCONTROL.format(calls=self._calls, refuses=refuses))
            (self.bin / name).chmod(0o755)

    def remove(self) -> None:
        for path in self.bin.iterdir():
            path.unlink()

    @property
    def calls(self) -> list[str]:
        """What was changed by them; what was only looked up is left out."""
        lines = self._calls.read_text().splitlines() if self._calls.exists() else []
        return [line for line in lines if not line.startswith("show ")]

    def environ(self, restart: int = 0, **more: str) -> dict[str, str]:
        found = {"SLURM_JOB_ID": "481290", "SLURM_ARRAY_JOB_ID": "481234", "SLURM_ARRAY_TASK_ID": "0", **more}
        found |= {"SLURMD_NODENAME": "cn1", "PATH": f"{self.bin}:{os.environ['PATH']}"}
        return {**found, "SLURM_RESTART_COUNT": str(restart)} if restart else found


@pytest.fixture(name="slurm")
def _slurm(tmp_path: Path) -> Cluster:
    return Cluster(tmp_path)


def of_kind(kind: str, build: Path, change: Callable[[dict[str, Any]], object] = lambda plan: None) -> Path:
    """Make a build one for a cluster."""
    plan = json.loads((build / "plan.json").read_text())
    plan["target"]["kind"] = kind
    change(plan)
    (build / "plan.json").write_text(json.dumps(plan))
    return build


def warned(before: float, name: str | None = None) -> Callable[[dict[str, Any]], object]:
    return lambda plan: plan["experiments"]["train"].update(checkpoint={"before": before, "signal": name})


def packed(rows: int, **more: object) -> Callable[[dict[str, Any]], object]:
    """Put all runs of the first array into tasks of so many rows."""

    def change(plan: dict[str, Any]) -> None:
        array = plan["arrays"][0]
        tasks = array["tasks"] // rows
        array.update(tasks=tasks, indices=[[0, tasks]], sizes=[[rows, tasks]], **more)

    return change


def end(project: Path, attempt: int = 1, n: int = 0) -> dict[str, Any]:
    name = "run.jsonl" if attempt == 1 else f"run.{attempt}.jsonl"
    last: dict[str, Any] = json.loads((folder(project, n=n) / name).read_text().splitlines()[-1])
    return last


def runs(project: Path, count: int) -> list[bool]:
    return [folder(project, n=n).exists() for n in range(count)]


# ------------------------------------------------------------------ checkpoints

WAITS = 'until [ -e "$XPC_STOP" ]; do sleep 0.05; done; '


@pytest.mark.parametrize(
    ("script", "state", "reason"),
    [
        (WAITS + "echo 1 > model", "done", None),
        (WAITS + "true", "timeout", "checkpointed: it left: output missing: model"),
        (WAITS + "exit 3", "timeout", "checkpointed: it left with exit status 3"),
        (WAITS + "kill -USR1 $$", "timeout", "checkpointed: it left: killed by SIGUSR1"),
        ("trap '' TERM; while :; do sleep 0.05; done", "timeout", "checkpointed: it did not leave in time"),
    ],
)
def test_what_is_done_after_a_warning(tmp_path: Path, script: str, state: str, reason: str | None) -> None:
    """Exit status 0 and all outputs there: done. Everything else goes on in another attempt."""
    train = Experiment("train", script, request=[{"time": 2}], outputs={"model": "model"})
    build = of_kind("local", build_of(tmp_path, train), warned(1.5))

    assert task(tmp_path, build)[0] == (0 if state == "done" else 1)
    assert (end(tmp_path)["state"], end(tmp_path)["reason"]) == (state, reason)
    assert end(tmp_path).get("checkpointed") is (None if state == "done" else True)
    assert not (folder(tmp_path) / "stop").exists()


def test_done_needs_outputs_of_this_attempt(tmp_path: Path) -> None:
    """Without declared outputs, or with those of an earlier attempt, exit status 0 says nothing after a warning."""
    build = of_kind("local", build_of(tmp_path, Experiment("train", WAITS, request=[{"time": 1}])), warned(0.8))

    assert task(tmp_path, build)[0] == 1
    assert end(tmp_path)["reason"] == "checkpointed: it left with exit status 0"


def test_signal_reaches_who_listens(tmp_path: Path) -> None:
    """A shell without a trap is not killed by the signal that is meant for the program that it started."""
    code = (
        "import pathlib, signal, sys, time\n"
        "signal.signal(signal.SIGUSR2, lambda *_: (pathlib.Path('told').touch(), sys.exit(0)))\n"
        "pathlib.Path('ready').touch()\n"
        "while True: time.sleep(0.05)\n"
    )
    (tmp_path / "listen.py").write_text(code)
    script = f"sleep 60 & {sys.executable} {tmp_path}/listen.py; echo 1 > model; kill %1"
    train = Experiment("train", script, request=[{"time": 4}], outputs={"model": "model"})
    build = of_kind("local", build_of(tmp_path, train), warned(2, "USR2"))

    assert task(tmp_path, build) == (0, "")
    assert (folder(tmp_path) / "files/told").exists()


def test_warned_task_is_put_back(tmp_path: Path, slurm: Cluster) -> None:
    """The scheduler's signal warns too. The task is requeued, and its end says so; the next attempt goes on."""
    script = 'if [ "$XPC_ATTEMPT" = 1 ]; then touch ready; ' + WAITS + "fi; echo 1 > model"
    script = script.replace("; echo 1", "; [ $XPC_ATTEMPT = 1 ] || echo 1")
    train = Experiment("train", script + "; true", outputs={"model": "model"})
    build = of_kind("slurm", build_of(tmp_path, train), warned(30))
    with start(tmp_path, build, **slurm.environ()) as running:
        wait_until(lambda: (folder(tmp_path) / "files/ready").exists())
        running.send_signal(signal.SIGUSR1)
        _, said = running.communicate(timeout=20)

    assert running.returncode == 1
    assert slurm.calls == ["requeue 481234_0"]
    assert (end(tmp_path)["state"], end(tmp_path)["requeued"]) == ("timeout", True)
    assert "it goes back to the queue" in said
    assert task(tmp_path, build, **slurm.environ(1)) == (0, "")
    assert end(tmp_path, 2)["state"] == "done"


def test_task_ignores_the_end_that_it_asked_for(tmp_path: Path, slurm: Cluster) -> None:
    """SLURM tells a task that is put back to end: its record is written all the same."""
    (slurm.bin / "scontrol").write_text("#!/bin/sh\nkill -TERM $PPID; sleep 0.5\n")
    train = Experiment("train", WAITS, request=[{"time": 1}])
    build = of_kind("slurm", build_of(tmp_path, train), warned(0.8))

    assert task(tmp_path, build, **slurm.environ())[0] == 1
    assert end(tmp_path)["requeued"] is True


def test_checkpoints_have_a_cap(tmp_path: Path, slurm: Cluster) -> None:
    """After `max_requeues` attempts in a row the run has timed out for good."""
    train = Experiment("train", WAITS, request=[{"time": 1}])
    build = of_kind("slurm", build_of(tmp_path, train), warned(0.9))
    build = of_kind("slurm", build, lambda plan: plan["target"]["options"].update(max_requeues=2))

    for restart in range(3):
        assert task(tmp_path, build, **slurm.environ(restart))[0] == 1
    assert [end(tmp_path, n).get("requeued") for n in (1, 2, 3)] == [True, True, None]
    assert "checkpointed" not in end(tmp_path, 3)
    assert end(tmp_path, 3)["reason"].endswith("after 2 attempts that did too")
    assert len(slurm.calls) == 2


@pytest.mark.parametrize("trouble", ["refused", "absent", "not allowed", "by hand"])
def test_task_that_cannot_be_put_back(tmp_path: Path, slurm: Cluster, trouble: str) -> None:
    """It has timed out; that it was checkpointed is on record, so that the next submit goes on with it."""
    train = Experiment("train", WAITS, request=[{"time": 1}])
    build = of_kind("slurm", build_of(tmp_path, train), warned(0.8))
    environ = slurm.environ()
    if trouble == "refused":
        slurm.set_up("requeue")
    elif trouble == "absent":
        slurm.remove()
        for name in ("python3", "bash", "sleep"):
            (slurm.bin / name).symlink_to(shutil.which(name) or name)
        environ["PATH"] = str(slurm.bin)
    elif trouble == "not allowed":
        of_kind("slurm", build, lambda plan: plan["target"]["options"].update(requeue=False))
    else:
        environ = {"SLURM_JOB_ID": ""}
    status, said = task(tmp_path, build, **environ)

    assert (status, end(tmp_path)["state"]) == (1, "timeout")
    assert ("requeued" in end(tmp_path), end(tmp_path)["checkpointed"]) == (False, True)
    if trouble in ("refused", "absent"):
        assert "scontrol requeue 481234_0: " in said


def test_oar_starts_it_again_for_99(tmp_path: Path) -> None:
    """Only a task that was checkpointed, and ran for the minute that OAR wants, ends with 99."""
    train = Experiment("train", WAITS, request=[{"time": 1}])
    build = of_kind("oar", build_of(tmp_path, train), warned(0.8))
    nodes = tmp_path / "nodes"
    nodes.write_text("oarn2\noarn2\n")

    assert task(tmp_path, build, OAR_NODEFILE=str(nodes), **OAR)[0] == 1  # too short for OAR
    assert ("requeued" in end(tmp_path), end(tmp_path)["checkpointed"]) == (False, True)
    claim = lines(tmp_path)["claim"]
    assert (claim["host"], claim["scheduler"]["job"], claim["scheduler"]["array_job"]) == ("oarn2", "57", "50")


def test_secrets_on_oar_come_from_a_file(tmp_path: Path) -> None:
    """OAR passes no environment on: what the submit left for the job is given to the program."""
    build = of_kind("oar", build_of(tmp_path, Experiment("train", 'test "$TOKEN" = s3cret')))
    of_kind("oar", build, lambda plan: plan["experiments"]["train"]["environment"].update(secrets=["TOKEN"]))
    secrets = tmp_path / ".xpc/secrets" / str(os.getuid())
    secrets.mkdir(parents=True)
    (secrets / "xpc-9c3e11f-1.json").write_text('{"TOKEN": "s3cret"}')

    assert task(tmp_path, build, OAR_NODEFILE="", **OAR) == (0, "")


# ------------------------------------------------------------------ retries


def test_retry_asks_for_more_memory(tmp_path: Path, slurm: Cluster) -> None:
    """The pending task's request is raised before anything else happens."""
    requests = [{"memory": 600 << 20}, {"memory": (900 << 20) + 1}]
    build = of_kind("slurm", build_of(tmp_path, Experiment("train", "exit 3", request=requests, retries=1)))

    assert task(tmp_path, build, **slurm.environ())[0] == 1
    assert slurm.calls == ["requeue 481234_0", "update JobId=481234_0 MinMemoryNode=901"]
    assert (end(tmp_path)["state"], end(tmp_path)["requeued"]) == ("failed", True)
    assert task(tmp_path, build, **slurm.environ(1, SLURM_MEM_PER_NODE="901"))[0] == 1
    assert "requeued" not in end(tmp_path, 2)
    assert len(slurm.calls) == 2


def test_refused_update_takes_the_task_back(tmp_path: Path, slurm: Cluster) -> None:
    """With less than it asks for it would only fail again: it is cancelled, and has failed."""
    slurm.set_up("update")
    requests = [{"memory": 600 << 20}, {"memory": 900 << 20}]
    build = of_kind("slurm", build_of(tmp_path, Experiment("train", "exit 3", request=requests, retries=1)))

    assert task(tmp_path, build, **slurm.environ())[0] == 1
    assert [call.split()[0] for call in slurm.calls] == ["requeue", "update", "481234_0"]
    assert "requeued" not in end(tmp_path)


@pytest.mark.parametrize(
    ("script", "requests", "state"),
    [
        ("exit 3", [{"time": 60}, {"time": 120}], "failed"),
        ("exit 3", [{"cpus": 1}, {"cpus": 2}], "failed"),
        ("kill -KILL $$", [{}], "killed"),
    ],
)
def test_no_retry_by_itself(
    tmp_path: Path, slurm: Cluster, script: str, requests: list[dict[str, int]], state: str
) -> None:
    """A user can't raise a time limit, and a program that was killed is not a failure of its own."""
    build = of_kind("slurm", build_of(tmp_path, Experiment("train", script, request=requests, retries=3)))

    assert task(tmp_path, build, **slurm.environ())[0] == 1
    assert (end(tmp_path)["state"], "requeued" in end(tmp_path), slurm.calls) == (state, False, [])


def test_memory_that_the_job_really_has(tmp_path: Path, slurm: Cluster) -> None:
    """A task that SLURM started again by itself has the memory of its first start, whatever the attempt would ask."""
    build = of_kind("slurm", build_of(tmp_path, Experiment("train", request=[{"memory": 900 << 20}])))

    assert task(tmp_path, build, **slurm.environ(SLURM_MEM_PER_NODE="600")) == (0, "")
    assert lines(tmp_path)["start"]["request"]["memory"] == 600 << 20


def test_told_by_the_scheduler(tmp_path: Path, slurm: Cluster) -> None:
    """TERM to the task: killed, by the task, and never put back; a second one does not hurry it."""
    script = "trap 'sleep 1; echo bye; exit 0' TERM; echo $$ > pid; while :; do sleep 0.05; done"
    build = of_kind("slurm", build_of(tmp_path, Experiment("train", script, retries=3)))
    with start(tmp_path, build, **slurm.environ()) as running:
        pid_in(folder(tmp_path) / "files/pid")
        running.send_signal(signal.SIGTERM)
        wait_until(lambda: running.poll() is None)
        running.send_signal(signal.SIGTERM)
        assert running.wait(15) == 1

    assert (end(tmp_path)["state"], end(tmp_path)["by"], slurm.calls) == ("killed", "task", [])
    assert (folder(tmp_path) / "stdout.log").read_text() == "bye\n"


# ------------------------------------------------------------------ packed runs


def test_one_after_another(tmp_path: Path) -> None:
    """A task's runs go one by one; what is done is skipped, the worst exit status is the task's."""
    script = 'test "$1" != 1 && echo "$(date +%s%N)"; sleep 0.1; test "$1" != 1'
    build = of_kind("slurm", build_of(tmp_path, Experiment("train", script, runs=4)), packed(2))

    assert task(tmp_path, build, index=1)[0] == 0
    assert runs(tmp_path, 4) == [False, False, True, True]
    assert task(tmp_path, build, index=0)[0] == 1
    assert [end(tmp_path, n=n)["state"] for n in range(4)] == ["done", "failed", "done", "done"]
    times = [int((folder(tmp_path, n=n) / "stdout.log").read_text()) for n in (2, 3)]
    assert times[0] + 100_000_000 < times[1]
    assert task(tmp_path, build, index=1)[0] == 0
    assert not (folder(tmp_path, n=2) / "run.2.jsonl").exists()


def test_sparse_indices_and_uneven_sizes(tmp_path: Path) -> None:
    """Task 7 is the array's second here, and has the rest of its rows."""
    build = of_kind("slurm", build_of(tmp_path, Experiment("train", runs=5)))
    change = {"tasks": 2, "indices": [[3, 1], [7, 1]], "sizes": [[3, 1], [2, 1]]}
    of_kind("slurm", build, lambda plan: plan["arrays"][0].update(change))

    assert task(tmp_path, build, index=7) == (0, "")
    assert runs(tmp_path, 5) == [False, False, False, True, True]
    status, said = task(tmp_path, build, index=4)
    assert (status, said) == (1, "array train-1 has no task 4\n")


def test_run_that_does_not_fit_any_more(tmp_path: Path, slurm: Cluster) -> None:
    """What would need more time than the task has left stays planned, and the task is not done."""
    script = '[ "$1" = 0 ] && sleep 1; true'
    build = of_kind("slurm", build_of(tmp_path, Experiment("train", script, runs=3, request=[{"time": 10}])), packed(3))
    of_kind("slurm", build, lambda plan: plan["resources"].append([{**plan["resources"][0][0], "time": 10.5}]))
    of_kind("slurm", build, lambda plan: plan["arrays"][0].update(resources=1))
    status, said = task(tmp_path, build, **slurm.environ())

    assert (status, said) == (1, "2 of 3 runs are left\n")
    assert runs(tmp_path, 3) == [True, False, False]
    assert task(tmp_path, build, **slurm.environ())[0] == 0  # the first is done: now there is time for the others


@pytest.mark.parametrize("side_by_side", [False, True])
def test_packed_task_leaves_runs_alone(tmp_path: Path, slurm: Cluster, side_by_side: bool) -> None:
    """Those that the submit which sent it named; what another call of that submit says is not about this one."""
    pack = packed(3, side_by_side=side_by_side)
    build = of_kind("slurm", build_of(tmp_path, Experiment("train", "true", runs=3)), pack)
    writer = SubmissionWriter(tmp_path, build.name, "far", "slurm")
    writer.intent(1, "train-1", "xpc-1-1", [0], 1, [1])
    writer.intent(2, "train-1", "xpc-1-2", [0], 1, [0, 1])
    writer.close()

    def run() -> list[bool]:
        return [folder(tmp_path, n=n).exists() for n in range(3)]

    assert task(tmp_path, build, **slurm.environ(SLURM_JOB_NAME="xpc-1-2")) == (0, "")
    assert run() == [False, False, True]
    assert task(tmp_path, build, **slurm.environ(SLURM_JOB_NAME="xpc-1-1")) == (0, "")
    assert run() == [True, False, True]
    assert task(tmp_path, build, **slurm.environ(SLURM_JOB_NAME="train-1")) == (0, "")
    assert run() == [True, True, True]


def test_end_of_a_packed_task(tmp_path: Path, slurm: Cluster) -> None:
    """TERM ends the run that is on, and no other one begins."""
    build = of_kind("slurm", build_of(tmp_path, Experiment("train", "echo $$ > pid; sleep 60", runs=3)), packed(3))
    with start(tmp_path, build, **slurm.environ()) as running:
        pid_in(folder(tmp_path) / "files/pid")
        running.send_signal(signal.SIGTERM)
        assert running.wait(15) == 1

    assert runs(tmp_path, 3) == [True, False, False]
    assert (end(tmp_path)["state"], end(tmp_path)["by"], slurm.calls) == ("killed", "task", [])


@pytest.mark.parametrize("side_by_side", [False, True])
def test_cancelled_pack_stays_away(tmp_path: Path, slurm: Cluster, side_by_side: bool) -> None:
    """One of its runs would be tried again; a task that was told to end does not put itself back for it."""
    script = '[ "$1" = 1 ] || exit 3; echo $$ > pid; sleep 60'
    experiment = Experiment("train", script, runs=2, retries=1)
    build = of_kind("slurm", build_of(tmp_path, experiment), packed(2, side_by_side=side_by_side))
    with start(tmp_path, build, **slurm.environ()) as running:
        pid_in(folder(tmp_path, n=1) / "files/pid")
        wait_until(lambda: (folder(tmp_path) / "run.jsonl").exists() and end(tmp_path).get("event") == "end")
        running.send_signal(signal.SIGTERM)
        assert running.wait(15) == 1

    assert (end(tmp_path)["requeued"], end(tmp_path, n=1)["state"], slurm.calls) == (True, "killed", [])


@pytest.mark.parametrize("side_by_side", [False, True])
def test_warned_pack_goes_back_with_all_that_is_left(tmp_path: Path, slurm: Cluster, side_by_side: bool) -> None:
    """The task is put back once, for the run that was checkpointed and those that had not begun."""
    script = (
        'if [ "$XPC_ATTEMPT" = 1 ] && [ "$1" != 9 ]; then touch ready; '
        + WAITS
        + "fi; [ $XPC_ATTEMPT = 1 ] || touch out"
    )
    train = Experiment("train", script + "; true", runs=2, outputs={"out": "out"})
    build = of_kind("slurm", build_of(tmp_path, train), warned(30))
    of_kind("slurm", build, packed(2, side_by_side=side_by_side))
    with start(tmp_path, build, **slurm.environ()) as running:
        wait_until(lambda: (folder(tmp_path) / "files/ready").exists())
        if side_by_side:
            wait_until(lambda: (folder(tmp_path, n=1) / "files/ready").exists())
        running.send_signal(signal.SIGUSR1)
        running.communicate(timeout=20)

    assert (running.returncode, slurm.calls) == (1, ["requeue 481234_0"])
    assert runs(tmp_path, 2) == [True, side_by_side]
    assert (end(tmp_path)["state"], end(tmp_path)["requeued"]) == ("timeout", True)


def test_side_by_side(tmp_path: Path, slurm: Cluster) -> None:
    """All runs of a task at once, each with its own GPUs; each has its own end."""
    script = (
        'echo "$CUDA_VISIBLE_DEVICES"; touch "$XPC_PROJECT/started.$1"; '
        'until [ "$(ls "$XPC_PROJECT"/started.* | wc -l)" = 3 ]; do sleep 0.05; done; test "$1" != 2'
    )
    build = of_kind("slurm", build_of(tmp_path, Experiment("train", script, runs=3)), packed(3, side_by_side=True))
    status, _ = task(tmp_path, build, **slurm.environ(CUDA_VISIBLE_DEVICES="4,5,6,7,8,9"))

    assert status == 1
    assert [end(tmp_path, n=n)["state"] for n in range(3)] == ["done", "done", "failed"]
    seen = [(folder(tmp_path, n=n) / "stdout.log").read_text().strip() for n in range(3)]
    assert seen == ["4,5", "6,7", "8,9"]


def test_end_of_a_task_side_by_side(tmp_path: Path, slurm: Cluster) -> None:
    """TERM to the task alone reaches all of its runs."""
    script = "echo $$ > pid; sleep 60"
    build = of_kind("slurm", build_of(tmp_path, Experiment("train", script, runs=2)), packed(2, side_by_side=True))
    with start(tmp_path, build, **slurm.environ()) as running:
        for n in range(2):
            pid_in(folder(tmp_path, n=n) / "files/pid")
        running.send_signal(signal.SIGTERM)
        assert running.wait(15) == 1

    assert [(end(tmp_path, n=n)["state"], end(tmp_path, n=n)["by"]) for n in range(2)] == [("killed", "task")] * 2


def test_guard_is_for_each_run_of_a_pack(tmp_path: Path) -> None:
    """A run whose parent is not done is left out; the others run."""
    build = build_of(
        tmp_path, Experiment("train", '[ "$1" = 0 ]', runs=2), Experiment("eval", runs=2, after={"train": [[0], [1]]})
    )
    of_kind("local", build, lambda plan: plan["arrays"][1].update(tasks=1, indices=[[0, 1]], sizes=[[2, 1]]))

    assert [task(tmp_path, build, index=n)[0] for n in range(2)] == [0, 1]
    assert task(tmp_path, build, "eval-1")[0] == 76
    assert [folder(tmp_path, "eval", n).exists() for n in range(2)] == [True, False]


# ------------------------------------------------------------------ what dies


def test_killed_shim_leaves_nothing_running(tmp_path: Path, slurm: Cluster) -> None:
    """On a cluster the program, and what it started, are gone a moment after the shim."""
    script = "setsid sleep 60 & echo $! > other; echo $$ > pid; sleep 60"
    build = of_kind("slurm", build_of(tmp_path, Experiment("train", script)))
    with start(tmp_path, build, **slurm.environ()) as running:
        programs = [pid_in(folder(tmp_path) / "files" / name) for name in ("pid", "other")]
        wait_until(lambda: "start" in lines(tmp_path))
        running.kill()

    wait_until(lambda: not any(machine.start_time(pid) for pid in programs))


def test_full_disk_at_the_end_line(tmp_path: Path, slurm: Cluster) -> None:
    """A task whose end can't be recorded says so with 74, though it had asked to be started again."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("no small disk can be mounted here")
    try:
        fill = (
            'j="$XPC_RUN_DIR/run.jsonl"; head -c $((4096 - $(stat -c %s "$j") % 4096)) /dev/zero | tr "\\0" x >> "$j"'
        )
        train = Experiment("train", f"{fill}; head -c 10000000 /dev/zero > big || exit 3", retries=1)
        build = of_kind("slurm", build_of(disk, train))
        status, said = task(disk, build, **slurm.environ())
        assert (status, "can't be recorded" in said) == (74, True)
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_parent_without_an_end(tmp_path: Path) -> None:
    """A task looks for its parent's end no longer than a part of its time: at its limit it would be taken for a run
    that has timed out, and it has never begun."""
    build = of_kind("oar", build_of(tmp_path, Experiment("train"), Experiment("eval", after={"train": [[0]]})))
    folder(tmp_path).mkdir(parents=True)
    (folder(tmp_path) / "run.jsonl").write_text('{"event":"claim","schema":"xpc.run/1"}\n')
    began = time.monotonic()

    code, said = task(tmp_path, build, "eval-1", OAR_NODEFILE="", OAR_JOB_WALLTIME_SECONDS="9", **OAR)
    assert (code, said.endswith("is not done\n")) == (76, True)
    assert time.monotonic() - began < 9
