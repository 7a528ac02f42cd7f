"""A run's output to a text that is safe to print."""

from __future__ import annotations

import os
from typing import Final, Literal

from .executor.last_words import plain
from .metrics import numbered
from .records import RunRecord
from .run_files import open_file

BLOCK: Final = 1 << 16

Stream = Literal["stdout", "stderr"]


def log_path(record: RunRecord, stream: Stream, attempt: int | None = None) -> str:
    """Give the path of a log; one that stayed empty was removed when the run ended."""
    return numbered(record.folder, stream, ".log", attempt or record.attempt)


def read_log(
    record: RunRecord, stream: Stream, *, tail: int | None = None, raw: bool = False, attempt: int | None = None
) -> str | None:
    """Give what the last (or that) attempt of a run printed, or its last *tail* lines; nothing if it printed nothing.

    What a terminal would obey is removed unless *raw* is set; a carriage return then ends a line.
    """
    try:
        data = _read(log_path(record, stream, attempt), tail)
    except FileNotFoundError:
        return None
    text = data.decode("utf-8", "replace")
    if raw:
        return text
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(map(plain, lines))


def _read(path: str, tail: int | None) -> bytes:
    """Read a file, or its last lines from behind."""
    with open_file(path) as file:
        if tail is None:
            return file.read()
        if tail < 1:
            return b""
        at = file.seek(0, os.SEEK_END)
        data = b""
        while at and data.rstrip(b"\n").count(b"\n") < tail:
            step = min(BLOCK, at)
            at -= step
            file.seek(at)
            data = file.read(step) + data
    return b"".join(data.splitlines(keepends=True)[-tail:])
