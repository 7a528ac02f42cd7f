"""The executor with real programs: limits, retries, dependencies, GPUs, what programs leave behind."""

import errno
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from hand_build import Experiment, run_id, write_build

from xpc.runtime.executor import Limits, Outcome, Rules, Silent, execute
from xpc.runtime.executor.gpus import CUDA, Device, Gpus
from xpc.runtime.executor.outcome import Failure
from xpc.runtime.shim.attempt import Attempt
from xpc.runtime.shim.build_folder import Build
from xpc.runtime.shim.place import Place


class Listener(Silent):
    """Remembers what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.failures: list[tuple[Failure, bool]] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def ended(self, experiment: str, state: str, failure: Failure | None, again: bool) -> None:
        if failure is not None:
            self.failures.append((failure, again))


def limits(cpus: int = 2, memory: int | None = None, gpus: Sequence[str] = ()) -> Limits:
    return Limits(cpus, memory, Gpus(CUDA, tuple(Device(name, f"test-{os.getpid()}-{name}") for name in gpus)))


def run_all(
    project: Path,
    experiments: Sequence[Experiment],
    machine: Limits | None = None,
    *,
    listener: Listener | None = None,
    rows: Sequence[int] | None = None,
    **rules: Any,
) -> Outcome:
    """Build and run all rows (or some) with a short grace and frequent samples."""
    build = write_build(project, experiments)
    place = Place(str(project), Build(str(build)), {**os.environ, "XDG_RUNTIME_DIR": str(project)})
    chosen = range(sum(e.runs for e in experiments)) if rows is None else rows
    rules = {"grace": 0.3, "sample": 0.05, **rules}
    with closing(place.build):
        return execute(place, list(chosen), machine or limits(), listener or Listener(), Rules(**rules))


def folder(project: Path, experiment: str = "train", n: int = 0) -> Path:
    return project / "runs" / experiment / run_id(experiment, n)


def lines(project: Path, experiment: str = "train", n: int = 0, attempt: int = 1) -> dict[str, dict[str, Any]]:
    """Give the lines of a journal by event."""
    name = "run.jsonl" if attempt == 1 else f"run.{attempt}.jsonl"
    journal = (folder(project, experiment, n) / name).read_text().splitlines()
    return {line["event"]: line for line in map(json.loads, journal)}


def counts(outcome: Outcome) -> dict[str, dict[str, int]]:
    return {name: dict(counted) for name, counted in outcome.counts.items()}


def gone(pid: int) -> bool:
    """Tell whether a process has ended (a zombie has)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] in "ZX"
    except OSError:
        return True


def test_runs_leave_full_records(tmp_path: Path) -> None:
    """Each run has a claim, a start and an end line, its output and its config."""
    outcome = run_all(tmp_path, [Experiment("train", "echo out $1; echo err >&2", runs=3)])

    assert counts(outcome) == {"train": {"done": 3}}
    assert outcome.status == 0
    for n in range(3):
        journal = lines(tmp_path, n=n)
        assert journal["claim"]["scheduler"]["kind"] == "local"
        assert journal["claim"]["values"] == {"n": n}
        assert journal["end"]["state"] == "done"
        assert journal["end"]["peak_memory"] > 0
        assert (folder(tmp_path, n=n) / "stdout.log").read_text() == f"out {n}\n"
        assert (folder(tmp_path, n=n) / "stderr.log").read_text() == "err\n"


def test_as_many_at_once_as_there_is_room(tmp_path: Path) -> None:
    """Of four runs on two processors each has another one beside it, and none has two."""
    log = tmp_path / "log"
    together = f"""
        echo + >> {log}
        until [ "$(grep -c + {log})" -ge $(( $1 < 2 ? 2 : 4 )) ]; do sleep 0.01; done
        sleep 0.1
        echo - >> {log}
    """
    outcome = run_all(tmp_path, [Experiment("train", together, runs=4)])

    assert outcome.status == 0
    steps = (1 if line == "+" else -1 for line in log.read_text().split())
    assert max(accumulate(steps)) == 2


def test_failure_is_explained(tmp_path: Path) -> None:
    """The exit code, the last line on stderr and the log's path come along."""
    listener = Listener()
    outcome = run_all(tmp_path, [Experiment("train", "echo 'ValueError: no' >&2; exit 3")], listener=listener)
    expected = Failure(
        run=run_id("train", 0),
        experiment="train",
        attempt=1,
        state="failed",
        reason="exit status 3",
        said="ValueError: no",
        log=f"runs/train/{run_id('train', 0)}/stderr.log",
    )

    assert outcome.failures == [expected]
    assert listener.failures == [(expected, False)]
    assert outcome.status == 1
    assert lines(tmp_path)["end"]["exit"] == 3


def test_command_that_is_not_there(tmp_path: Path) -> None:
    """A program that can't be started fails with a reason that says so, and has an end line."""
    outcome = run_all(tmp_path, [Experiment("train", argv=["no-such-program"])])

    assert [failure.why for failure in outcome.failures] == ["command not found: no-such-program"]
    assert lines(tmp_path)["end"]["state"] == "failed"


def test_missing_output_fails_the_run(tmp_path: Path) -> None:
    """Exit status 0 alone is not enough when an output was promised."""
    outcome = run_all(tmp_path, [Experiment("train", "true", outputs={"model": "model.pt"})])

    assert [failure.why for failure in outcome.failures] == ["output missing: model.pt"]


def test_done_run_is_not_run_again(tmp_path: Path) -> None:
    """A second execution of the same rows does nothing, and counts them as done."""
    experiment = Experiment("train", "echo again")
    run_all(tmp_path, [experiment])
    outcome = run_all(tmp_path, [experiment])

    assert counts(outcome) == {"train": {"done": 1}}
    assert not (folder(tmp_path) / "run.2.jsonl").exists()


# ---------------------------------------------------------------------- dependencies


def test_children_run_after_their_parents(tmp_path: Path) -> None:
    """A child finds what its parent has written."""
    parent = Experiment("train", "sleep 0.1; echo model > model.pt", runs=2, outputs={"model": "model.pt"})
    read = "cat ../../../train/*/files/model.pt"
    child = Experiment("evaluate", read, runs=2, after={"train": [[0], [1]]})
    last = Experiment("ensemble", read, after={"evaluate": [[0, 1]]})
    outcome = run_all(tmp_path, [parent, child, last])

    assert counts(outcome) == {"train": {"done": 2}, "evaluate": {"done": 2}, "ensemble": {"done": 1}}
    assert (folder(tmp_path, "ensemble") / "stdout.log").read_text() == "model\nmodel\n"


def test_children_of_a_failed_run_are_skipped(tmp_path: Path) -> None:
    """They are not started and leave no trace; those of the other parents run."""
    parent = Experiment("train", "exit $1", runs=2)
    child = Experiment("evaluate", runs=2, after={"train": [[0], [1]]})
    last = Experiment("ensemble", after={"evaluate": [[0, 1]]})
    outcome = run_all(tmp_path, [parent, child, last])

    assert counts(outcome) == {
        "train": {"done": 1, "failed": 1},
        "evaluate": {"done": 1, "skipped": 1},
        "ensemble": {"skipped": 1},
    }
    assert folder(tmp_path, "evaluate", 0).exists()
    assert not folder(tmp_path, "evaluate", 1).exists()
    assert not folder(tmp_path, "ensemble").exists()


def test_parent_that_is_not_among_the_rows_must_be_done(tmp_path: Path) -> None:
    """Its own records say so, or the child is not started."""
    experiments = [Experiment("train"), Experiment("evaluate", after={"train": [[0]]})]

    assert counts(run_all(tmp_path, experiments, rows=[1])) == {"evaluate": {"skipped": 1}}
    assert not folder(tmp_path, "evaluate").exists()
    run_all(tmp_path, experiments, rows=[0])
    assert counts(run_all(tmp_path, experiments, rows=[1])) == {"evaluate": {"done": 1}}


# ---------------------------------------------------------------------- retries


def test_failed_run_is_tried_again(tmp_path: Path) -> None:
    """The next attempt goes on in the same folder, until it is done."""
    listener = Listener()
    flaky = Experiment("train", 'echo x >> tries; [ "$(wc -l < tries)" = 3 ]', retries=3)
    outcome = run_all(tmp_path, [flaky], listener=listener)

    assert counts(outcome) == {"train": {"done": 1}}
    assert [again for _, again in listener.failures] == [True, True]
    assert [lines(tmp_path, attempt=n)["end"]["state"] for n in (1, 2, 3)] == ["failed", "failed", "done"]
    assert not (folder(tmp_path) / "run.4.jsonl").exists()


def test_retries_end(tmp_path: Path) -> None:
    """After the last allowed attempt the run has failed, once."""
    outcome = run_all(tmp_path, [Experiment("train", "false", retries=2)])

    assert counts(outcome) == {"train": {"failed": 1}}
    assert [failure.attempt for failure in outcome.failures] == [3]


def test_each_attempt_has_its_own_request(tmp_path: Path) -> None:
    """What grows with the attempt is asked for, and enforced, as it grows."""
    growing = [{"time": 1, "cpus": 1}, {"time": 20, "cpus": 2}]
    experiment = Experiment("train", 'echo $XPC_CPUS; [ "$XPC_ATTEMPT" = 2 ] || sleep 20', request=growing, retries=1)
    outcome = run_all(tmp_path, [experiment])

    assert counts(outcome) == {"train": {"done": 1}}
    assert lines(tmp_path)["end"]["state"] == "timeout"
    assert lines(tmp_path)["start"]["request"]["time"] == 1
    assert lines(tmp_path, attempt=2)["start"]["request"]["time"] == 20
    assert (folder(tmp_path) / "stdout.2.log").read_text() == "2\n"


# ---------------------------------------------------------------------- limits

HOG = "import time; x = bytearray(300 << 20); print('full', flush=True); time.sleep(60)"


def test_too_much_memory_is_oom(tmp_path: Path) -> None:
    """A run over its memory is killed, with what it used and what it had."""
    began = time.monotonic()
    experiment = Experiment("train", argv=["python3", "-c", HOG], request=[{"memory": 100 << 20}])
    outcome = run_all(tmp_path, [experiment])
    end = lines(tmp_path)["end"]

    assert counts(outcome) == {"train": {"oom": 1}}
    assert end["peak_memory"] > 100 << 20
    assert end["reason"].startswith("used ")
    assert end["reason"].endswith(" of 100 MiB")
    assert time.monotonic() - began < 30


SHARED = """
import os, time
x = bytearray(60 << 20)
for _ in range(4):
    if not os.fork():
        time.sleep(1)
        os._exit(0)
for _ in range(4):
    os.wait()
"""


def test_memory_that_processes_share_counts_once(tmp_path: Path) -> None:
    """Five processes that share 60 MiB do not use 300."""
    experiment = Experiment("train", argv=["python3", "-c", SHARED], request=[{"memory": 150 << 20}])

    assert counts(run_all(tmp_path, [experiment])) == {"train": {"done": 1}}


def test_memory_of_all_descendants_counts(tmp_path: Path) -> None:
    """A program below a shell that moved to a session of its own is the run's too."""
    experiment = Experiment("train", f'setsid python3 -c "{HOG}"; true', request=[{"memory": 100 << 20}])

    assert counts(run_all(tmp_path, [experiment])) == {"train": {"oom": 1}}


def test_time_limit(tmp_path: Path) -> None:
    """A program that ignores TERM has the grace, then it is killed; all that it started goes with it."""
    script = "trap '' TERM; (trap '' TERM; echo $BASHPID; exec sleep 60) & sleep 60 & wait; sleep 60"
    began = time.monotonic()
    outcome = run_all(tmp_path, [Experiment("train", script, request=[{"time": 1}])])
    end = lines(tmp_path)["end"]

    assert counts(outcome) == {"train": {"timeout": 1}}
    assert (end["state"], end["signal"], end["reason"]) == ("timeout", "SIGKILL", "over the time limit of 1 s")
    assert 1.3 <= time.monotonic() - began < 30
    assert gone(int((folder(tmp_path) / "stdout.log").read_text()))


def test_program_that_leaves_in_time_is_timeout_too(tmp_path: Path) -> None:
    """It may save what it has after TERM; that it then exits with 0 makes it no done run."""
    script = "trap 'echo saved; exit 0' TERM; sleep 20 & wait"
    outcome = run_all(tmp_path, [Experiment("train", script, request=[{"time": 1}])])

    assert counts(outcome) == {"train": {"timeout": 1}}
    assert (folder(tmp_path) / "stdout.log").read_text() == "saved\n"


def test_daemons_end_with_the_run(tmp_path: Path) -> None:
    """What a program leaves running in a session of its own is killed when the program has ended."""
    script = "(setsid bash -c 'echo $$; exec sleep 60' &) ; sleep 0.2"
    began = time.monotonic()
    outcome = run_all(tmp_path, [Experiment("train", script, runs=2)])

    assert counts(outcome) == {"train": {"done": 2}}
    assert time.monotonic() - began < 30
    for n in range(2):
        assert gone(int((folder(tmp_path, n=n) / "stdout.log").read_text()))


def test_killed_from_outside_is_not_failed(tmp_path: Path) -> None:
    """A signal that is not ours and no crash: `killed`, with its name. It is not tried again."""
    outcome = run_all(tmp_path, [Experiment("train", "kill -KILL $$", retries=2)])

    assert counts(outcome) == {"train": {"killed": 1}}
    assert lines(tmp_path)["end"]["signal"] == "SIGKILL"


def test_much_output_goes_to_the_file(tmp_path: Path) -> None:
    """Hundreds of megabytes on stdout don't pass through the executor."""
    experiment = Experiment("train", argv=["head", "-c", "200000000", "/dev/zero"])
    outcome = run_all(tmp_path, [experiment])

    assert counts(outcome) == {"train": {"done": 1}}
    assert (folder(tmp_path) / "stdout.log").stat().st_size == 200_000_000


# ---------------------------------------------------------------------- devices

SHOW = 'echo "$CUDA_VISIBLE_DEVICES"; sleep 0.3'


def devices(project: Path, runs: int, experiment: str = "train") -> list[str]:
    return [(folder(project, experiment, n) / "stdout.log").read_text().strip() for n in range(runs)]


def test_each_run_has_its_own_gpu(tmp_path: Path) -> None:
    """Two at a time with two devices: never the same one, and the journal says which."""
    machine = limits(8, gpus=["3", "5"])
    outcome = run_all(tmp_path, [Experiment("train", SHOW, runs=4, request=[{"gpus": 1}])], machine)

    assert outcome.status == 0
    assert Counter(devices(tmp_path, 4)) == {"3": 2, "5": 2}
    assert set(devices(tmp_path, 2)) == {"3", "5"}
    assert [lines(tmp_path, n=n)["start"]["gpus"] for n in range(4)] == [[d] for d in devices(tmp_path, 4)]


def test_two_gpus_and_none(tmp_path: Path) -> None:
    """A run with two sees both; one without sees none, whatever the user's shell has."""
    experiments = [
        Experiment("train", SHOW, request=[{"gpus": 2}]),
        Experiment("evaluate", 'echo "<${CUDA_VISIBLE_DEVICES-unset}>"'),
    ]
    run_all(tmp_path, experiments, limits(8, gpus=["0", "1"]))

    assert devices(tmp_path, 1) == ["0,1"]
    assert devices(tmp_path, 1, "evaluate") == ["<>"]


def test_run_for_a_gpu_on_a_machine_without(tmp_path: Path) -> None:
    """It runs alone, with one warning for all, and nothing is hidden from it."""
    listener = Listener()
    experiment = Experiment("train", 'echo "<${CUDA_VISIBLE_DEVICES-unset}>"', runs=2, request=[{"gpus": 1}])
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        run_all(tmp_path, [experiment], listener=listener)

    assert devices(tmp_path, 2) == ["<unset>", "<unset>"]
    assert listener.said == ["warning: runs of `train` ask for more than this machine has; they run alone"]


def test_runs_that_ask_too_much_run_alone(tmp_path: Path) -> None:
    """Nothing else is started beside one, and they all run."""
    script = "mkdir ../../../../alone && sleep 0.1 && rmdir ../../../../alone"
    outcome = run_all(tmp_path, [Experiment("train", script, runs=3, request=[{"nodes": 4}])])

    assert counts(outcome) == {"train": {"done": 3}}


def test_device_of_another_executor_is_waited_for(tmp_path: Path) -> None:
    """While another process of this user has the only device, the run waits; others go on."""
    key = f"test-{os.getpid()}-0"
    (tmp_path / "xpc").mkdir()
    script = f"import fcntl, time; f = open({str(tmp_path / 'xpc' / f'gpu-{key}.lock')!r}, 'w'); "
    script += "fcntl.flock(f, fcntl.LOCK_EX); print('locked', flush=True); time.sleep(0.6)"
    experiments = [
        Experiment("train", "date +%s.%N", request=[{"gpus": 1}]),
        Experiment("evaluate", "date +%s.%N"),
    ]
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        outcome = run_all(tmp_path, experiments, limits(4, gpus=["0"]))
        other.returncode = 0  # the executor has reaped it: it takes every child of its process
    began = float((folder(tmp_path, "evaluate") / "stdout.log").read_text())

    assert counts(outcome) == {"train": {"done": 1}, "evaluate": {"done": 1}}
    assert float((folder(tmp_path) / "stdout.log").read_text()) > began + 0.3


# ---------------------------------------------------------------------- what the system refuses


def test_full_disk_stops_starting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An end that can't be recorded: the run is lost, nothing new is started, and the status is 3."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Attempt, "finish", full)
    listener = Listener()
    outcome = run_all(tmp_path, [Experiment("train", runs=3)], listener=listener, jobs=1)
    short = run_id("train", 0)[:7]

    assert counts(outcome) == {"train": {"lost": 1, "planned": 2}}
    assert listener.said == [f"error[XS000]: the end of train {short} can't be recorded: No space left on device"]
    assert outcome.status == 3


def test_folder_that_a_full_disk_refuses_is_sent_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run is cancelled and not failed, and nothing new is started."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/where")

    monkeypatch.setattr(Attempt, "prepare", full)
    listener = Listener()
    outcome = run_all(tmp_path, [Experiment("train", runs=3)], listener=listener, jobs=1)
    end = lines(tmp_path)["end"]

    assert counts(outcome) == {"train": {"cancelled": 1, "planned": 2}}
    assert listener.said == [f"error[XS000]: {folder(tmp_path)}: No space left on device"]
    assert (end["state"], end["reason"]) == ("cancelled", "its folder can't be made: No space left on device")
    assert outcome.status == 3


def test_process_that_the_machine_refuses_is_sent_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many processes is nobody's failure."""

    def refused(*_: object) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr("xpc.runtime.shim.program.start", refused)
    outcome = run_all(tmp_path, [Experiment("train", runs=3)], jobs=1)

    assert counts(outcome) == {"train": {"cancelled": 1, "planned": 2}}
    assert outcome.refused == "nothing can be started: Resource temporarily unavailable"


def test_arguments_that_are_too_long_fail_their_run_alone(tmp_path: Path) -> None:
    """What the system takes as arguments is bounded: the run that asks more has failed, and says why."""
    long = Experiment("long", argv=["echo", "x" * 200_000])
    outcome = run_all(tmp_path, [long, Experiment("train")])

    assert counts(outcome) == {"long": {"failed": 1}, "train": {"done": 1}}
    assert lines(tmp_path, "long")["end"]["reason"] == "echo can't be started: Argument list too long"


def test_run_that_removes_its_own_folder_stops_no_other(tmp_path: Path) -> None:
    """Its end can't be recorded, which is its own doing: the others run."""
    listener = Listener()
    script = '[ "$1" != 0 ] || rm -r "$XPC_RUN_DIR"'
    outcome = run_all(tmp_path, [Experiment("train", script, runs=3)], listener=listener, jobs=1)
    short = run_id("train", 0)[:7]

    assert counts(outcome) == {"train": {"lost": 1, "done": 2}}
    assert listener.said == [f"error[XS000]: the end of train {short} can't be recorded: No such file or directory"]
    assert outcome.status == 1


def test_run_folder_that_is_closed_stops_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One folder in which no claim can be made costs its run alone."""
    folder(tmp_path).mkdir(parents=True)
    claim = Attempt.claim

    def closed(self: Attempt) -> str:
        if self.folder == str(folder(tmp_path)):
            raise PermissionError(errno.EACCES, "Permission denied")
        return claim(self)

    monkeypatch.setattr(Attempt, "claim", closed)
    listener = Listener()
    outcome = run_all(tmp_path, [Experiment("train", runs=2)], listener=listener)

    assert counts(outcome) == {"train": {"lost": 1, "done": 1}}
    assert listener.said == [f"error[XS000]: {folder(tmp_path)}: Permission denied"]
    assert outcome.status == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="the modes stop everybody else")
def test_snapshot_that_a_run_wrote_into_is_told_once(tmp_path: Path) -> None:
    """The superuser's runs can write into each other's code: their records say so, and one warning does."""
    listener = Listener()
    run_all(tmp_path, [Experiment("train", 'echo "$1" >> code.txt', runs=3)], listener=listener, jobs=1)

    assert [lines(tmp_path, n=n)["end"]["witness"] for n in range(3)] == ["altered"] * 3
    assert listener.said == [
        (
            "warning: the snapshot was written to while `train` ran, as only a superuser can; runs may have seen each"
            ' other\'s files. `writable "DIR"` in the experiment gives each run a folder of its own'
        )
    ]


def test_start_that_can_not_be_recorded_ends_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of which nobody would know is not left running."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Attempt, "started", full)
    began = time.monotonic()
    outcome = run_all(tmp_path, [Experiment("train", "sleep 60")])

    assert [failure.why for failure in outcome.failures] == ["its start can't be recorded: No space left on device"]
    assert time.monotonic() - began < 30


def test_fault_of_ours_leaves_no_program_behind(tmp_path: Path) -> None:
    """If the executor itself breaks, the programs are killed rather than left alone."""

    class Broken(Listener):
        def tick(self) -> None:
            raise ZeroDivisionError

    listener = Broken()
    listener.interval = 0.2
    with pytest.raises(ZeroDivisionError):
        run_all(tmp_path, [Experiment("train", "echo $$; exec sleep 20")], listener=listener)

    assert gone(int((folder(tmp_path) / "stdout.log").read_text()))


def test_lost_lock_stops_starting(tmp_path: Path) -> None:
    """Who lost the submit lock lets its runs end and starts no other."""
    listener = Listener()
    experiment = Experiment("train", "sleep 0.2", runs=3)
    outcome = run_all(tmp_path, [experiment], listener=listener, jobs=1, keep=lambda: False)

    assert counts(outcome) == {"train": {"done": 1, "planned": 2}}
    assert listener.said == ["Somebody else has taken the submit lock: nothing more is started here."]


def test_run_that_another_process_has_is_left_to_it(tmp_path: Path) -> None:
    """A live claim holds the run; what comes after it stays planned."""
    experiments = [Experiment("train"), Experiment("evaluate", after={"train": [[0]]})]
    run_all(tmp_path, experiments)
    path = folder(tmp_path) / "run.jsonl"
    claim = json.loads(path.read_text().splitlines()[0])
    path.write_text(json.dumps({**claim, "host": "cn7", "user": "ada"}) + "\n")
    (folder(tmp_path, "evaluate") / "run.jsonl").unlink()
    listener = Listener()
    outcome = run_all(tmp_path, experiments, listener=listener)

    assert counts(outcome) == {"train": {"held": 1}, "evaluate": {"planned": 1}}
    assert listener.said == [f"train {run_id('train', 0)[:7]} is held by ada on cn7; left to it"]
