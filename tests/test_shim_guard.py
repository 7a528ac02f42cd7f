"""The guard before a run: what its parents' own records must say, and how long it looks for them."""

from __future__ import annotations

import json
import threading
import time
import zipfile
from pathlib import Path

import pytest

from xpc.runtime.shim import guard


def write(folder: Path, *records: dict[str, object], attempt: int = 1) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    name = "run.jsonl" if attempt == 1 else f"run.{attempt}.jsonl"
    (folder / name).write_text("".join(json.dumps(record) + "\n" for record in ({"event": "claim"}, *records)))


def end(state: str, **more: object) -> dict[str, object]:
    return {"event": "end", "state": state, **more}


def look(*folders: Path, seconds: float = 30) -> tuple[str | None, float]:
    """Give what the guard of a cluster's task says, and how long it looked."""
    began = time.monotonic()
    found = guard.first_not_done([str(folder) for folder in folders], retry=True, retry_for=seconds)
    return found, time.monotonic() - began


def test_done_parents(tmp_path: Path) -> None:
    """Whichever attempt says so."""
    write(tmp_path / "a", end("done"))
    write(tmp_path / "b", end("failed"))
    write(tmp_path / "b", end("done"), attempt=2)

    assert look(tmp_path / "a", tmp_path / "b")[0] is None


def test_done_parent_without_a_claim(tmp_path: Path) -> None:
    """Nobody can say what was done: its record is damaged."""
    write(tmp_path / "a", end("done"))
    (tmp_path / "a" / "run.jsonl").write_text(json.dumps(end("done")) + "\n")

    assert look(tmp_path / "a")[0] == str(tmp_path / "a")


def test_end_that_becomes_visible_later(tmp_path: Path) -> None:
    """A network file system may show another node's file a while after it was written."""
    later = threading.Timer(0.6, write, [tmp_path / "a", end("done")])
    later.start()
    found, seconds = look(tmp_path / "a")
    later.join()

    assert found is None
    assert 0.5 < seconds < 15


@pytest.mark.parametrize("state", ["failed", "killed", "timeout", "cancelled"])
def test_parent_that_ended_otherwise(tmp_path: Path, state: str) -> None:
    """There is nothing to wait for."""
    write(tmp_path / "a", end(state))
    found, seconds = look(tmp_path / "a")

    assert found == str(tmp_path / "a")
    assert seconds < 5


def test_parent_that_goes_on(tmp_path: Path) -> None:
    """One whose task went back to the queue has not ended for good."""
    write(tmp_path / "a", end("timeout", requeued=True))
    later = threading.Timer(0.6, write, [tmp_path / "a", end("done")], {"attempt": 2})
    later.start()
    found, _ = look(tmp_path / "a")
    later.join()

    assert found is None


def test_absent_parent(tmp_path: Path) -> None:
    """Nothing is there: no, after a while; locally at once."""
    found, seconds = look(tmp_path / "a", seconds=0.6)

    assert found == str(tmp_path / "a")
    assert seconds >= 0.6
    assert guard.first_not_done([str(tmp_path / "a")], retry=False) == str(tmp_path / "a")


def test_packed_parent(tmp_path: Path) -> None:
    """A parent that lies in a pack is done if its end line there says so."""
    packs = tmp_path / "train/packs"
    packs.mkdir(parents=True)
    with zipfile.ZipFile(packs / "1.zip", "w") as archive:
        for run, state in (("a", "done"), ("b", "failed")):
            archive.writestr(f"{run}/run.jsonl", json.dumps(end(state)) + "\n")
        archive.comment = json.dumps({"schema": "xpc.pack/1", "runs": {"a": "done", "b": "failed"}}).encode()

    assert look(tmp_path / "train/a")[0] is None
    assert look(tmp_path / "train/b")[0] == str(tmp_path / "train/b")


@pytest.mark.parametrize(("left", "seconds"), [(None, 90.0), (3600.0, 90.0), (54.0, 18.0), (0.0, 0.0), (-5.0, 0.0)])
def test_patience_is_a_part_of_the_time_that_a_task_has(left: float | None, seconds: float) -> None:
    """A task whose time is over while it looks for its parents would be told as timed out, and had never begun."""
    assert guard.patience(left) == seconds
