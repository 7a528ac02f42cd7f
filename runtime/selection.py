"""Which runs a submit sends: what is planned or was interrupted, a failure only if it changed, never what is done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from .states import State

FAULTS: Final = ("failed", "timeout", "oom")  # the program's own doing: the same again would end the same


@dataclass(frozen=True, slots=True)
class Standing:
    """A run before a submit. *same*: it would do the same again."""

    row: int
    state: State
    same: bool = True


@dataclass(slots=True)
class Selection:
    """Rows by what happens to them.

    *busy* ones run or are queued elsewhere, *faults* failed with this very code and request, *broken* ones have records
    that can't be read: all these are left alone. *blocked* ones would be sent, but a parent of theirs is neither done
    nor sent.
    """

    send: list[int] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    busy: list[int] = field(default_factory=list)
    faults: list[int] = field(default_factory=list)
    broken: list[int] = field(default_factory=list)
    blocked: list[int] = field(default_factory=list)


def select(standings: Iterable[Standing], *, retry: bool = False) -> Selection:
    """Share out the runs. With *retry* the faults are sent, and nothing else."""
    found = Selection()
    for standing in standings:
        match standing.state:
            case "done":
                found.done.append(standing.row)
            case "queued" | "running":
                found.busy.append(standing.row)
            case "broken":
                found.broken.append(standing.row)
            case "failed" | "timeout" | "oom":
                (found.send if retry or not standing.same else found.faults).append(standing.row)
            case "planned" | "killed" | "lost" | "cancelled" | "skipped":
                if not retry:
                    found.send.append(standing.row)
    return found
