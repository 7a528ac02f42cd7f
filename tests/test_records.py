"""Run folders to records, whatever a crash or a stranger has left in them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded import START, claim, end, journal

from xpc.runtime.here import Here
from xpc.runtime.records import RunRecord, parse_run, read_run
from xpc.runtime.states import state_of

ID = "3fa2c81d90b1e4f7"
CLAIM = claim("train", ID, {"seed": 0})


def read(tmp_path: Path, data: str | bytes, attempt: int = 1) -> RunRecord:
    folder = tmp_path / "runs" / "train" / ID
    folder.mkdir(parents=True, exist_ok=True)
    name = "run.jsonl" if attempt == 1 else f"run.{attempt}.jsonl"
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    found = read_run(folder)
    assert found is not None
    return found


def test_a_whole_record(tmp_path: Path) -> None:
    """Claim, start and end of the last attempt, and who it is."""
    found = read(tmp_path, journal(CLAIM, START, end(progress=[10, 10])))

    assert (found.experiment, found.id, found.attempt, found.broken, found.torn) == ("train", ID, 1, None, False)
    assert found.claim["values"] == {"seed": 0}
    assert found.ended
    assert found.progress == (10.0, 10.0)


def test_no_folder_is_no_record(tmp_path: Path) -> None:
    """A run that never began has none; neither has an empty folder."""
    assert read_run(tmp_path / "nothing") is None
    assert read_run(tmp_path) is None


def test_the_last_attempt_counts(tmp_path: Path) -> None:
    """A later journal wins, whatever the first one says."""
    read(tmp_path, journal(CLAIM, START, end("failed")))
    found = read(tmp_path, journal(CLAIM | {"attempt": 2}), attempt=2)

    assert (found.attempt, found.ended) == (2, False)


@pytest.mark.parametrize("tail", ['{"event":"en', "\0\0\0\0", "\0\0\0\n", '{"event":"end","state":"done"'])
def test_a_torn_tail_is_ignored_and_said(tmp_path: Path, tail: str) -> None:
    """A line counts when it ends and parses: a cut end line is no end."""
    found = read(tmp_path, journal(CLAIM, START) + tail)

    assert (found.torn, found.broken, found.ended) == (True, None, False)


def test_an_empty_journal_is_lost_and_not_broken(tmp_path: Path) -> None:
    """Its claimant was cut off before its first line: the run is sent again."""
    found = read(tmp_path, "")

    assert (found.torn, found.broken, found.claim) == (True, None, {})


def test_a_torn_line_costs_itself_alone(tmp_path: Path) -> None:
    """A writer that went on after a half line is believed."""
    found = read(tmp_path, journal(CLAIM) + '{"event":"pro\n' + journal(START, end()))

    assert (found.broken, found.ended) == (None, True)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        ("not json\n", "its journal has no claim"),
        ("[1, 2]\n", "its journal has no claim"),
        (b"\xff\xfe\n", "its journal has no claim"),
        (journal(START, end()), "its journal has no claim"),
        (journal(CLAIM | {"schema": "other/1"}), "its journal is not of xpc.run"),
        (journal(CLAIM | {"schema": "xpc.run/2"}), "its journal is of xpc.run/2, which this xpc does not know"),
        (journal(CLAIM | {"schema": 3}), "its journal is not of xpc.run"),
        (journal(CLAIM | {"values": [1]}), "its claim has no values"),
        (journal(CLAIM, end("exploded")), "its end line has no state that there is"),
        (journal(CLAIM, end() | {"state": ["done"]}), "its end line has no state that there is"),
        (journal(CLAIM, START) + "{broken}\n", "the last line of its journal can't be read"),
        ("[" * 100_000 + "\n", "its journal has no claim"),
    ],
)
def test_broken_records(tmp_path: Path, data: str | bytes, fault: str) -> None:
    """What can't be understood is broken, with the reason; it is never guessed into a state."""
    assert read(tmp_path, data).broken == fault


def test_a_journal_that_is_a_folder(tmp_path: Path) -> None:
    """It is there and can't be read."""
    folder = tmp_path / "train" / ID
    (folder / "run.jsonl").mkdir(parents=True)

    found = read_run(folder)

    assert found is not None
    assert found.broken == "its journal can't be read: is a directory"


def test_a_run_that_is_a_file(tmp_path: Path) -> None:
    """Reading ends."""
    (tmp_path / ID).write_text("")

    found = read_run(tmp_path / ID)

    assert found is not None
    assert found.broken == "its journal can't be read: not a directory"


def test_released_by_a_person(tmp_path: Path) -> None:
    """A release counts for the attempt that it names, while that has no end."""
    found = read(tmp_path, journal(CLAIM))
    (Path(found.folder) / "run.1.release.jsonl").write_text("{}\n")

    assert read(tmp_path, journal(CLAIM)).released
    assert not read(tmp_path, journal(CLAIM, end())).released


DAMAGED = {"no claim": [end()], "no values": [{**CLAIM, "values": None}, end()], "no state": [CLAIM, end(state="well")]}


@pytest.mark.parametrize("lines", DAMAGED.values(), ids=DAMAGED)
def test_damaged_and_released_by_a_person(tmp_path: Path, lines: list[dict[str, object]]) -> None:
    """What it says does not count any more, and is no fault."""
    broken = read(tmp_path, journal(*lines))
    assert broken.broken is not None
    (Path(broken.folder) / "run.1.release.jsonl").write_text("{}\n")
    found = read(tmp_path, journal(*lines))

    assert (found.broken, found.end, found.released) == (None, None, True)
    assert state_of(found, Here()) == "lost"


def test_newer_record_can_not_be_released(tmp_path: Path) -> None:
    """It is not damaged: a newer xpc reads it."""
    found = read(tmp_path, journal({**CLAIM, "schema": "xpc.run/2"}))
    (Path(found.folder) / "run.1.release.jsonl").write_text("{}\n")

    assert read(tmp_path, journal({**CLAIM, "schema": "xpc.run/2"})) == found
    assert found.broken == "its journal is of xpc.run/2, which this xpc does not know"


def test_progress_of_a_running_run(tmp_path: Path) -> None:
    """The last progress line counts; nonsense does not."""
    lines = [{"event": "progress", "done": 3, "total": 10}, {"event": "progress", "done": 4, "total": 10}]

    assert read(tmp_path, journal(CLAIM, START, *lines)).progress == (4.0, 10.0)
    assert read(tmp_path, journal(CLAIM, {"event": "progress", "done": "x", "total": None})).progress is None


@given(st.binary(max_size=300))
def test_any_bytes_are_a_record(data: bytes) -> None:
    """Nothing that stands in a journal raises, and no bytes but a claim make a run that is not marked."""
    found = parse_run("/p/runs/train/" + ID, 1, data)

    assert (found.id, found.attempt) == (ID, 1)
    assert found.claim or found.broken or found.torn or not data


SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner), max_leaves=5)
FIELD = st.sampled_from(["schema", "event", "values", "state", "progress", "done", "total", "time", "request", "host"])


@given(st.lists(st.dictionaries(FIELD, JSON | st.sampled_from(["claim", "start", "end", "progress", "xpc.run/1"]))))
def test_any_fields_are_a_record(lines: list[dict[str, object]]) -> None:
    """Fields of any type give a record; one that is not broken has a claim with values."""
    found = parse_run("/p/runs/train/" + ID, 1, "".join(json.dumps(line) + "\n" for line in lines).encode())

    assert found.broken is not None or not found.claim or isinstance(found.claim["values"], dict)
