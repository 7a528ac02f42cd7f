"""The check before a run starts: its parents' own records say that they are done, whatever a scheduler thinks."""

from __future__ import annotations

import time
from typing import List, Optional

from .journal import read_attempts

RETRY_FOR = 90.0  # seconds: how long a network file system may remember that a file was not there


def is_done(folder: str) -> bool:
    return any(attempt.state == "done" for attempt in read_attempts(folder))


def has_ended(folder: str) -> bool:
    """Tell whether the last attempt of a run has an end line, of whatever state."""
    attempts = read_attempts(folder)
    return bool(attempts) and attempts[-1].state is not None


def first_not_done(folders: List[str], retry: bool) -> Optional[str]:
    """Give the folder of a parent whose records do not say `done`; *retry*: only after looking for a while, unless
    they say that it ended otherwise."""
    deadline = time.monotonic() + (RETRY_FOR if retry else 0.0)
    pause = 0.25
    for folder in folders:
        while not is_done(folder):
            if time.monotonic() >= deadline or has_ended(folder):
                return folder
            time.sleep(pause)  # nothing else can tell when another node's file becomes visible here
            pause = min(2 * pause, 5.0)
    return None
