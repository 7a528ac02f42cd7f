"""Queued runs to why they wait, in their scheduler's words; and what keeps a cluster's states from being known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .store import Store
from .submissions import cut_submissions

if TYPE_CHECKING:
    from .query.view import View

NAMES: Final = {"slurm": "SLURM", "oar": "OAR"}
HELD: Final = frozenset(("JobHeldUser", "Hold"))
CUT: Final = "held by a cut submit: `xpc submit` goes on"


@dataclass(frozen=True, slots=True)
class Waiting:
    """*runs* queued ones wait for the same *reason*; *cut*: a submit that was cut has not let them go."""

    reason: str
    runs: int
    cut: bool = False

    def record(self) -> dict[str, Any]:
        return {"reason": self.reason, "runs": self.runs, "cut": self.cut}


def waiting_runs(view: View, rows: Mapping[str, Sequence[int]] | None) -> tuple[Waiting, ...]:
    """Group the queued runs of the study, or of those *rows*, by the reason that a scheduler gave; most first."""
    held_back: frozenset[str] | None = None
    found: dict[tuple[str, bool], int] = {}
    for name in view.tables:
        ids, states = view.ids(name), view.states(name)
        told = view.store.clusters.of(name)
        for row in range(len(ids)) if rows is None else rows.get(name, ()):
            word = told.get(ids[row]) if states[row] == "queued" else None
            if word is None or not word.reason:
                continue
            cut = False
            if word.reason in HELD:
                if held_back is None:
                    held_back = frozenset(job for cut in cut_submissions(view.store.project) for job in cut.held)
                cut = view.store.clusters.held[name, ids[row]].job in held_back
            found[word.reason, cut] = found.get((word.reason, cut), 0) + 1
    groups = (Waiting(reason, runs, cut) for (reason, cut), runs in found.items())
    return tuple(sorted(groups, key=lambda group: (group.cut, -group.runs, group.reason)))


def notes(store: Store) -> tuple[str, ...]:
    """Say which schedulers could not be asked, and what a submit that was cut may have sent."""
    found = [
        f"{NAMES.get(kind, kind)} could not be asked ({said}): the states are those of the records"
        for kind, said in store.clusters.silent.items()
    ]
    if store.clusters.any:
        tasks = sum(call.tasks for cut in cut_submissions(store.project) for call in cut.open)
        if tasks:
            noun = "task" if tasks == 1 else "tasks"
            found.append(f"a cut submit may have sent {tasks:,} {noun} more: `xpc submit` looks them up and goes on")
    return tuple(found)


def render_waiting(groups: Iterable[Waiting]) -> str:
    """Give a line a group: `40 queued: Resources`."""
    return "\n".join(
        f"{group.runs:,} {CUT}" if group.cut else f"{group.runs:,} queued: {group.reason}" for group in groups
    )
