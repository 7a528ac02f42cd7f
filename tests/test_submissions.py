"""Submission files: one writer each, all of them read together."""

import errno
import os
from pathlib import Path

import pytest

from xpc.runtime.owner import Owner
from xpc.runtime.submissions import SubmissionWriter, queued_rows, ranges, read_submissions


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """A submit's file gives back its build, its owner and its rows."""
    writer = SubmissionWriter(tmp_path, "9c3e11f", "local", "local")
    writer.runs("train", [0, 1, 2, 7])
    writer.runs("evaluate", [8])
    (found,) = read_submissions(tmp_path)

    assert (found.build, found.target, found.kind, found.owner) == ("9c3e11f", "local", "local", Owner.here())
    assert found.rows == {"train": [(0, 3), (7, 1)], "evaluate": [(8, 1)]}
    assert not found.ended
    assert not found.torn

    writer.end()
    (found,) = read_submissions(tmp_path)
    assert found.ended


def test_live_submit_holds_its_rows(tmp_path: Path) -> None:
    """While its process lives and it has not ended, its rows are queued."""
    writer = SubmissionWriter(tmp_path, "9c3e11f", "local", "local")
    writer.runs("train", [3, 4])

    assert list(queued_rows(tmp_path)) == [("9c3e11f", "train", 3), ("9c3e11f", "train", 4)]
    writer.end()
    assert list(queued_rows(tmp_path)) == []


def test_submit_of_a_dead_process_holds_nothing(tmp_path: Path) -> None:
    """A submit that was cut has no end line, and no process."""
    writer = SubmissionWriter(tmp_path, "9c3e11f", "local", "local")
    writer.runs("train", [3])
    text = writer.path.read_text().replace(f'"pid":{os.getpid()}', '"pid":4194305')
    writer.path.write_text(text)

    assert list(queued_rows(tmp_path)) == []


def test_torn_tail_is_left_out_and_told(tmp_path: Path) -> None:
    """What was written whole counts; NULs and half a line don't."""
    writer = SubmissionWriter(tmp_path, "9c3e11f", "local", "local")
    writer.runs("train", [3])
    with writer.path.open("ab") as file:
        file.write(b'{"event":"runs","experiment":"train","rows":[[4,1]]}\n\0\0\0\0{"eve')
    (found,) = read_submissions(tmp_path)

    assert found.rows == {"train": [(3, 1), (4, 1)]}
    assert found.torn


def test_file_of_something_else_is_no_submission(tmp_path: Path) -> None:
    """A file that is empty, or was torn in its first line, says nothing."""
    folder = tmp_path / ".xpc/submissions"
    folder.mkdir(parents=True)
    (folder / "a.jsonl").write_text("")
    (folder / "b.jsonl").write_text('{"event":"submit","host":"x"')

    assert read_submissions(tmp_path) == []


def test_ranges() -> None:
    """Neighbours are put together."""
    assert ranges([]) == []
    assert ranges([5]) == [(5, 1)]
    assert ranges([0, 1, 3, 4, 9]) == [(0, 2), (3, 2), (9, 1)]


def test_half_a_line_is_no_intent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the disk takes a part of a line, the scheduler is not asked: the jobs would be nobody's."""
    writer = SubmissionWriter(tmp_path, "9c3e11f", "far", "slurm")
    write, taken = os.write, []

    def full(descriptor: int, data: bytes) -> int:
        if taken:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken.append(True)
        return write(descriptor, bytes(data)[:20])

    with monkeypatch.context() as disk:
        disk.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space left"):
            writer.intent(1, "train-1", "xpc-9c3e11f-1", [0], 1)
    (found,) = read_submissions(tmp_path)
    assert found.torn
    assert found.calls == ()
