"""The runs of a build to one line each: what `xpc list` says of it, in the words of the table of `xpc build`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Final

from xpc.grammar.screen import visible

from .command_list import Why, lines
from .output import count

if TYPE_CHECKING:
    from xpc.compiler.plan import Plan, PlannedExperiment
    from xpc.runtime.states import State

    from .freshness import Freshness
    from .session import Session
    from .standing import Standings

MOST: Final = 200  # runs that are shown; thousands would bury the scripts
ENDED: Final = ("failed", "timeout", "oom", "killed", "lost", "cancelled")


class WhyWithLogs(Why):
    """Also tells how a run failed where only its log says it, as `xpc status` does: few logs are soon read."""

    def of(self, experiment: str, id: str, state: State) -> str:
        found = super().of(experiment, id, state)
        if found or state not in ENDED:
            return found
        from xpc.runtime.triage import explain

        record = self._standings.store.record(experiment, id)
        return visible(explain(record, state, self._session.folder)[0]) if record is not None else ""


def run_lines(session: Session, standings: Standings, plan: Plan, freshness: Freshness) -> Iterator[str]:
    """Give a table for each experiment with the first runs of the plan, and say how many more there are."""
    chosen: dict[str, list[int]] = {}
    left = MOST
    for name, planned in plan.experiments.items():
        chosen[name] = list(islice(_rows(planned), left))
        left -= len(chosen[name])
    if left == MOST:
        return
    yield ""
    yield from lines(session, standings, chosen, WhyWithLogs(session, standings, freshness), called=_called)
    more = sum(planned.runs for planned in plan.experiments.values()) - (MOST - left)
    if more:
        yield f"and {count(more, 'run')} more: `xpc list` has all of them"


def _rows(planned: PlannedExperiment) -> range | list[int]:
    """Give the rows as the study has them: a plan sorts them by what they ask for."""
    return range(planned.runs) if planned.rows is None else sorted(planned.rows)


def _called(state: State, why: str) -> str:
    """Give the word that `xpc build` counts a run under."""
    if state == "done":
        return "stale" if why else "done"
    return "new" if state in ("planned", "skipped") else state
