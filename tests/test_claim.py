"""Claims: one winner however many try, and a dead attempt is followed by the next one only when it is surely dead."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from xpc.runtime.shim import claim, journal, machine
from xpc.runtime.shim.claim import ASKED, CLAIMED, DONE, HELD, KEPT, LOST, Lease, take, watched_in_vain


def line(nonce: str = "n", **fields: Any) -> dict[str, Any]:
    """Give the claim of a live process: this one."""
    shim = machine.process(os.getpid())
    return {"event": "claim", "nonce": nonce, "lease": None, **machine.here(), "shim": shim, **fields}


def write(folder: Path, attempt: int, *records: Mapping[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / journal.numbered("run.jsonl", attempt)
    path.write_bytes(b"".join(journal.encode(dict(record)) for record in records))
    return path


def end(state: str) -> dict[str, Any]:
    return {"event": "end", "state": state}


@pytest.fixture(name="gone")
def _gone() -> dict[str, int | None]:
    """Give the name of a process that has ended."""
    child = subprocess.Popen(["sleep", "60"])
    named = machine.process(child.pid)
    child.kill()
    child.wait()
    return named


@pytest.fixture(name="living")
def _living(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process as one of the run in `tmp_path/run`."""
    child = subprocess.Popen(["sleep", "60"], env={**os.environ, "XPC_RUN_DIR": str(tmp_path / "run")})
    yield child
    child.kill()
    child.wait()


def test_first_attempt_of_a_new_run(tmp_path: Path) -> None:
    """The folder is made, and the journal's first line is the claim with its number."""
    assert take(str(tmp_path / "run"), line(), watch=False) == (CLAIMED, 1, "", None)
    first = json.loads((tmp_path / "run/run.jsonl").read_text())
    assert (first["attempt"], first["nonce"]) == (1, "n")


@pytest.mark.parametrize("state", ["failed", "killed", "timeout", "oom", "cancelled"])
def test_ended_attempt_is_followed_by_the_next(tmp_path: Path, state: str) -> None:
    """An end line is enough, whoever wrote it and wherever."""
    write(tmp_path, 1, line("other", host="elsewhere"), end(state))

    assert take(str(tmp_path), line(), watch=False) == (CLAIMED, 2, "", None)


def test_done_run_is_done_whatever_came_after(tmp_path: Path) -> None:
    """A contested attempt after the one that was done changes nothing."""
    write(tmp_path, 1, line("a"), end("done"))
    write(tmp_path, 2, line("b"), end("cancelled"))

    assert take(str(tmp_path), line(), watch=False) == (DONE, 1, "", None)


def test_live_shim_holds_its_run(tmp_path: Path) -> None:
    """The claimant is told who has it, and nothing is written."""
    write(tmp_path, 1, line("other", user="ada", host=machine.here()["host"]))
    held = take(str(tmp_path), line(), watch=False)

    assert held == (HELD, 1, f"ada on {machine.here()['host']}", None)
    assert [path.name for path in tmp_path.iterdir()] == ["run.jsonl"]


def test_own_nonce_is_ours(tmp_path: Path) -> None:
    """A create that was sent twice and had succeeded the first time is no stranger's."""
    write(tmp_path, 1, line("n"))

    assert take(str(tmp_path), line("n"), watch=False)[:2] == (CLAIMED, 1)


def test_dead_shim_and_program(tmp_path: Path, gone: dict[str, int]) -> None:
    """Both processes gone on this boot of this host: the next attempt may go on, and knows whom it followed."""
    path = write(tmp_path, 1, line("other", shim=gone), {"event": "start", "program": gone})

    assert take(str(tmp_path), line(), watch=False) == (CLAIMED, 2, "", path.stat().st_mtime_ns)


def test_reused_pid_is_another_process(tmp_path: Path) -> None:
    """Our own pid with another start time names a process that is gone."""
    mine = machine.process(os.getpid())
    write(tmp_path, 1, line("other", shim={"pid": mine["pid"], "start": mine["start"] - 1}))

    assert take(str(tmp_path), line(), watch=False)[:2] == (CLAIMED, 2)


def test_program_that_outlives_its_shim(tmp_path: Path, gone: dict[str, int], living: subprocess.Popen[bytes]) -> None:
    """A live program holds the run though its shim is gone: nobody starts beside it."""
    program = machine.process(living.pid)
    write(tmp_path / "other", 1, line("other", shim=gone), {"event": "start", "program": program})

    assert take(str(tmp_path / "other"), line(), watch=False)[0] == HELD


def test_program_that_was_never_written_down(
    tmp_path: Path, gone: dict[str, int], living: subprocess.Popen[bytes]
) -> None:
    """A shim that died between starting its program and naming it: the program is known by its environment."""
    write(tmp_path / "run", 1, line("other", shim=gone))
    assert take(str(tmp_path / "run"), line(), watch=False)[0] == HELD

    living.kill()
    living.wait()
    assert take(str(tmp_path / "run"), line(), watch=False)[:2] == (CLAIMED, 2)


def test_after_a_reboot(tmp_path: Path) -> None:
    """An earlier boot of this very machine has no processes left; a namesake's boot says nothing."""
    if not machine.machine():
        pytest.skip("this system has no machine id")
    write(tmp_path / "same", 1, line("other", boot="before"))
    write(tmp_path / "namesake", 1, line("other", boot="before", machine="another"))

    assert take(str(tmp_path / "same"), line(), watch=False)[:2] == (CLAIMED, 2)
    assert take(str(tmp_path / "namesake"), line(), watch=False)[0] == HELD


@pytest.mark.parametrize("where", [{"host": "elsewhere"}, {"space": "pid:[1]"}])
def test_process_that_cannot_be_seen_from_here(tmp_path: Path, where: dict[str, str], gone: dict[str, int]) -> None:
    """On another host, or in another container, a pid means nothing."""
    write(tmp_path, 1, line("other", shim=gone, **where))

    assert take(str(tmp_path), line(), watch=False)[0] == HELD


def test_silence_of_one_who_never_touches_means_nothing(tmp_path: Path) -> None:
    """A claim without a lease is not watched at all."""
    write(tmp_path, 1, line("other", host="elsewhere", lease=None))
    began = time.monotonic()

    assert take(str(tmp_path), line(), watch=True)[0] == HELD
    assert time.monotonic() - began < 30


def test_three_silent_leases(tmp_path: Path) -> None:
    """A claimant that was seen not to touch its journal for three leases is followed."""
    write(tmp_path, 1, line("other", host="elsewhere", lease=0.05))

    assert take(str(tmp_path), line(), watch=True)[:2] == (CLAIMED, 2)


def test_watching_is_by_the_watchers_clock(tmp_path: Path) -> None:
    """A journal with a time far in the past is not older for it; one touch during the watch is a sign of life."""
    path = write(tmp_path, 1, line())
    os.utime(path, (0, 0))
    clock = [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    assert watched_in_vain(str(path), 60, clock=lambda: clock[0], sleep=sleep)
    assert clock[0] >= 180

    def touching(seconds: float) -> None:
        sleep(seconds)
        os.utime(path)

    assert not watched_in_vain(str(path), 60, clock=lambda: clock[0], sleep=touching)


def test_watch_is_bounded(tmp_path: Path) -> None:
    """A lease so long that three don't fit into the patience proves nothing."""
    path = write(tmp_path, 1, line())
    clock = [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    assert not watched_in_vain(str(path), 1000, clock=lambda: clock[0], sleep=sleep)
    assert clock[0] <= 315


def test_released_by_a_person(tmp_path: Path) -> None:
    """`xpc retry` frees an attempt of which nobody can say whether it lives."""
    write(tmp_path, 1, line("other", host="elsewhere"))
    (tmp_path / "run.1.release.jsonl").write_text('{"event":"release"}\n')

    assert take(str(tmp_path), line(), watch=False)[:2] == (CLAIMED, 2)


@pytest.mark.parametrize("torn", [b"", b'{"event":"cla', b"\0" * 512])
def test_claim_that_was_never_finished(tmp_path: Path, torn: bytes) -> None:
    """A claimant that was cut off before its first line was whole holds the run for a moment only."""
    (tmp_path / "run.jsonl").write_bytes(torn)

    assert take(str(tmp_path), line(), watch=False)[:2] == (CLAIMED, 2)


def test_claimant_that_was_counted_as_gone_steps_back(tmp_path: Path) -> None:
    """It finds a later attempt beside its own first line, says so, and does not start."""
    write(tmp_path, 2, line("other"))

    assert take(str(tmp_path), line(), watch=False)[0] == HELD
    assert journal.read(str(tmp_path / "run.jsonl")).state == "cancelled"


def test_sign_of_life_after_the_decision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An attempt that is touched just when it is taken over keeps its run; no trace of the other is left."""
    path = write(tmp_path, 1, line("other", host="elsewhere", lease=0.02))

    def touched(*_: object) -> bool:
        os.utime(path, ns=(1, 1))
        return True

    monkeypatch.setattr(claim, "watched_in_vain", touched)

    assert take(str(tmp_path), line(), watch=True)[0] == HELD
    assert [found.name for found in tmp_path.iterdir()] == ["run.jsonl"]


def test_claim_on_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty journal would hold the run for nobody."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal, "write_all", full)

    with pytest.raises(OSError, match="No space left"):
        take(str(tmp_path), line(), watch=False)
    assert list(tmp_path.iterdir()) == []


def test_fence(tmp_path: Path) -> None:
    """A lease is renewed by touching, when it is time to; it ends when a later journal appears."""
    path = write(tmp_path, 1, line())
    os.utime(path, (0, 0))
    lease = Lease(str(tmp_path), 1, lease=60)
    now = time.monotonic()

    assert (lease.renew(now), path.stat().st_mtime) == (KEPT, 0)
    assert lease.renew(now + 61) == KEPT
    assert path.stat().st_mtime > 1
    write(tmp_path, 2, line("other"))
    assert [lease.renew(now + 100), lease.renew(now + 122)] == [KEPT, LOST]


def test_request_to_leave(tmp_path: Path) -> None:
    """A shim whose task was started again elsewhere sees so when it touches its journal."""
    write(tmp_path, 1, line())
    lease = Lease(str(tmp_path), 1, lease=60)
    claim.ask_to_leave(str(tmp_path), 1, line("other"))

    assert lease.renew(time.monotonic() + 61) == ASKED


def test_fence_without_touch(tmp_path: Path) -> None:
    """A shim that can't touch its journal for two leases has lost it."""
    lease = Lease(str(tmp_path / "unreachable"), 1, lease=60)
    now = time.monotonic()

    assert [lease.renew(now + 61), lease.renew(now + 122)] == [KEPT, LOST]


RACER = """
import os, sys, time
from xpc.runtime.shim import claim, machine
folder, rounds, start = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
here, shim = machine.here(), machine.process(os.getpid())
for n in range(rounds):
    while time.time() < start + n * 0.02:
        pass
    line = {"event": "claim", "nonce": "%d-%d" % (os.getpid(), n), "lease": None, **here, "shim": shim}
    found = claim.take("%s/%d" % (folder, n), line, False)
    print(n, found.verdict, found.attempt, flush=True)
sys.stdin.read()  # whoever won lives until all have tried
"""


def race(folder: Path, rounds: int, racers: int) -> dict[int, list[tuple[str, int]]]:
    start = str(time.time() + 0.6)
    command = [sys.executable, "-c", RACER, str(folder), str(rounds), start]
    found: dict[int, list[tuple[str, int]]] = {n: [] for n in range(rounds)}
    with ExitStack() as stack:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        running = [stack.enter_context(subprocess.Popen(command, text=True, **pipes)) for _ in range(racers)]
        for racer in running:
            assert racer.stdout is not None
            for _ in range(rounds):
                n, verdict, attempt = racer.stdout.readline().split()
                found[int(n)].append((verdict, int(attempt)))
    return found


@pytest.mark.parametrize("taken_over", [False, True])
def test_never_two_winners(tmp_path: Path, gone: dict[str, int], taken_over: bool) -> None:
    """Processes that claim a run in the same moment, new or left by a dead one: one has it, the others are told so."""
    rounds = 60
    if taken_over:
        for n in range(rounds):
            write(tmp_path / str(n), 1, line("dead", shim=gone))

    for results in race(tmp_path, rounds, racers=3).values():
        won = [attempt for verdict, attempt in results if verdict == CLAIMED]
        assert won == [2 if taken_over else 1]
        assert [verdict for verdict, _ in results if verdict != CLAIMED] == [HELD, HELD]


# ------------------------------------------------------------------ a task that was started again elsewhere

JOB = {"kind": "slurm", "job": "481234", "task": 5, "array": "train-1", "index": 5}


def of_job(nonce: str, host: str, restart: int = 0, **more: object) -> dict[str, Any]:
    return line(nonce, host=host, lease=0.2, scheduler={**JOB, "restart": restart, **more})


def test_first_start_is_asked_to_leave(tmp_path: Path) -> None:
    """One that is alive on a node which its scheduler gave up ends when it is asked; then the run is free at once."""
    path = write(tmp_path, 1, of_job("a", "cn1"))

    def first() -> None:
        while not (tmp_path / "fence.jsonl").exists():
            os.utime(path)
            time.sleep(0.02)
        journal.append(str(path), end("killed"))

    said: list[str] = []
    living = threading.Thread(target=first)
    living.start()
    found = take(str(tmp_path), of_job("b", "cn2", 1), watch=True, tell=said.append)
    living.join()

    assert found[:2] == (CLAIMED, 2)
    assert "it is asked to leave" in said[0]
    assert not (tmp_path / "fence.jsonl").exists()


def test_silent_first_start(tmp_path: Path) -> None:
    """One that can't be reached is given up after three leases without a touch."""
    write(tmp_path, 1, of_job("a", "cn1"))
    began = time.monotonic()

    assert take(str(tmp_path), of_job("b", "cn2", 1), watch=True)[:2] == (CLAIMED, 2)
    assert time.monotonic() - began >= 0.6


def test_first_start_that_was_done_meanwhile(tmp_path: Path) -> None:
    """It had just come to its end: there is nothing more to do."""
    path = write(tmp_path, 1, of_job("a", "cn1"))
    later = threading.Timer(0.3, journal.append, [str(path), end("done")])
    later.start()
    found = take(str(tmp_path), of_job("b", "cn2", 1), watch=True)
    later.join()

    assert found.verdict == DONE


def test_other_job_asks_nobody_to_leave(tmp_path: Path) -> None:
    """A live attempt of another job keeps its run, though it has the same index."""
    path = write(tmp_path, 1, of_job("a", "cn1"))
    stop = threading.Event()

    def touch() -> None:
        while not stop.wait(0.02):
            os.utime(path)

    living = threading.Thread(target=touch)
    living.start()
    found = take(str(tmp_path), of_job("b", "cn2", job="481299"), watch=True)
    stop.set()
    living.join()

    assert found.verdict == HELD
    assert not (tmp_path / "fence.jsonl").exists()


def test_job_of_oar_that_was_started_again(tmp_path: Path) -> None:
    """It has another id, and is known by its array."""
    common = {"kind": "oar", "task": None, "array": "train-1", "index": 5, "array_job": "50"}
    write(tmp_path, 1, line("a", host="oarn1", lease=0.2, scheduler={**common, "job": "57"}))
    said: list[str] = []
    again = line("b", host="oarn2", lease=0.2, scheduler={**common, "job": "99"})

    assert take(str(tmp_path), again, watch=True, tell=said.append)[:2] == (CLAIMED, 2)
    assert "started again" in said[0]
