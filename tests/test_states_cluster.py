"""The states of runs on clusters: a test for each row of the table in docs/states.md."""

from __future__ import annotations

import pytest
from recorded import START, claim, end, journal

from xpc.runtime.cluster_states import Held, Told, needs_no_word, of_cluster
from xpc.runtime.records import RunRecord, parse_run
from xpc.runtime.schedulers.evidence import Seen
from xpc.runtime.states import State

ID = "3fa2c81d90b1e4f7"
HELD = Held("slurm", "77", 5, "train-1", 5)
OAR = Held("oar", "57", None, "train-1", 5)
PACKED = Held("slurm", "77", 5, "train-1", 5, packed=True)
TAKEN_BACK = Held("slurm", "77", 5, "train-1", 5, cancelled=True)

WAITS = Seen("queued", None, "Resources")
RUNS = Seen("running", None, "")
GONE = "gone"  # the scheduler answered and has no such task
SILENT = None


def record(*lines: object, **task: object) -> RunRecord:
    scheduler = {"kind": "slurm", "job": "77", "task": 5, "array": "train-1", "index": 5, "restart": 0} | task
    text = journal(claim("train", ID, {}, scheduler=scheduler), START, *lines)  # type: ignore[arg-type]
    return parse_run(f"/runs/train/{ID}", 1, text.encode())


def ended(state: State, reason: str = "") -> Seen:
    return Seen("ended", state, reason or state.upper())


NONE = None
OPEN = record()
EARLIER = record(end("failed", reason="exit status 1"), job="70")
EARLIER_OPEN = record(job="70")
FAILED = record(end("failed", reason="exit status 1"))
BACK = record(end("failed", reason="exit status 1", requeued=True))
STOPPED = record(end("killed", reason="SIGTERM", by="task"))
KILLED = record(end("killed", reason="killed by SIGKILL", signal="SIGKILL"))


@pytest.mark.parametrize(
    ("found", "seen", "told"),
    [
        # no record
        (NONE, WAITS, Told("queued", "Resources")),
        (NONE, RUNS, Told("running")),
        (NONE, ended("cancelled"), Told("cancelled", "CANCELLED", final=True)),
        (NONE, ended("skipped"), Told("planned", "SKIPPED", final=True)),
        (NONE, ended("done"), Told("planned", "DONE", final=True)),
        (NONE, ended("timeout"), Told("timeout", "TIMEOUT", final=True)),
        (NONE, ended("lost", "NODE_FAIL"), Told("lost", "NODE_FAIL", final=True)),
        (NONE, ended("lost", "JobLaunchFailure 0:53"), Told("lost", "JobLaunchFailure 0:53", final=True)),
        (NONE, ended("failed", "FAILED exit 1"), Told("lost", "FAILED exit 1", final=True)),
        (NONE, SILENT, Told("queued")),
        (NONE, GONE, Told("lost", "SLURM does not know 77_5 any more", final=True)),
        # a record of an earlier task
        (EARLIER, WAITS, Told("queued", "Resources")),
        (EARLIER, SILENT, Told("queued")),
        (EARLIER, RUNS, Told("running")),
        (EARLIER, ended("cancelled"), Told("failed", "exit status 1", final=True)),
        (EARLIER, GONE, Told("failed", "exit status 1", final=True)),
        (EARLIER_OPEN, ended("cancelled"), Told("lost", "CANCELLED", final=True)),
        (EARLIER_OPEN, GONE, Told("lost", "SLURM does not know 77_5 any more", final=True)),
        # no end line
        (OPEN, Seen("queued", None, "BeginTime", 1), Told("queued", "BeginTime")),
        (OPEN, RUNS, Told("running")),
        (OPEN, SILENT, Told("running")),
        (OPEN, ended("cancelled"), Told("cancelled", "CANCELLED", final=True)),
        (OPEN, ended("timeout"), Told("timeout", "TIMEOUT", final=True)),
        (OPEN, ended("oom"), Told("oom", "OOM", final=True)),
        (OPEN, ended("killed", "PREEMPTED"), Told("killed", "PREEMPTED", final=True)),
        (OPEN, ended("killed", "FAILED SIGKILL"), Told("killed", "FAILED SIGKILL", final=True)),
        (OPEN, ended("lost", "NODE_FAIL"), Told("lost", "NODE_FAIL", final=True)),
        (OPEN, ended("failed", "FAILED exit 1"), Told("lost", "FAILED exit 1, and no end line", final=True)),
        (OPEN, ended("done", "COMPLETED"), Told("lost", "COMPLETED, and no end line", final=True)),
        (OPEN, GONE, Told("lost", "SLURM does not know 77_5 any more", final=True)),
        # put back by itself
        (BACK, WAITS, Told("queued", "Resources")),
        (BACK, SILENT, Told("queued")),
        (BACK, RUNS, Told("running")),
        (BACK, ended("cancelled"), Told("cancelled", "CANCELLED", final=True)),
        (BACK, ended("failed", "FAILED exit 1"), Told("failed", "exit status 1", final=True)),
        (BACK, ended("done"), Told("failed", "exit status 1", final=True)),
        (BACK, GONE, Told("failed", "exit status 1", final=True)),
        # an end that is not done
        (FAILED, Seen("queued", None, "BeginTime", 1), Told("queued", "BeginTime")),
        (FAILED, Seen("running", None, "", 1), Told("running")),
        (FAILED, RUNS, Told("failed", "exit status 1")),
        (FAILED, SILENT, Told("failed", "exit status 1", final=True)),
        (FAILED, ended("cancelled"), Told("failed", "exit status 1", final=True)),
        (FAILED, GONE, Told("failed", "exit status 1", final=True)),
        # its task was told to stop
        (STOPPED, ended("cancelled"), Told("cancelled", "CANCELLED", final=True)),
        (STOPPED, ended("timeout"), Told("timeout", "TIMEOUT", final=True)),
        (STOPPED, ended("oom"), Told("oom", "OOM", final=True)),
        (STOPPED, ended("killed", "PREEMPTED"), Told("killed", "PREEMPTED", final=True)),
        (STOPPED, ended("killed", "FAILED SIGTERM"), Told("killed", "SIGTERM", final=True)),
        (STOPPED, ended("failed", "FAILED exit 1"), Told("killed", "SIGTERM", final=True)),
        (STOPPED, ended("lost", "NODE_FAIL"), Told("killed", "SIGTERM", final=True)),
        (STOPPED, SILENT, Told("killed", "SIGTERM")),
        (KILLED, ended("timeout", "WALLTIME"), Told("timeout", "WALLTIME", final=True)),
        (KILLED, ended("failed", "FAILED exit 1"), Told("killed", "killed by SIGKILL", final=True)),
        (KILLED, WAITS, Told("queued", "Resources")),
        (STOPPED, RUNS, Told("killed", "SIGTERM")),
        (STOPPED, WAITS, Told("queued", "Resources")),
        (STOPPED, GONE, Told("killed", "SIGTERM", final=True)),
    ],
)
def test_table(found: RunRecord | None, seen: Seen | str | None, told: Told) -> None:
    """The state, why it is so, and whether the scheduler need not be asked again."""
    known = seen if isinstance(seen, Seen) else None
    assert of_cluster(found, HELD, known, gone=seen == GONE) == told


@pytest.mark.parametrize("seen", [SILENT, WAITS, RUNS, ended("cancelled"), ended("failed"), GONE])
@pytest.mark.parametrize(
    ("found", "state"),
    [
        (record(end("done")), "done"),
        (record(end("done"), job="70"), "done"),
        (parse_run(f"/runs/train/{ID}", 1, b'{"event":"end"}\n'), "broken"),
    ],
)
def test_done_is_done(found: RunRecord, state: str, seen: Seen | str | None) -> None:
    """Whatever the scheduler says, of whatever task; and what can't be read stays unread."""
    known = seen if isinstance(seen, Seen) else None
    assert of_cluster(found, HELD, known, gone=seen == GONE).state == state


@pytest.mark.parametrize(
    ("found", "seen", "told"),
    [
        (NONE, RUNS, Told("queued", "its task runs")),
        (NONE, ended("timeout"), Told("planned", "TIMEOUT", final=True)),
        (NONE, ended("cancelled"), Told("cancelled", "CANCELLED", final=True)),
        (NONE, GONE, Told("planned", final=True)),
        (EARLIER, RUNS, Told("queued")),
        (FAILED, RUNS, Told("failed", "exit status 1")),
        (FAILED, Seen("running", None, "", 1), Told("queued")),
        (OPEN, RUNS, Told("running")),
    ],
)
def test_packs(found: RunRecord | None, seen: Seen | str | None, told: Told) -> None:
    """A task holds several runs: those that have not begun wait for it, and are planned again when it has ended."""
    known = seen if isinstance(seen, Seen) else None
    assert of_cluster(found, PACKED, known, gone=seen == GONE) == told


@pytest.mark.parametrize(
    ("found", "seen", "told"),
    [
        (NONE, SILENT, Told("cancelled", "xpc cancel")),
        (NONE, GONE, Told("cancelled", "xpc cancel", final=True)),
        (NONE, WAITS, Told("queued", "Resources")),
        (STOPPED, SILENT, Told("cancelled", "xpc cancel")),
        (BACK, GONE, Told("cancelled", "xpc cancel", final=True)),
        (FAILED, GONE, Told("failed", "exit status 1", final=True)),
    ],
)
def test_taken_back(found: RunRecord | None, seen: Seen | str | None, told: Told) -> None:
    """`xpc cancel` noted what it did: that counts where the scheduler says nothing."""
    known = seen if isinstance(seen, Seen) else None
    assert of_cluster(found, TAKEN_BACK, known, gone=seen == GONE) == told


@pytest.mark.parametrize(
    ("scheduler", "claimed"),
    [
        ({"kind": "oar", "job": "57", "task": None}, True),
        ({"kind": "oar", "job": "63", "task": None}, True),  # OAR started it again
        ({"kind": "oar", "job": "50", "task": None}, False),
        ({"kind": "oar", "job": "63", "task": None, "index": 6}, False),
        ({"kind": "oar", "job": None}, False),
        ({"kind": "slurm"}, False),
        ({"kind": "local", "job": None}, False),
    ],
)
def test_attempts_of_a_job_of_oar(scheduler: dict[str, object], claimed: bool) -> None:
    """A job that is started again has a later number, and the same place in its array."""
    assert OAR.claimed(record(**scheduler)) is claimed


def test_cut_off_in_its_first_line() -> None:
    """Nobody knows whose it was: its task's word counts."""
    found = parse_run(f"/runs/train/{ID}", 1, b'{"schema":"xpc.r')

    assert of_cluster(found, HELD, RUNS).state == "running"
    assert of_cluster(found, HELD, ended("lost", "NODE_FAIL")).state == "lost"


def test_who_need_not_be_asked_about() -> None:
    """A run whose own end line says all."""
    assert needs_no_word(FAILED, HELD)
    assert not any(needs_no_word(found, HELD) for found in (OPEN, BACK, STOPPED, EARLIER))
