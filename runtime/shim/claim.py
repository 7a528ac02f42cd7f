"""Who may run: attempt n is claimed by creating its journal, and n+1 only when n is over.

The first line of a journal names its claimant. An attempt is over when its journal has an end line, when its processes
are gone on the same boot of the same host, when three leases were watched to pass without a touch, or when a person has
released it (`run.<n>.release.jsonl`).

A task that its scheduler has started again elsewhere, while its first start is still alive there (a node that was given
up), asks that one to leave (`fence.jsonl`), and claims the run when it has.
"""

from __future__ import annotations

import errno
import os
import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional

from . import journal, machine, processes, scheduler

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


def take(folder: str, line: Dict[str, Any], watch: bool, tell: Callable[[str], None] = lambda text: None) -> Claim:
    """Claim the next attempt of the run in *folder* (which is made); *line* is the claim, less its number.

    *watch*: wait for a silent claimant's lease to pass (on clusters); *tell* is told of it. Raises ``OSError`` when the
    disk refuses.
    """
    os.makedirs(folder, exist_ok=True)
    while True:
        known = journal.read_attempts(folder)
        attempt = len(known) + 1
        refused = _refusal(folder, known, line, watch, tell)
        if refused is not None:
            return refused
        if _create(_path(folder, attempt), dict(line, attempt=attempt)):
            found = _confirm(folder, attempt, known)
            if known and known[-1].state is None:
                _unlink(_fence(folder, attempt - 1))
            return found


def _refusal(
    folder: str, known: List[journal.Reading], line: Dict[str, Any], watch: bool, tell: Callable[[str], None]
) -> Optional[Claim]:
    """Say why the attempt after *known* may not be claimed; nothing if it may."""
    for number, attempt in enumerate(known, 1):
        if attempt.is_done:
            return Claim(DONE, number)
    if not known or known[-1].state is not None:
        return None
    number, records = len(known), known[-1].records
    if records and records[0].get("nonce") == line["nonce"]:
        return Claim(CLAIMED, number)  # a retransmitted create that had succeeded
    last = is_over(folder, number, known[-1], line, watch, tell)
    if last is None:
        return Claim(HELD, number, holder(records))
    known[-1] = known[-1]._replace(changed=last)
    return None


def _confirm(folder: str, attempt: int, known: List[journal.Reading]) -> Claim:
    """Look around once more: of two that took each other for gone, at most one goes on."""
    if _opens(_path(folder, attempt + 1)):
        end = {"event": "end", "time": journal.now(), "state": "cancelled", "reason": "another attempt came first"}
        journal.append(_path(folder, attempt), end)
        return Claim(HELD, attempt + 1, "another attempt")
    if not known or known[-1].state is not None:
        return Claim(CLAIMED, attempt)
    again = journal.read(_path(folder, attempt - 1))
    if not again.is_done and (again.changed == known[-1].changed or again.state is not None):
        return Claim(CLAIMED, attempt, taken_over=again.changed)
    os.unlink(_path(folder, attempt))
    return Claim(DONE if again.is_done else HELD, attempt - 1, holder(again.records))


def _path(folder: str, attempt: int) -> str:
    return os.path.join(folder, journal.numbered("run.jsonl", attempt))


def _fence(folder: str, attempt: int) -> str:
    return os.path.join(folder, journal.numbered("fence.jsonl", attempt))


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return  # it was never there


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


def is_over(
    folder: str,
    attempt: int,
    reading: journal.Reading,
    line: Dict[str, Any],
    watch: bool,
    tell: Callable[[str], None] = lambda text: None,
) -> Optional[int]:
    """Tell whether an attempt without an end line can't go on any more: when it was last heard of, if so. *line* is the
    claim of whoever asks."""
    records, path = reading.records, _path(folder, attempt)
    if _opens(os.path.join(folder, "run.%d.release.jsonl" % attempt)):
        return reading.changed
    if records and watch and _is_started_again(records[0], line) and _may_live(folder, records, line):
        who = "attempt %d, of %s," % (attempt, holder(records))
        tell("this task was started again, and %s may still run: it is asked to leave" % who)
        ask_to_leave(folder, attempt, line)
        return leaves(path, float(records[0]["lease"]), lambda: _may_be_gone(folder, records, line))
    over = _is_over(folder, attempt, records, line, watch, tell)
    return reading.changed if over else None


def _is_over(
    folder: str,
    attempt: int,
    records: List[journal.Record],
    line: Dict[str, Any],
    watch: bool,
    tell: Callable[[str], None],
) -> bool:
    path = _path(folder, attempt)
    if not records:
        return watched_in_vain(path, line.get("lease") or LEASE) if watch else _stays_empty(path)
    claim = records[0]
    where = machine.sees(claim, line)
    if where == "here":
        return not _lives_here(folder, records)
    lease = claim.get("lease")  # without one nobody touches that journal, and silence means nothing
    if where == "rebooted" or not (watch and lease):
        return where == "rebooted"
    assert lease
    wait = min(LEASES_TO_WATCH * lease, LONGEST_WATCH)
    tell("attempt %d, of %s, has no end; watching it for %g s" % (attempt, holder(records), wait))
    return watched_in_vain(path, float(lease))


def _is_started_again(claim: journal.Record, line: Dict[str, Any]) -> bool:
    """Tell whether an attempt is of the very task that asks, which its scheduler has given up and started again."""
    return bool(claim.get("lease")) and scheduler.is_same_job(claim.get("scheduler") or {}, line.get("scheduler") or {})


def _may_live(folder: str, records: List[journal.Record], line: Dict[str, Any]) -> bool:
    where = machine.sees(records[0], line)
    return where == "elsewhere" or (where == "here" and _lives_here(folder, records))


def _may_be_gone(folder: str, records: List[journal.Record], line: Dict[str, Any]) -> bool:
    """Tell whether silence is enough to believe that an attempt is gone: here its processes can be looked up."""
    return machine.sees(records[0], line) != "here" or not _lives_here(folder, records)


def _lives_here(folder: str, records: List[journal.Record]) -> bool:
    """Tell whether a process of an attempt of this host lives. Its shim may have died before it named its program."""
    named = [records[0].get("shim"), *[record.get("program") for record in records if record.get("event") == "start"]]
    return any(machine.is_alive(process) for process in named) or bool(processes.of_run(folder))


def ask_to_leave(folder: str, attempt: int, line: Dict[str, Any]) -> None:
    """Ask a live attempt to end: its scheduler has given it up and started its task again."""
    said = {name: line.get(name) for name in ("host", "user", "scheduler")}
    try:
        _create(_fence(folder, attempt), {"event": "fence", "time": journal.now(), **said})
    except OSError:
        return  # then its lease decides


def leaves(
    path: str,
    lease: float,
    may: Callable[[], bool],
    longest: float = LONGEST_WATCH,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Optional[int]:
    """Wait until an attempt that was asked to leave has an end line, or has shown no sign of life for three leases;
    give when it was last heard of, and nothing if it has not left.

    *may*: whether silence is enough to believe that it has gone.
    """
    start = heard = clock()
    seen = _changed(path)
    while clock() - start < longest:
        sleep(min(lease / 4, 15.0))
        reading = journal.read(path)
        if reading.state is not None:
            return reading.changed
        if reading.changed != seen:
            seen, heard = reading.changed, clock()
        elif clock() - heard >= LEASES_TO_WATCH * lease and may():
            return seen
    return None


def later_exists(folder: str, attempt: int) -> bool:
    """Tell whether a later attempt was claimed: this one has lost its right to say `done`."""
    return _opens(_path(folder, attempt + 1))


def done_before(folder: str, attempt: int) -> Optional[int]:
    """Give an earlier attempt that says `done`."""
    for number in range(1, attempt):
        if journal.read(_path(folder, number)).is_done:
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


KEPT, ASKED, LOST = "kept", "asked", "lost"


class Lease:
    """Touches the journal of a running attempt every *lease* seconds, and notices when the attempt must stop."""

    def __init__(self, folder: str, attempt: int, lease: float = LEASE) -> None:
        self._path = os.path.join(folder, journal.numbered("run.jsonl", attempt))
        self._next = os.path.join(folder, journal.numbered("run.jsonl", attempt + 1))
        self._fence = _fence(folder, attempt)
        self._lease = lease
        self._touched = self._looked = time.monotonic()

    def renew(self, now: float) -> str:
        """Touch the journal if it is time to: ``kept``; ``asked`` to leave, the task was started again elsewhere;
        ``lost``, to a later attempt or because the journal was out of reach for two leases. *now* is monotonic."""
        if now - self._looked < self._lease:
            return KEPT
        self._looked = now
        try:
            os.utime(self._path)  # whoever has taken over must see that this one was still alive
            self._touched = now
            if _opens(self._next):
                return LOST
            return ASKED if _opens(self._fence) else KEPT
        except OSError:
            return LOST if now - self._touched >= 2 * self._lease else KEPT
