"""Submitting to this machine: what is sent, what stops it, and that nothing is lost when it is killed."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hand_build import Experiment, run_id, write_build

from xpc.grammar.diagnostic import Diagnostics
from xpc.runtime.executor import Silent
from xpc.runtime.lock import NAME
from xpc.runtime.records import RunRecord, read_run
from xpc.runtime.schedulers.local import submit
from xpc.runtime.selection import Standing, select
from xpc.runtime.shim import machine
from xpc.runtime.submissions import read_submissions

DRIVER = str(Path(__file__).with_name("submit_driver.py"))


def start(project: Path, experiments: Sequence[Experiment], *options: str, **build: Any) -> "subprocess.Popen[str]":
    """Begin to submit all runs of a build, in the background."""
    folder = write_build(project, experiments, **build)
    command = [sys.executable, DRIVER, str(project), str(folder), str(sum(e.runs for e in experiments)), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(submit: "subprocess.Popen[str]") -> tuple[int, dict[str, Any], str]:
    """Wait for it; give its status, what it found, and what it said."""
    out, err = submit.communicate(timeout=30)
    return submit.returncode, json.loads(out) if out else {}, err


def run(project: Path, experiments: Sequence[Experiment], *options: str, **build: Any) -> dict[str, Any]:
    return finish(start(project, experiments, *options, **build))[1]


def folder(project: Path, n: int = 0, experiment: str = "train") -> Path:
    return project / "runs" / experiment / run_id(experiment, n)


def record(project: Path, n: int = 0, experiment: str = "train") -> RunRecord:
    found = read_run(folder(project, n, experiment))
    assert found is not None
    return found


def wait_for(condition: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def printed(project: Path, n: int = 0, name: str = "stdout.log") -> str:
    path = folder(project, n) / name
    return path.read_text() if path.exists() else ""


# ---------------------------------------------------------------------- what is sent


def test_second_submit_resumes(tmp_path: Path) -> None:
    """Done runs are not run again, new ones are; each submit leaves its own file with a beginning and an end."""
    experiment = Experiment("train", runs=2)
    assert run(tmp_path, [experiment])["counts"] == {"train": {"done": 2}}

    experiment.runs = 3
    found = run(tmp_path, [experiment])

    assert (found["done"], found["send"], found["counts"]) == ([0, 1], [2], {"train": {"done": 1}})
    assert [(s.rows, s.ended) for s in read_submissions(tmp_path)] == [
        ({"train": [(0, 2)]}, True),
        ({"train": [(2, 1)]}, True),
    ]
    assert not (tmp_path / NAME).exists()
    assert (tmp_path / "runs/.gitignore").read_text().endswith("*\n")


def test_failure_is_sent_again_once_its_code_has_changed(tmp_path: Path) -> None:
    """With the same fingerprint and request it is left and named; with another one it is tried again."""
    experiment = Experiment("train", "[ -e ../../../../mended ]")
    run(tmp_path, [experiment])
    found = run(tmp_path, [experiment])
    assert (found["faults"], found["send"]) == ([0], [])

    experiment.request = [{"time": 3600}]
    assert run(tmp_path, [experiment])["send"] == [0]

    experiment.fingerprint = "b"
    (tmp_path / "mended").touch()
    assert run(tmp_path, [experiment])["counts"] == {"train": {"done": 1}}
    assert record(tmp_path).attempt == 3


def test_request_that_grows_with_the_attempt_has_not_changed(tmp_path: Path) -> None:
    """A second attempt would ask for more anyway: that alone sends nothing again."""
    experiment = Experiment("train", "false", request=[{"time": 60}, {"time": 120}])
    run(tmp_path, [experiment])

    assert run(tmp_path, [experiment])["faults"] == [0]


def test_retry_sends_what_failed_and_nothing_else(tmp_path: Path) -> None:
    """`xpc retry` runs the failures again, whatever their code."""
    experiment = Experiment("train", '[ "$1" = 0 ] || [ -e ../../../../mended ]', runs=2)
    run(tmp_path, [experiment])
    (tmp_path / "mended").touch()
    experiment.runs = 3
    found = run(tmp_path, [experiment], "--retry")

    assert (found["send"], found["counts"]) == ([1], {"train": {"done": 1}})


def test_children_of_what_is_left_are_blocked(tmp_path: Path) -> None:
    """A child of a failure that is not sent again is not sent either, nor are its own children."""
    train = Experiment("train", "exit $1", runs=2)
    evaluate = Experiment("evaluate", runs=2, after={"train": [[0], [1]]})
    last = Experiment("ensemble", after={"evaluate": [[0, 1]]})
    run(tmp_path, [train, evaluate, last])
    found = run(tmp_path, [train, evaluate, last])

    assert (found["done"], found["faults"], found["blocked"], found["send"]) == ([0, 2], [1], [3, 4], [])


@pytest.mark.parametrize(
    ("state", "same", "place"),
    [
        ("planned", True, "send"),
        ("killed", True, "send"),
        ("lost", True, "send"),
        ("cancelled", True, "send"),
        ("skipped", True, "send"),
        ("failed", True, "faults"),
        ("timeout", True, "faults"),
        ("oom", True, "faults"),
        ("oom", False, "send"),
        ("done", False, "done"),
        ("running", False, "busy"),
        ("queued", True, "busy"),
        ("broken", True, "broken"),
    ],
)
def test_selection(state: Any, same: bool, place: str) -> None:
    """What a submit does with a run in each state."""
    assert getattr(select([Standing(7, state, same)]), place) == [7]


# ---------------------------------------------------------------------- two at once


def test_second_submit_at_the_same_time_leaves(tmp_path: Path) -> None:
    """It says who submits and ends with status 1; the first one goes on undisturbed."""
    experiment = Experiment("train", "echo up; while [ ! -e ../../../../go ]; do sleep 0.05; done")
    first = start(tmp_path, [experiment])
    wait_for(lambda: printed(tmp_path))
    status, found, _ = finish(start(tmp_path, [experiment]))
    (tmp_path / "go").touch()

    assert status == 1
    ((code, message),) = found["refused"]
    assert code == "XS001"
    assert message.startswith("another submit of this project goes on: ")
    assert message.endswith(f", process {first.pid}")
    assert finish(first)[1]["counts"] == {"train": {"done": 1}}
    assert record(tmp_path).attempt == 1


# ---------------------------------------------------------------------- stopping


def test_interrupt_stops_cleanly(tmp_path: Path) -> None:
    """Ctrl-C: running runs get TERM and are cancelled, queued ones stay planned, and a second submit does the rest."""
    experiment = Experiment("train", "echo up; [ -e ../../../../go ] || sleep 20", runs=4)
    submit = start(tmp_path, [experiment], "--jobs", "2")
    wait_for(lambda: printed(tmp_path, 0) and printed(tmp_path, 1))
    submit.send_signal(signal.SIGINT)
    status, found, said = finish(submit)

    assert status == 130
    assert found["counts"] == {"train": {"cancelled": 2, "planned": 2}}
    assert "Stopped: 2 cancelled, 2 planned" in said
    end = record(tmp_path, 0).end
    assert end is not None
    assert (end["state"], end["signal"], end["reason"]) == ("cancelled", "SIGTERM", "interrupted")
    assert not folder(tmp_path, 2).exists()
    assert not (tmp_path / NAME).exists()

    (tmp_path / "go").touch()
    assert run(tmp_path, [experiment])["counts"] == {"train": {"done": 4}}


def test_second_interrupt_kills(tmp_path: Path) -> None:
    """Who can't wait for a program that ignores TERM presses Ctrl-C again."""
    experiment = Experiment("train", "trap '' TERM; echo up; sleep 60; sleep 60")
    submit = start(tmp_path, [experiment], "--grace", "60")
    wait_for(lambda: printed(tmp_path))
    began = time.monotonic()
    submit.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert submit.poll() is None
    submit.send_signal(signal.SIGINT)
    status, found, _ = finish(submit)

    assert time.monotonic() - began < 30
    assert (status, found["counts"]) == (130, {"train": {"cancelled": 1}})
    end = record(tmp_path).end
    assert end is not None
    assert end["signal"] == "SIGKILL"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_stop_cleanly_too(tmp_path: Path, number: signal.Signals) -> None:
    """A closed terminal or a shutdown cancels as Ctrl-C does."""
    submit = start(tmp_path, [Experiment("train", "echo up; sleep 20")])
    wait_for(lambda: printed(tmp_path))
    submit.send_signal(number)
    status, found, _ = finish(submit)

    assert (status, found["counts"]) == (128 + number, {"train": {"cancelled": 1}})


# ---------------------------------------------------------------------- kill -9


def test_program_that_outlived_its_submit_is_waited_for(tmp_path: Path) -> None:
    """After kill -9 the next submit waits for the live program, then runs it again: never two at once."""
    script = "echo up; mkdir ../../../../alone; sleep 0.8; rmdir ../../../../alone"
    experiment = Experiment("train", script)
    first = start(tmp_path, [experiment])
    wait_for(lambda: (tmp_path / "alone").exists())
    first.kill()
    first.communicate()
    status, found, said = finish(start(tmp_path, [experiment]))

    assert (status, found["counts"]) == (0, {"train": {"done": 1}})
    assert f"train {run_id('train', 0)[:7]} still runs (process" in said
    assert printed(tmp_path, name="stdout.2.log") == "up\n"
    assert printed(tmp_path, name="stderr.2.log") == ""
    assert record(tmp_path).attempt == 2


def test_daemon_that_outlived_all_is_waited_for(tmp_path: Path) -> None:
    """The program is gone, but something that it started still works in its folder."""
    script = "[ -e ../../../../second ] && exit; (setsid sh -c 'echo $$; sleep 1; echo end' &); sleep 20"
    experiment = Experiment("train", script)
    first = start(tmp_path, [experiment])
    wait_for(lambda: printed(tmp_path))
    first.kill()
    first.communicate()
    start_line = record(tmp_path).start
    assert start_line is not None
    os.kill(start_line["program"]["pid"], signal.SIGKILL)
    (tmp_path / "second").touch()
    began = time.monotonic()
    found = run(tmp_path, [experiment])

    assert found["counts"] == {"train": {"done": 1}}
    assert printed(tmp_path).endswith("end\n")
    assert time.monotonic() - began > 0.3


def test_interrupt_leaves_what_another_submit_left(tmp_path: Path) -> None:
    """A program that is only waited for is not killed by Ctrl-C; its run stays planned."""
    experiment = Experiment("train", "echo $$; sleep 3")
    first = start(tmp_path, [experiment])
    wait_for(lambda: printed(tmp_path))
    first.kill()
    first.communicate()
    second = start(tmp_path, [experiment])
    wait_for(lambda: len(read_submissions(tmp_path)) == 2)
    time.sleep(0.2)
    second.send_signal(signal.SIGINT)
    status, found, _ = finish(second)
    pid = int(printed(tmp_path))

    assert (status, found["counts"]) == (130, {"train": {"planned": 1}})
    os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("seed", range(4))
def test_killed_at_any_moment_and_submitted_again(tmp_path: Path, seed: int) -> None:
    """In the end each run is done, each result is whole, and none ran twice at once."""
    dice = random.Random(seed)  # noqa: S311  # moments, not secrets
    script = "mkdir ../busy-$1; echo $1 > out.txt; sleep 0.0$(($1 % 5)); rmdir ../busy-$1"
    experiments = [
        Experiment("train", script, runs=12, outputs={"out": "out.txt"}),
        Experiment("evaluate", "true", runs=12, after={"train": [[n] for n in range(12)]}),
    ]
    for _ in range(5):
        submit = start(tmp_path, experiments)
        time.sleep(dice.uniform(0.1, 0.5))
        submit.kill()
        submit.communicate()
    status, found, said = finish(start(tmp_path, experiments))
    done_before = len(found["done"])

    assert (status, done_before + sum(c.get("done", 0) for c in found["counts"].values())) == (0, 24), said
    for n in range(12):
        assert record(tmp_path, n).end["state"] == "done"  # type: ignore[index]
        assert (folder(tmp_path, n) / "files/out.txt").read_text() == f"{n}\n"
        logs = [path.read_text() for path in folder(tmp_path, n).glob("stderr*.log")]
        assert not any("busy" in log for log in logs)


# ---------------------------------------------------------------------- retry


def test_retry_takes_the_skipped_children_along(tmp_path: Path) -> None:
    """What was skipped because of a failure runs after its second attempt."""
    train = Experiment("train", "[ -e ../../../../mended ]")
    evaluate = Experiment("evaluate", after={"train": [[0]]})
    assert run(tmp_path, [train, evaluate])["counts"] == {"train": {"failed": 1}, "evaluate": {"skipped": 1}}

    (tmp_path / "mended").touch()
    found = run(tmp_path, [train, evaluate], "--retry")

    assert found["counts"] == {"train": {"done": 1}, "evaluate": {"done": 1}}


def test_retry_of_a_named_run_takes_it_alone(tmp_path: Path) -> None:
    """Of two failures the named one is run again; a named run that was cancelled too."""
    experiment = Experiment("train", "exit 1", runs=2)
    run(tmp_path, [experiment])
    found = run(tmp_path, [experiment], "--retry", "--named", "--row", "1")

    assert found["send"] == [1]
    assert (record(tmp_path, 0).attempt, record(tmp_path, 1).attempt) == (1, 2)


def pretend_elsewhere(project: Path) -> None:
    """Make a journal without an end, claimed on another host."""
    path = folder(project) / "run.jsonl"
    claim = json.loads(path.read_text().splitlines()[0])
    path.write_text(json.dumps({**claim, "host": "cn7", "user": "ada", "time": "2026-11-21T09:30:00.000Z"}) + "\n")


def test_run_of_another_host_is_left_until_a_person_releases_it(tmp_path: Path) -> None:
    """Nobody here can see whether it lives: it is never taken over by itself, and the way out is named."""
    experiment = Experiment("train")
    run(tmp_path, [experiment])
    pretend_elsewhere(tmp_path)
    short = run_id("train", 0)[:7]

    assert run(tmp_path, [experiment])["busy"] == [0]
    assert run(tmp_path, [experiment], "--retry", "--named")["refused"] == [
        ["XS002", f"run `{short}` of `train` has no end, and may still run on cn7"]
    ]
    assert not (folder(tmp_path) / "run.2.jsonl").exists()

    found = run(tmp_path, [experiment], "--retry", "--named", "--release")
    assert found["counts"] == {"train": {"done": 1}}
    assert record(tmp_path).attempt == 2
    assert json.loads((folder(tmp_path) / "run.1.release.jsonl").read_text())["event"] == "release"


def test_damaged_record_is_left_until_a_person_releases_it(tmp_path: Path) -> None:
    """It goes on as the next attempt: no number is given twice, and what was there stays, its `done` of no value."""
    experiment = Experiment("train")
    run(tmp_path, [experiment])
    path = folder(tmp_path) / "run.jsonl"
    claim, *others = path.read_text().splitlines(keepends=True)
    damaged = claim[: len(claim) // 2] + "\n" + "".join(others)
    path.write_text(damaged)
    short = run_id("train", 0)[:7]

    assert run(tmp_path, [experiment])["broken"] == [0]
    told = f"run `{short}` of `train` has a damaged record, and nobody can tell whether it has ended: "
    refused = run(tmp_path, [experiment], "--retry", "--named")["refused"]
    assert refused == [["XS002", told + "its journal has no claim"]]

    assert run(tmp_path, [experiment], "--retry", "--named", "--release")["counts"] == {"train": {"done": 1}}
    assert (record(tmp_path).attempt, path.read_text()) == (2, damaged)
    assert run(tmp_path, [experiment])["done"] == [0]


def test_damaged_record_of_a_program_that_lives_can_not_be_released(tmp_path: Path) -> None:
    """Its processes are found by what they were told, whatever has become of the record."""
    experiment = Experiment("train")
    run(tmp_path, [experiment])
    (folder(tmp_path) / "run.jsonl").write_text("{}\n[]\n")
    program = subprocess.Popen(["sleep", "60"], env={**os.environ, "XPC_RUN_DIR": str(folder(tmp_path))})
    try:
        found = run(tmp_path, [experiment], "--retry", "--named", "--release")
    finally:
        program.kill()
        program.wait()

    assert found["refused"] == [["XS002", f"run `{run_id('train', 0)[:7]}` of `train` still runs on this machine"]]


def test_closed_record_can_not_be_released(tmp_path: Path) -> None:
    """It is not damaged. (A link to itself can be opened by nobody, root included.)"""
    experiment = Experiment("train")
    run(tmp_path, [experiment])
    path = folder(tmp_path) / "run.jsonl"
    path.unlink()
    path.symlink_to("run.jsonl")
    found = run(tmp_path, [experiment], "--retry", "--named", "--release")

    told = f"run `{run_id('train', 0)[:7]}` of `train` can't be tried again: its journal can't be read: "
    assert [code for code, _ in found["refused"]] == ["XS002"]
    assert found["refused"][0][1].startswith(told)
    assert not os.path.lexists(folder(tmp_path) / "run.1.release.jsonl")


def test_run_that_lives_here_can_not_be_released(tmp_path: Path) -> None:
    """Who wants it to end stops it; a release would make two of it."""
    experiment = Experiment("train")
    run(tmp_path, [experiment])
    path = folder(tmp_path) / "run.jsonl"
    claim = json.loads(path.read_text().splitlines()[0])
    path.write_text(json.dumps({**claim, "shim": machine.process(os.getpid())}) + "\n")
    found = run(tmp_path, [experiment], "--retry", "--named", "--release")

    assert found["refused"] == [["XS002", f"run `{run_id('train', 0)[:7]}` of `train` still runs on this machine"]]


def test_build_that_is_not_whole(tmp_path: Path) -> None:
    """It is refused as a whole, before anything is written."""
    build = write_build(tmp_path, [Experiment("train")])
    (build / "plan.json").unlink()
    diagnostics = Diagnostics()

    assert submit(tmp_path, build, [0], diagnostics, reporter=Silent()) is None
    assert [d.code for d in diagnostics.found] == ["XS003"]
    assert not (tmp_path / "runs").exists()
