"""The check before a run starts: its parents' own records say that they are done, whatever a scheduler thinks."""

from __future__ import annotations

import time
from typing import Iterable, List, Optional

from . import packs
from .journal import read_attempts

RETRY_FOR = 90.0  # seconds: how long a network file system may remember that a file was not there
SHARE = 3  # it waits for one part in so many of a task's time: with more, the task's limit were taken for the run's


def is_done(folder: str) -> bool:
    return done_nonce(folder) is not None


def done_nonce(folder: str) -> Optional[str]:
    """Give what names the attempt of a run that is done, empty if it has no name; nothing if none is."""
    for attempt in read_attempts(folder):
        if attempt.is_done:
            return next((str(line.get("nonce") or "") for line in attempt.records if line.get("event") == "claim"), "")
    return "" if packs.is_done(folder) else None


def lineage(nonces: Iterable[str]) -> str:
    """Give a hash of the attempts of all parents that a run reads: another one tells that a parent was run again."""
    from hashlib import blake2b  # most runs have no parents, and it takes a task as long to load as to claim one

    return blake2b("\n".join(sorted(nonces)).encode("utf-8", "replace"), digest_size=8).hexdigest()


def has_ended(folder: str) -> bool:
    """Tell whether the last attempt of a run has an end line, of whatever state, and is not to be followed by another
    one of the same task."""
    attempts = read_attempts(folder)
    if not attempts:
        return False
    ends = [record for record in attempts[-1].records if record.get("event") == "end"]
    return bool(ends) and not ends[0].get("requeued")


def patience(left: Optional[float]) -> float:
    """Give the seconds to look for parents in, of a task that has *left* seconds (none: no limit)."""
    return RETRY_FOR if left is None else min(RETRY_FOR, max(0.0, left / SHARE))


def first_not_done(
    folders: List[str], retry: bool, retry_for: float = RETRY_FOR, nonces: Optional[List[str]] = None
) -> Optional[str]:
    """Give the folder of a parent whose records do not say `done`; *retry*: only after looking for a while, unless
    they say that it ended otherwise. To *nonces* the names of the attempts that are done are added."""
    deadline = time.monotonic() + (retry_for if retry else 0.0)
    pause = 0.25
    for folder in folders:
        while True:
            nonce = done_nonce(folder)
            if nonce is not None:
                if nonces is not None:
                    nonces.append(nonce)
                break
            if time.monotonic() >= deadline or has_ended(folder):
                return folder
            time.sleep(pause)  # nothing else can tell when another node's file becomes visible here
            pause = min(2 * pause, 5.0)
    return None
