"""One task as a node runs it: `python3 xpc.pyz task …`, with programs that end in every way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hand_build import Experiment, run_id, write_build

from xpc.runtime.shim import archive, journal, machine


def build_of(project: Path, *experiments: Experiment) -> Path:
    build = write_build(project, experiments)
    (build / "xpc.pyz").write_bytes(archive.build())
    return build


def start(project: Path, build: Path, array: str = "train-1", index: int = 0, **env: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-I", str(build / "xpc.pyz"), "task", "--project", str(project)]
    command += ["--build", str(build), "--array", array, "--index", str(index)]
    return subprocess.Popen(command, cwd="/", text=True, stderr=subprocess.PIPE, env={**os.environ, **env})


def task(project: Path, build: Path, array: str = "train-1", index: int = 0, **env: str) -> tuple[int, str]:
    """Run a task to its end; give its exit status and what it said."""
    with start(project, build, array, index, **env) as running:
        _, said = running.communicate(timeout=30)
    return running.returncode, said


def folder(project: Path, experiment: str = "train", n: int = 0) -> Path:
    return project / "runs" / experiment / run_id(experiment, n)


def lines(project: Path, attempt: int = 1) -> dict[str, dict[str, Any]]:
    name = "run.jsonl" if attempt == 1 else f"run.{attempt}.jsonl"
    return {line["event"]: line for line in map(json.loads, (folder(project) / name).read_text().splitlines())}


def wait_until(happened: Callable[[], object], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def pid_in(path: Path) -> int:
    wait_until(lambda: path.exists() and path.read_text().endswith("\n"))
    return int(path.read_text())


def test_done_and_done_already(tmp_path: Path) -> None:
    """A task that goes well says nothing; the second time there is nothing to do, and that is no failure."""
    build = build_of(tmp_path, Experiment("train", 'echo "run $1"'))

    assert task(tmp_path, build) == (0, "")
    end = lines(tmp_path)["end"]
    assert (end["state"], end["exit"], end["signal"], end["reason"]) == ("done", 0, None, None)
    assert (folder(tmp_path) / "stdout.log").read_text() == "run 0\n"
    assert sorted(path.name for path in folder(tmp_path).iterdir()) == ["config.json", "run.jsonl", "stdout.log"]
    assert task(tmp_path, build) == (0, "")
    assert not (folder(tmp_path) / "run.2.jsonl").exists()


@pytest.mark.parametrize("code", [1, 3, 74, 75, 76, 99])
def test_own_failure_is_1(tmp_path: Path, code: int) -> None:
    """A program's exit status is recorded, and never taken for one of the shim's."""
    build = build_of(tmp_path, Experiment("train", f"exit {code}"))

    assert task(tmp_path, build)[0] == 1
    assert (lines(tmp_path)["end"]["state"], lines(tmp_path)["end"]["exit"]) == ("failed", code)


@pytest.mark.parametrize(
    ("script", "state"),
    [
        ("kill -SEGV $$", "failed"),
        ("kill -ABRT $$", "failed"),
        ("kill -KILL $$", "killed"),
        ("kill -TERM $$", "killed"),
        ("sh -c 'kill -SEGV $$'", "failed"),
        ("sh -c 'kill -KILL $$'", "killed"),
    ],
)
def test_ended_by_a_signal(tmp_path: Path, script: str, state: str) -> None:
    """A crash is the program's own doing, KILL and TERM come from outside; a shell in between changes nothing."""
    build = build_of(tmp_path, Experiment("train", script))

    assert task(tmp_path, build)[0] == 1
    assert lines(tmp_path)["end"]["state"] == state


def test_command_that_does_not_exist(tmp_path: Path) -> None:
    """It failed as in a shell, and says which word was not found."""
    build = build_of(tmp_path, Experiment("train", argv=["trian.py", "--lr", "1"]))
    end_of = lambda: lines(tmp_path)["end"]  # noqa: E731

    assert task(tmp_path, build)[0] == 1
    assert (end_of()["state"], end_of()["exit"], end_of()["reason"]) == ("failed", 127, "command not found: trian.py")


def test_missing_output(tmp_path: Path) -> None:
    """Exit 0 without a declared output is a failure that names it."""
    build = build_of(tmp_path, Experiment("train", "true", outputs={"model": "model.pt"}))

    assert task(tmp_path, build)[0] == 1
    end = lines(tmp_path)["end"]
    assert (end["state"], end["exit"], end["outputs"]) == ("failed", 0, {})
    assert "model.pt" in end["reason"]


def test_output_of_an_earlier_attempt_is_marked(tmp_path: Path) -> None:
    """A file that a failed attempt left and the next did not touch is carried, one that it wrote is not."""
    script = 'if [ "$XPC_ATTEMPT" = 1 ]; then echo 1 > old; exit 1; fi; echo 2 > new'
    build = build_of(tmp_path, Experiment("train", script, outputs={"old": "old", "new": "new"}))

    assert [task(tmp_path, build)[0], task(tmp_path, build)[0]] == [1, 0]
    outputs = lines(tmp_path, 2)["end"]["outputs"]
    assert outputs["old"] == {"path": "files/old", "bytes": 2, "carried": True}
    assert outputs["new"] == {"path": "files/new", "bytes": 2, "carried": False}


def test_time_limit(tmp_path: Path) -> None:
    """A program over its time is asked to leave, and the run is a timeout even if it then exits with 0."""
    script = "trap 'exit 0' TERM; while :; do sleep 0.05; done"
    build = build_of(tmp_path, Experiment("train", script, request=[{"time": 0.3}]))

    assert task(tmp_path, build)[0] == 1
    assert lines(tmp_path)["end"]["state"] == "timeout"


def test_memory_limit(tmp_path: Path) -> None:
    """What a run's processes use together is measured, and told beside what they may use."""
    hungry = "x = bytearray(200 << 20)\nimport time; time.sleep(30)"
    experiment = Experiment("train", argv=[sys.executable, "-c", hungry], request=[{"memory": 100 << 20}])

    assert task(tmp_path, build_of(tmp_path, experiment))[0] == 1
    end = lines(tmp_path)["end"]
    assert (end["state"], end["reason"][-7:]) == ("oom", "100 MiB")
    assert end["peak_memory"] > 100 << 20


def test_parent_that_is_not_done(tmp_path: Path) -> None:
    """The child must not look done to a scheduler, writes nothing, and names its parent."""
    build = build_of(tmp_path, Experiment("train"), Experiment("eval", after={"train": [[0]]}))
    parent = f"runs/train/{run_id('train', 0)}"

    assert task(tmp_path, build, "eval-1") == (
        76,
        f"eval {run_id('eval', 0)[:7]}: its parent in {parent} is not done\n",
    )
    assert not folder(tmp_path, "eval").exists()


def test_terminated_task(tmp_path: Path) -> None:
    """TERM to the shim reaches the program; the end is on record."""
    build = build_of(tmp_path, Experiment("train", "echo $$ > pid; sleep 60"))
    with start(tmp_path, build) as running:
        program = pid_in(folder(tmp_path) / "files/pid")
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 1

    assert lines(tmp_path)["end"]["state"] == "killed"
    assert machine.start_time(program) is None


def test_program_that_ignores_term_is_killed_by_the_second(tmp_path: Path) -> None:
    """Whoever asks twice does not wait for the grace to pass."""
    script = "trap '' TERM INT; echo $$ > pid; while :; do sleep 0.1; done"
    build = build_of(tmp_path, Experiment("train", script))
    with start(tmp_path, build) as running:
        program = pid_in(folder(tmp_path) / "files/pid")
        running.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert machine.start_time(program) is not None
        running.send_signal(signal.SIGINT)
        assert running.wait(10) == 1

    assert lines(tmp_path)["end"]["state"] == "cancelled"
    assert machine.start_time(program) is None


def test_killed_shim(tmp_path: Path) -> None:
    """KILL leaves no end line and the program alive: the run is held until that is gone, and then goes on."""
    script = 'echo $$ > pid; [ "$XPC_ATTEMPT" = 2 ] || sleep 60'
    build = build_of(tmp_path, Experiment("train", script))
    with start(tmp_path, build) as running:
        program = pid_in(folder(tmp_path) / "files/pid")
        wait_until(lambda: '"start"' in (folder(tmp_path) / "run.jsonl").read_text())
        running.kill()
    assert set(lines(tmp_path)) == {"claim", "start"}

    status, said = task(tmp_path, build)
    assert (status, said.split(" is held by")[0]) == (75, f"train {run_id('train', 0)[:7]}: attempt 1")
    os.killpg(program, signal.SIGKILL)
    wait_until(lambda: machine.start_time(program) is None)
    assert task(tmp_path, build) == (0, "")
    assert lines(tmp_path, 2)["end"]["state"] == "done"


def test_program_that_becomes_a_daemon(tmp_path: Path) -> None:
    """What left its session and its parent is still the run's: it ends with it."""
    daemon = (
        "import os, sys, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        open('pid', 'w').write('%d\\n' % os.getpid())\n"
        "        time.sleep(60)\n"
        "    os._exit(0)\n"
        "while not os.path.exists('pid'): time.sleep(0.01)\n"
    )
    build = build_of(tmp_path, Experiment("train", argv=[sys.executable, "-c", daemon]))

    assert task(tmp_path, build) == (0, "")
    assert machine.start_time(pid_in(folder(tmp_path) / "files/pid")) is None


def test_much_output(tmp_path: Path) -> None:
    """Output goes straight to the file, whole."""
    build = build_of(tmp_path, Experiment("train", "head -c 20000000 /dev/zero"))

    assert task(tmp_path, build) == (0, "")
    assert (folder(tmp_path) / "stdout.log").stat().st_size == 20_000_000


def test_secret_is_passed_on_and_not_recorded(tmp_path: Path) -> None:
    """A program sees it; a record that would hold its value shows stars."""
    build = build_of(tmp_path, Experiment("train", argv=["sh", "-c", 'test "$TOKEN" = s3cret-value', "s3cret-value"]))
    plan = json.loads((build / "plan.json").read_text())
    plan["experiments"]["train"]["environment"]["secrets"] = ["TOKEN"]
    (build / "plan.json").write_text(json.dumps(plan))

    assert task(tmp_path, build, TOKEN="s3cret-value") == (0, "")  # noqa: S106  # it is meant to look like one
    assert "s3cret-value" not in (folder(tmp_path) / "run.jsonl").read_text()
    assert lines(tmp_path)["start"]["command"][-1] == "***"


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser writes into read-only folders")
def test_read_only_project(tmp_path: Path) -> None:
    """A run that can't be claimed is not recorded, and says why."""
    build = build_of(tmp_path, Experiment("train"))
    (tmp_path / "runs").mkdir(mode=0o555)

    assert task(tmp_path, build)[0] == 74


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """The same where the superuser tests: something else stands in the way."""
    build = build_of(tmp_path, Experiment("train"))
    (tmp_path / "runs").write_text("")
    status, said = task(tmp_path, build)

    assert (status, said.split(": ")[1]) == (74, "can't be claimed")


@pytest.fixture(name="small_disk")
def _small_disk(tmp_path: Path) -> Any:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], capture_output=True)
    if mounted.returncode:
        pytest.skip("no small disk can be mounted here")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def test_full_disk(tmp_path: Path, small_disk: Path) -> None:
    """The end is on record as it was, or the task says that it could not be recorded: never 0."""
    build = build_of(small_disk, Experiment("train", "head -c 10000000 /dev/zero"))
    status, _ = task(small_disk, build)

    assert status in (1, 74)
    if status == 1:
        assert lines(small_disk)["end"]["state"] == "failed"
    else:
        assert "end" not in lines(small_disk)


def test_lost_record(tmp_path: Path, small_disk: Path) -> None:
    """A disk that takes the claim and not the end line: 74, so that no child goes on."""
    # The journal's last page is filled too: the end line would fit into what is left of it.
    fill = 'j="$XPC_RUN_DIR/run.jsonl"; head -c $((4096 - $(stat -c %s "$j") % 4096)) /dev/zero | tr "\\0" x >> "$j"'
    build = build_of(small_disk, Experiment("train", f"{fill}; head -c 10000000 /dev/zero > big || true"))
    status, said = task(small_disk, build)

    assert (status, "can't be recorded" in said) == (74, True)
    assert journal.read(str(folder(small_disk) / "run.jsonl")).state is None


def test_whole_array_by_hand(tmp_path: Path) -> None:
    """`array` runs all tasks one after the other, and fails if one did."""
    build = build_of(tmp_path, Experiment("train", '[ "$1" != 1 ]', runs=3))
    command = [sys.executable, str(build / "xpc.pyz"), "array", "--build", str(build), "--array", "train-1"]
    status = subprocess.run(command, cwd=tmp_path, capture_output=True).returncode
    states = [json.loads((folder(tmp_path, n=n) / "run.jsonl").read_text().splitlines()[-1])["state"] for n in range(3)]

    assert (status, states) == (1, ["done", "failed", "done"])


def test_archive_is_the_same_bytes_each_time() -> None:
    """No time, no order of a folder, no place gets in."""
    assert archive.build() == archive.build()
    assert archive.build().startswith(b"#!/usr/bin/env python3\n")


def test_container_is_never_left_out(tmp_path: Path) -> None:
    """A run that asks for a container does not run on the bare host instead."""
    build = build_of(tmp_path, Experiment("train", "touch ran"))
    plan = json.loads((build / "plan.json").read_text())
    declared = {"image": ["debian"], "runtime": "apptainer", "mounts": []}
    plan["experiments"]["train"]["environment"]["container"] = declared
    (build / "plan.json").write_text(json.dumps(plan))

    assert task(tmp_path, build, PATH="/nowhere")[0] == 1
    assert lines(tmp_path)["end"]["reason"] == "command not found: apptainer"
    assert not (folder(tmp_path) / "files/ran").exists()
