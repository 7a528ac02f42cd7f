"""The check before a run starts: its parents' own records say that they are done, whatever a scheduler thinks."""

from __future__ import annotations

import errno
import os
import time
from typing import List, Optional

from . import journal

RETRY_FOR = 90.0  # seconds: how long a network file system may remember that a file was not there


def last_records(folder: str) -> List[journal.Record]:
    """Give the records of the last attempt of a run; none if it never started. Opens files, never lists or stats."""
    found: List[journal.Record] = []
    attempt = 1
    while True:
        try:
            found = journal.read(os.path.join(folder, journal.numbered("run.jsonl", attempt))).records
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR):
                return found
            raise
        attempt += 1


def is_done(folder: str) -> bool:
    return any(r.get("event") == "end" and r.get("state") == "done" for r in last_records(folder))


def first_not_done(folders: List[str], retry: bool) -> Optional[str]:
    """Give the folder of a parent whose records do not say `done`; *retry*: only after looking for a while."""
    deadline = time.monotonic() + (RETRY_FOR if retry else 0.0)
    pause = 0.25
    for folder in folders:
        while not is_done(folder):
            if time.monotonic() >= deadline:
                return folder
            time.sleep(pause)  # nothing else can tell when another node's file becomes visible here
            pause = min(2 * pause, 5.0)
    return None
