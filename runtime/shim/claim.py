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

from . import journal, machine, processes

LEASE = 60.0  # seconds between signs of life, on clusters
LEASES_TO_WATCH = 3
LONGEST_WATCH = 300.0  # seconds that a task may wait for another one's lease to pass

CLAIMED, DONE, HELD = "claimed", "done", "held"


class Claim(NamedTuple):
    """What came of it: `claimed` with the attempt's number, `done`, or `held` and by whom.

    *taken_over*: when the journal before it was last touched, if that attempt had no end line.
    """

    verdict: str
    attempt: int
    holder: str = ""
    taken_over: Optional[int] = None


def take(folder: str, line: Dict[str, Any], watch: bool) -> Claim:
    """Claim the next attempt of the run in *folder* (which is made); *line* is the claim, less its number.

    *watch*: wait for a silent claimant's lease to pass (on clusters). Raises ``OSError`` when the disk refuses.
    """
    os.makedirs(folder, exist_ok=True)
    while True:
        known = journal.read_attempts(folder)
        attempt = len(known) + 1
        refused = _refusal(folder, known, line["nonce"], watch)
        if refused is not None:
            return refused
        if _create(_path(folder, attempt), dict(line, attempt=attempt)):
            return _confirm(folder, attempt, known)


def _refusal(folder: str, known: List[journal.Reading], nonce: str, watch: bool) -> Optional[Claim]:
    """Say why the attempt after *known* may not be claimed; nothing if it may."""
    for number, attempt in enumerate(known, 1):
        if attempt.state == "done":
            return Claim(DONE, number)
    if not known or known[-1].state is not None:
        return None
    number, records = len(known), known[-1].records
    if records and records[0].get("nonce") == nonce:
        return Claim(CLAIMED, number)  # a retransmitted create that had succeeded
    return None if is_over(folder, number, records, watch) else Claim(HELD, number, holder(records))


def _confirm(folder: str, attempt: int, known: List[journal.Reading]) -> Claim:
    """Look around once more: of two that took each other for gone, at most one goes on."""
    if _opens(_path(folder, attempt + 1)):
        end = {"event": "end", "time": journal.now(), "state": "cancelled", "reason": "another attempt came first"}
        journal.append(_path(folder, attempt), end)
        return Claim(HELD, attempt + 1, "another attempt")
    if not known or known[-1].state is not None:
        return Claim(CLAIMED, attempt)
    again = journal.read(_path(folder, attempt - 1))
    if again.changed == known[-1].changed or again.state not in (None, "done"):
        return Claim(CLAIMED, attempt, taken_over=again.changed)
    os.unlink(_path(folder, attempt))
    return Claim(DONE if again.state == "done" else HELD, attempt - 1, holder(again.records))


def _path(folder: str, attempt: int) -> str:
    return os.path.join(folder, journal.numbered("run.jsonl", attempt))


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


def holder(records: List[journal.Record]) -> str:
    claim = records[0] if records else {}
    return "%s on %s" % (claim.get("user", "somebody"), claim.get("host", "an unknown host"))


def is_over(folder: str, attempt: int, records: List[journal.Record], watch: bool) -> bool:
    """Tell whether an attempt without an end line can't go on any more."""
    if _opens(os.path.join(folder, "run.%d.release.jsonl" % attempt)):
        return True
    path = _path(folder, attempt)
    if not records:
        return watched_in_vain(path, LEASE) if watch else _stays_empty(path)
    claim = records[0]
    where = machine.sees(claim)
    if where == "here":
        programs = [record.get("program") for record in records if record.get("event") == "start"]
        alive = any(machine.is_alive(process) for process in [claim.get("shim"), *programs])
        return not alive and not processes.of_run(folder)  # the shim may have died before it named its program
    lease = claim.get("lease")  # without one nobody touches that journal, and silence means nothing
    return where == "rebooted" or bool(watch and lease and watched_in_vain(path, float(lease)))


def later_exists(folder: str, attempt: int) -> bool:
    """Tell whether a later attempt was claimed: this one has lost its right to say `done`."""
    return _opens(_path(folder, attempt + 1))


def done_before(folder: str, attempt: int) -> Optional[int]:
    """Give an earlier attempt that says `done`."""
    for number in range(1, attempt):
        if journal.read(_path(folder, number)).state == "done":
            return number
    return None


def is_contested(folder: str, attempt: int, taken_over: int) -> bool:
    """Tell whether the attempt that was taken over has shown a sign of life since."""
    return journal.read(_path(folder, attempt - 1)).changed != taken_over


def _stays_empty(path: str, patience: float = 0.3) -> bool:
    """Tell whether a claimant was cut off between creating its journal and writing its first line.

    A claimant that needs longer than *patience* finds the later journal when it looks around, and goes no further.
    """
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if journal.read(path).records:
            return False
        time.sleep(0.02)
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
