"""Journals: whole lines count, whatever else is in the file."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpc.runtime.shim import journal
from xpc.runtime.shim.guard import first_not_done, is_done

WHOLE = b'{"event":"claim"}\n{"event":"end","state":"done"}\n'


@pytest.mark.parametrize("tail", [b'{"event":"en', b"\0" * 4096, b'{"event":"end"}', b"\0\n", b"[1]\n", b"\xff\xfe\n"])
def test_torn_tail_is_reported_and_costs_itself_alone(tail: bytes) -> None:
    """Cut lines, NULs after a power loss, lines that are no record: what stands before them counts."""
    reading = journal.parse(WHOLE + tail)

    assert [record["event"] for record in reading.records] == ["claim", "end"]
    assert (reading.state, reading.torn) == ("done", True)


@given(st.integers(0, len(WHOLE)))
def test_any_cut_gives_the_lines_before_it(length: int) -> None:
    """A journal that ends anywhere gives exactly its whole lines."""
    cut = WHOLE[:length]
    reading = journal.parse(cut)

    assert len(reading.records) == cut.count(b"\n")
    assert reading.torn == (not cut.endswith(b"\n") and bool(cut))


def test_line_after_a_torn_one_stands_alone(tmp_path: Path) -> None:
    """What a full disk cut off is not glued to the end line."""
    path = tmp_path / "run.jsonl"
    path.write_bytes(WHOLE[:18] + b'{"event":"progress","do')
    journal.append(str(path), {"event": "end", "state": "failed"}, durable=True)

    assert journal.read(str(path)).state == "failed"


def test_path_that_is_no_utf8(tmp_path: Path) -> None:
    """A command may hold any bytes; the line stays JSON in UTF-8."""
    word = os.fsdecode(b"/data/\xff\xe9")
    line = journal.encode({"event": "start", "command": [word, "é"]})

    assert json.loads(line.decode("utf-8"))["command"] == [word, "é"]


def test_numbers_that_json_lacks_are_refused() -> None:
    """No reader in another language meets a bare NaN."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        journal.encode({"event": "end", "duration": float("nan")})


def test_names_of_later_attempts() -> None:
    """The first attempt's files have plain names."""
    assert [journal.numbered("run.jsonl", n) for n in (1, 2, 10)] == ["run.jsonl", "run.2.jsonl", "run.10.jsonl"]


def write(folder: Path, attempt: int, *states: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [{"event": "claim"}, *({"event": "end", "state": state} for state in states)]
    path = folder / journal.numbered("run.jsonl", attempt)
    path.write_bytes(b"".join(journal.encode(line) for line in lines))


def test_guard_opens_parents(tmp_path: Path) -> None:
    """A parent is done when one of its attempts says so; the first one that is not is named."""
    write(tmp_path / "a", 1, "failed")
    write(tmp_path / "a", 2, "done")
    write(tmp_path / "b", 1)
    folders = [str(tmp_path / name) for name in ("a", "b", "never-started")]

    assert [is_done(folder) for folder in folders] == [True, False, False]
    assert first_not_done(folders[:1], retry=False) is None
    assert first_not_done(folders, retry=False) == folders[1]


def test_guard_does_not_wait_for_what_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking again is for what a network file system may not show yet; a failed parent stays failed."""
    write(tmp_path / "a", 1, "failed")
    monkeypatch.setattr("time.sleep", lambda _: pytest.fail("it waited"))

    assert first_not_done([str(tmp_path / "a")], retry=True) == str(tmp_path / "a")


def test_guard_looks_again_on_clusters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A parent whose records come into sight later is seen."""
    monkeypatch.setattr("time.sleep", lambda _: write(tmp_path / "a", 1, "done"))

    assert first_not_done([str(tmp_path / "a")], retry=True) is None
