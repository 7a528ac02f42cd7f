"""The last line that a run wrote, as plain text: what a failure is explained with."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path
from typing import Final

from ..run_files import open_file

TAIL: Final = 8192  # bytes of a log that are looked at
LONGEST: Final = 500  # characters of a line that are kept

_SEQUENCE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours and cursor movement
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)"  # titles, links, the clipboard
    r"|\x1b[ -/]*[0-~]",
    re.DOTALL,
)


def plain(text: str) -> str:
    """Give one line of *text* without anything that a terminal would obey, or that would turn its reading order."""
    text = _SEQUENCE.sub("", text).replace("\t", " ")
    return "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp"))


def last_words(path: Path) -> str:
    """Give the last line of the file that says something, or nothing if there is no such line or file."""
    try:
        with open_file(os.fspath(path)) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL))
            tail = file.read(TAIL).decode("utf-8", "replace")
    except OSError:
        return ""
    for line in reversed(re.split(r"[\r\n]+", tail)):
        words = plain(line).strip()
        if words:
            return words[:LONGEST]
    return ""
