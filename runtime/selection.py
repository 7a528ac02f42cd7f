"""Which runs a submit sends: what is planned or was interrupted, a failure only if it changed, never what is done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

State = Literal[
    "planned", "queued", "running", "done", "failed", "killed", "timeout", "oom", "lost", "cancelled", "skipped"
]
FAULTS: Final = ("failed", "timeout", "oom")  # the program's own doing: the same again would end the same
INTERRUPTED: Final = ("planned", "killed", "lost", "cancelled", "skipped")


@dataclass(frozen=True, slots=True)
class Standing:
    """A run before a submit: *same* when its last attempt had this very fingerprint and request."""

    row: int
    experiment: str
    state: State
    same: bool


@dataclass(slots=True)
class Selection:
    """Rows by what happens to them; *faults* failed with this very code and request and are left alone."""

    send: list[int] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    busy: list[int] = field(default_factory=list)
    faults: list[int] = field(default_factory=list)


def select(standings: Iterable[Standing], *, retry: bool = False) -> Selection:
    """Share out the runs. With *retry* the faults are what is sent, and nothing else."""
    found = Selection()
    for standing in standings:
        if standing.state == "done":
            found.done.append(standing.row)
        elif standing.state in ("queued", "running"):
            found.busy.append(standing.row)
        elif standing.state in FAULTS:
            (found.send if retry or not standing.same else found.faults).append(standing.row)
        elif not retry:
            found.send.append(standing.row)
    return found
