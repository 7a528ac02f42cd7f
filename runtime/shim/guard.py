"""The check before a run starts: its parents' own records say that they are done, whatever a scheduler thinks."""

from __future__ import annotations

import time
from typing import List, Optional

from . import packs
from .journal import read_attempts

RETRY_FOR = 90.0  # seconds: how long a network file system may remember that a file was not there


def is_done(folder: str) -> bool:
    return any(attempt.state == "done" for attempt in read_attempts(folder)) or packs.is_done(folder)


def has_ended(folder: str) -> bool:
    """Tell whether the last attempt of a run has an end line, of whatever state, and is not to be followed by another
    one of the same task."""
    attempts = read_attempts(folder)
    if not attempts:
        return False
    ends = [record for record in attempts[-1].records if record.get("event") == "end"]
    return bool(ends) and not ends[0].get("requeued")


def first_not_done(folders: List[str], retry: bool, retry_for: float = RETRY_FOR) -> Optional[str]:
    """Give the folder of a parent whose records do not say `done`; *retry*: only after looking for a while, unless
    they say that it ended otherwise."""
    deadline = time.monotonic() + (retry_for if retry else 0.0)
    pause = 0.25
    for folder in folders:
        while not is_done(folder):
            if time.monotonic() >= deadline or has_ended(folder):
                return folder
            time.sleep(pause)  # nothing else can tell when another node's file becomes visible here
            pause = min(2 * pause, 5.0)
    return None
