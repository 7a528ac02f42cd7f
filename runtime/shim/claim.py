"""Who may run: attempt n is claimed by creating its journal, and n+1 only when n is over.

The first line of a journal names its claimant. An attempt is over when its journal has an end line, when its processes
are gone on the same boot of the same host, when three leases were watched to pass without a touch, or when a person has
released it (`run.<n>.release.jsonl`).
"""

from __future__ import annotations

import errno
import os
import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional

from . import journal, machine

LEASE = 60.0  # seconds between signs of life, on clusters
LEASES_TO_WATCH = 3
LONGEST_WATCH = 300.0  # seconds that a task may wait for another one's lease to pass

CLAIMED, DONE, HELD = "claimed", "done", "held"


class Claim(NamedTuple):
    """What came of it: `claimed` with the attempt's number, `done`, or `held` and by whom."""

    verdict: str
    attempt: int
    holder: str = ""


def take(folder: str, line: Dict[str, Any], watch: bool) -> Claim:
    """Claim the next attempt of the run in *folder* (which is made); *line* is the claim, less its number.

    *watch*: wait for a silent claimant's lease to pass (on clusters). Raises ``OSError`` when the disk refuses.
    """
    os.makedirs(folder, exist_ok=True)
    attempt = 1
    while True:
        path = os.path.join(folder, journal.numbered("run.jsonl", attempt))
        if _create(path, dict(line, attempt=attempt)):
            return Claim(CLAIMED, attempt)
        records = journal.read(path).records
        if records and records[0].get("nonce") == line["nonce"]:
            return Claim(CLAIMED, attempt)  # a retransmitted create that had succeeded
        later = os.path.join(folder, journal.numbered("run.jsonl", attempt + 1))
        if not _opens(later):
            state = end_state(records)
            if state == "done":
                return Claim(DONE, attempt)
            if state is None and not is_over(folder, attempt, records, watch):
                return Claim(HELD, attempt, holder(records))
        attempt += 1


def _create(path: str, line: Dict[str, Any]) -> bool:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except FileExistsError:
        return False
    try:
        journal.write_all(descriptor, journal.encode(line))
    except OSError:
        os.unlink(path)  # an empty journal would hold the run for nobody
        raise
    finally:
        os.close(descriptor)
    return True


def _opens(path: str) -> bool:
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return False
        raise
    return True


def end_state(records: List[journal.Record]) -> Optional[str]:
    for record in records:
        if record.get("event") == "end":
            return str(record.get("state"))
    return None


def holder(records: List[journal.Record]) -> str:
    claim = records[0] if records else {}
    return "%s on %s" % (claim.get("user", "somebody"), claim.get("host", "an unknown host"))


def is_over(folder: str, attempt: int, records: List[journal.Record], watch: bool) -> bool:
    """Tell whether an attempt without an end line can't go on any more."""
    if _opens(os.path.join(folder, "run.%d.release.jsonl" % attempt)):
        return True
    path = os.path.join(folder, journal.numbered("run.jsonl", attempt))
    if not records:
        return _stays_empty(path)
    claim = records[0]
    here = machine.here()
    if claim.get("host") == here["host"] and claim.get("boot") == here["boot"]:
        programs = [record.get("program") for record in records if record.get("event") == "start"]
        return not any(machine.is_alive(process) for process in [claim.get("shim"), *programs])
    return watch and watched_in_vain(path, float(claim.get("lease") or LEASE))


def _stays_empty(path: str, patience: float = 5.0) -> bool:
    """Tell whether a claimant was cut off between creating its journal and writing its first line."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if journal.read(path).records:
            return False
        time.sleep(0.1)
    return True


def watched_in_vain(
    path: str,
    lease: float,
    longest: float = LONGEST_WATCH,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Watch a journal's time of change; true if it did not move for three leases, by our own clock alone."""
    start = clock()
    seen = _changed(path)
    while clock() - start < min(LEASES_TO_WATCH * lease, longest):
        sleep(min(lease / 4, 15.0))
        if _changed(path) != seen:
            return False
    return LEASES_TO_WATCH * lease <= longest


def _changed(path: str) -> int:
    # Opening makes a network file system ask its server; a stat alone may be answered from memory.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.fstat(descriptor).st_mtime_ns
    finally:
        os.close(descriptor)


class Lease:
    """Touches the journal of a running attempt, and notices when the attempt has been taken over."""

    def __init__(self, folder: str, attempt: int, lease: float = LEASE) -> None:
        self._path = os.path.join(folder, journal.numbered("run.jsonl", attempt))
        self._next = os.path.join(folder, journal.numbered("run.jsonl", attempt + 1))
        self._lease = lease
        self._touched = time.monotonic()

    def renew(self) -> bool:
        """Touch the journal; false when this attempt must stop: fenced off, or out of touch for two leases."""
        try:
            os.utime(self._path)
            self._touched = time.monotonic()
            return not _opens(self._next)
        except OSError:
            return time.monotonic() - self._touched < 2 * self._lease
