"""The end of a log to lines that are safe to show: no terminal codes, no endless lines, no endless files."""

from __future__ import annotations

import os
from typing import Any, Final

from ..executor.last_words import plain
from ..logs import Stream, log_path
from ..records import RunRecord
from ..run_files import open_file

LINES: Final = 100
BYTES: Final = 32 << 10  # of the file that are looked at
WIDTH: Final = 400  # characters of a line


def log_tail(record: RunRecord, stream: Stream) -> dict[str, Any] | None:
    """Give the last lines of a log and how many bytes the file has; nothing if the run printed nothing.

    A carriage return goes back to the start of its line, as in a terminal: of a progress bar its last state stays.
    *cut* says that the file has more than is shown.
    """
    try:
        with open_file(log_path(record, stream)) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - BYTES))
            data = file.read(BYTES)
    except OSError:
        return None
    lines = data.decode("utf-8", "replace").removesuffix("\n").split("\n")
    whole = size <= BYTES
    if not whole and len(lines) > 1:
        del lines[0]  # it has lost its beginning
    shown = [_shown(line) for line in lines[-LINES:]]
    return {"lines": shown, "bytes": size, "cut": not whole or len(lines) > LINES} if size else None


def _shown(line: str) -> str:
    written = [part for part in line.split("\r") if part]
    text = written[-1].replace("\t", "    ") if written else ""
    if not (text.isascii() and text.isprintable()):
        text = plain(text)
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
