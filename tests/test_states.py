"""The states of runs: one row of the table each."""

from __future__ import annotations

import pytest
from recorded import START, claim, end, journal

from xpc.runtime.records import RunRecord, parse_run
from xpc.runtime.states import STATES, skips, state_of

ID = "3fa2c81d90b1e4f7"


class Seen:
    """The evidence of host `cn1`, boot `b2`, on which the process 7 that started at 70 lives."""

    host = "cn1"
    boot = "b2"

    def is_alive(self, process: object) -> bool:
        return process == {"pid": 7, "start": 70}


def record(*lines: object, **fields: object) -> RunRecord:
    here = {"host": "cn1", "boot": "b2", "shim": {"pid": 5, "start": 50}} | fields
    return parse_run(f"/runs/train/{ID}", 1, journal(claim("train", ID, {}, **here), *lines).encode())  # type: ignore[arg-type]


PROGRAM = START | {"program": {"pid": 7, "start": 70}}


@pytest.mark.parametrize("said", ["done", "failed", "killed", "timeout", "oom", "lost", "cancelled", "skipped"])
def test_an_end_line_is_believed(said: str) -> None:
    """It says what it says."""
    assert state_of(record(START, end(said)), Seen()) == said


@pytest.mark.parametrize(
    ("found", "queued", "state"),
    [
        (None, False, "planned"),
        (None, True, "queued"),
        (record(), False, "lost"),
        (record(), True, "queued"),
        (record(shim={"pid": 7, "start": 70}), False, "running"),
        (record(shim={"pid": 7, "start": 71}), False, "lost"),
        (record(PROGRAM), False, "running"),
        (record(PROGRAM), True, "running"),
        (record(PROGRAM, boot="b1"), False, "lost"),
        (record(START, host="cn2"), False, "running"),
        (record(START, host="cn2", boot="b1"), True, "running"),
        (record(end("failed")), True, "queued"),
        (record(end("done")), True, "done"),
        (record(schema="xpc.run/9"), False, "broken"),
        (record(schema="xpc.run/9"), True, "broken"),
    ],
)
def test_the_table(found: RunRecord | None, queued: bool, state: str) -> None:
    """Records first, then processes; nothing is guessed into `failed`."""
    assert state_of(found, Seen(), queued) == state


def test_a_claim_cut_in_its_first_line() -> None:
    """Nobody can say what became of it."""
    assert state_of(parse_run(f"/runs/train/{ID}", 1, b'{"schema":"xpc.r'), Seen()) == "lost"


def test_what_skips_a_child() -> None:
    """A parent that ended and is not done, if the child never started."""
    assert {state for state in STATES if skips("planned", ["done", state])} == {
        "failed",
        "killed",
        "timeout",
        "oom",
        "lost",
        "cancelled",
        "skipped",
    }
    assert not skips("queued", ["failed"])
    assert not skips("done", ["failed"])
