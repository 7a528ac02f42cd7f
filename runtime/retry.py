"""What `xpc retry` sends: runs that failed, or that a person named, and what comes after them."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ..grammar.diagnostic import Diagnostics
from .executor.limits import Limits
from .executor.work import Work
from .here import Here
from .records import RunRecord, is_damaged, read_run
from .selection import Selection, select
from .shim import journal, processes
from .shim.place import Place
from .standing import is_here, standing_of
from .states import state_of

WAITING: Final = ("planned", "killed", "lost", "cancelled", "skipped")


@dataclass(frozen=True, slots=True)
class Retry:
    """Which runs: those of a submit's rows that failed; with *named* all of them that are neither done nor running.

    *release*: give those free that have no end line and can't be seen from here; who says so knows that they ended.
    """

    named: bool = False
    release: bool = False


def choose_again(
    place: Place, rows: Iterable[int], limits: Limits, retry: Retry, diagnostics: Diagnostics
) -> Selection | None:
    """Share out *rows*; what comes after a run that is sent is sent too. Nothing if a named run can't be."""
    here = Here()
    chosen = sorted(rows)
    if retry.named and not _set_free(place, chosen, here, retry, diagnostics):
        return None
    selection = select((standing_of(place, row, here) for row in chosen), retry=not retry.named)
    selection.send = sorted([*selection.send, *selection.faults]) if retry.named else selection.send
    selection.faults = []
    selection.send = _with_children(place, selection.send, limits, here)
    return selection


def _with_children(place: Place, send: Sequence[int], limits: Limits, here: Here) -> list[int]:
    """Add what comes after the rows and waits for them, as far as nothing else of theirs is missing."""
    if not send:
        return []
    graph = Work(place, range(place.build.count), limits).graph()
    below = {child for row in send for child in graph.drop(row)} - set(send)
    waiting = [row for row in below if standing_of(place, row, here).state in WAITING]
    work = Work(place, sorted([*send, *waiting]), limits)
    blocked = work.blocked()
    return [row for row in work.rows if row not in blocked or row in set(send)]


def _set_free(place: Place, rows: Sequence[int], here: Here, retry: Retry, diagnostics: Diagnostics) -> bool:
    """Release what has no end line; say which runs nobody may release, or only a person may."""
    free = True
    for row in rows:
        run = place.build.run(row)
        record = read_run(place.run_folder(run))
        state = state_of(record, here)
        if record is None or state not in ("running", "broken"):
            continue
        name = f"run `{run.id[:7]}` of `{run.experiment}`"
        if state == "broken":
            free = free_broken(record, retry, diagnostics) and free
        elif is_here(record, here):
            if here.is_alive(record.claim.get("shim")):
                free = False
                diagnostics.error("XS002", None, f"{name} still runs on this machine", help=who_began(record))
        elif retry.release:
            release(record)
        else:
            free = False
            message = f"{name} has no end, and may still run on {record.claim.get('host')}"
            help = (who_began(record), f"if you know that it has ended: `xpc retry --release {run.id[:7]}`")
            diagnostics.error("XS002", None, message, help=help)
    return free


def free_broken(record: RunRecord, retry: Retry, diagnostics: Diagnostics) -> bool:
    """Release an attempt whose record is damaged, if the person who names it says so; else say why not."""
    short = record.id[:7]
    name = f"run `{short}` of `{record.experiment}`"
    if not is_damaged(record):
        diagnostics.error("XS002", None, f"{name} can't be tried again: {record.broken}")
    elif processes.of_run(record.folder):
        diagnostics.error("XS002", None, f"{name} still runs on this machine", help=f"{record.broken}")
    elif not retry.release:
        message = f"{name} has a damaged record, and nobody can tell whether it has ended: {record.broken}"
        help = f"if you know that it has: `xpc retry --release {short}` runs it again, as its next attempt"
        diagnostics.error("XS002", None, message, help=help)
    else:
        release(record)
        return True
    return False


def who_began(record: RunRecord) -> str:
    return f"attempt {record.attempt} was started by {record.claim.get('user')} at {record.claim.get('time')}"


def release(record: RunRecord) -> None:
    """Note that a person gave the last attempt free. Its shim, if it lives after all, sees the next one and stops."""
    path = os.path.join(record.folder, f"run.{record.attempt}.release.jsonl")
    line = {"event": "release", "time": journal.now(), "user": getpass.getuser(), "host": socket.gethostname()}
    with open(path, "xb") as file:
        file.write(journal.encode(line))
        file.flush()
        os.fsync(file.fileno())
