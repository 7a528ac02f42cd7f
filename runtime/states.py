"""Records and evidence to states: one written table, and nothing guessed into `failed`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, Protocol, get_args

from .records import RunRecord

State = Literal[
    "planned",
    "queued",
    "running",
    "done",
    "failed",
    "timeout",
    "oom",
    "killed",
    "lost",
    "cancelled",
    "skipped",
    "broken",
]

STATES: Final[tuple[State, ...]] = get_args(State)
"""In the order in which people are shown them; `broken` is a record that can't be read."""

UNDONE: Final = frozenset(("failed", "timeout", "oom", "killed", "lost", "cancelled", "skipped"))
"""Ended, and not done: a child of such a run that never started is `skipped`."""


class ProcessEvidence(Protocol):
    """What can be seen of processes from here."""

    @property
    def host(self) -> str: ...
    @property
    def boot(self) -> str: ...
    def is_alive(self, process: object) -> bool:
        """Say whether the process that a record names ``{"pid", "start"}`` is there; of this host and boot only."""
        ...


def state_of(record: RunRecord | None, evidence: ProcessEvidence, queued: bool = False) -> State:
    """Give the state of a run.

    ==========================================  ==========================================
    no journal                                  `queued` if a live submission holds it, else `planned`
                                                (and then `skipped` if a parent ended and is not done: `skips`)
    a journal that can't be read                `broken`
    an end line                                 what it says; `queued` if it is not done and submitted again
    no end line, released by a person           `lost`, or `queued`
    no end line, claimed on this host and boot  `running` while shim or program lives, else `lost`
    no end line, claimed on another boot here   `lost`: nothing survives a boot
    no end line, claimed elsewhere              `running`: nothing says otherwise
    ==========================================  ==========================================
    """
    if record is None:
        return "queued" if queued else "planned"
    if record.broken is not None:
        return "broken"
    if record.end is not None:
        return "queued" if queued and record.end["state"] != "done" else said(record.end)
    if not record.claim:
        return "lost"  # cut off in its very first line
    if record.released:
        return "queued" if queued else "lost"
    if record.claim.get("host") != evidence.host:
        return "running"
    if record.claim.get("boot") != evidence.boot:
        return "lost"
    processes = [record.claim.get("shim"), (record.start or {}).get("program")]
    if any(evidence.is_alive(process) for process in processes):
        return "running"
    return "queued" if queued else "lost"


def said(end: Mapping[str, Any]) -> State:
    """Give the state that an end line names; `records` has called a record with another one broken."""
    for state in STATES:
        if end["state"] == state:
            return state
    raise ValueError(f"no state: {end['state']}")


def skips(state: State, parents: Iterable[State]) -> bool:
    """Say whether a run that never started is `skipped` because of what became of its parents."""
    return state == "planned" and any(parent in UNDONE for parent in parents)
