"""The runs of a build to one line each: what `xpc list` says of it, in the words of the table of `xpc build`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Final

from xpc.compiler.describe import SHORTEST_ID, row_of
from xpc.grammar.screen import visible

from .command_list import Why, lines
from .output import count

if TYPE_CHECKING:
    from xpc.compiler.plan import Plan, PlannedExperiment
    from xpc.runtime.states import State

    from .fates import Fate, Fates
    from .freshness import Freshness
    from .session import Session
    from .standing import Standings

MOST: Final = 200  # runs that are shown; thousands would bury the scripts
ENDED: Final = ("failed", "timeout", "oom", "killed", "lost", "cancelled")


class WhyHere(Why):
    """Also tells how a run failed where only its log says it, as `xpc status` does: few logs are soon read; and for
    which run one that never began waits in vain."""

    def __init__(self, session: Session, standings: Standings, freshness: Freshness, waiting: Waiting) -> None:
        super().__init__(session, standings, freshness)
        self._waiting = waiting

    def of(self, experiment: str, id: str, state: State) -> str:
        found = super().of(experiment, id, state)
        if found:
            return found
        if state not in ENDED:
            return self._waiting.of(experiment, id)
        from xpc.runtime.triage import explain

        record = self._standings.store.record(experiment, id)
        return visible(explain(record, state, self._session.folder)[0]) if record is not None else ""


class Waiting:
    """Knows of the blocked runs of a plan which run above keeps each from being sent."""

    def __init__(self, plan: Plan, fates: Mapping[str, Fates | None]) -> None:
        self._plan = plan
        self._fates = {name: of for name, of in fates.items() if of is not None and "blocked" in of.fates}
        self._all = fates
        self._known: dict[str, dict[int, Fate]] = {}

    def of(self, experiment: str, id: str) -> str:
        if experiment not in self._fates:
            return ""
        row = row_of(self._plan.tables[experiment], id)
        if row is None or self._by_row(experiment).get(row) != "blocked":
            return ""
        cause = self._cause(experiment, row)
        if cause is None:
            return ""
        name, above, fate = cause
        what = "which failed" if fate == "left" else "whose records can't be read"
        return f"comes after {name} {self._plan.tables[name].id(above)[:SHORTEST_ID]}, {what}"

    def _cause(self, experiment: str, row: int) -> tuple[str, int, Fate] | None:
        """Give the first run above that is itself at fault."""
        for parents in self._plan.tables[experiment].parents:
            known = self._by_row(parents.experiment)
            for parent in parents.of(row):
                fate = known.get(parent)
                if fate in ("left", "unreadable"):
                    return parents.experiment, parent, fate
                if fate == "blocked":
                    return self._cause(parents.experiment, parent)
        return None

    def _by_row(self, experiment: str) -> dict[int, Fate]:
        if experiment not in self._known:
            planned, of = self._plan.experiments.get(experiment), self._all.get(experiment)
            fates = () if planned is None or of is None else of.fates
            self._known[experiment] = {planned.row(at): fate for at, fate in enumerate(fates)} if planned else {}
        return self._known[experiment]


def run_lines(
    session: Session, standings: Standings, plan: Plan, freshness: Freshness, fates: Mapping[str, Fates | None]
) -> Iterator[str]:
    """Give a table for each experiment with the first runs of the plan, and say how many more there are."""
    chosen: dict[str, list[int]] = {}
    left = MOST
    for name, planned in plan.experiments.items():
        chosen[name] = list(islice(_rows(planned), left))
        left -= len(chosen[name])
    if left == MOST:
        return
    why = WhyHere(session, standings, freshness, Waiting(plan, fates))
    yield ""
    yield from lines(session, standings, chosen, why, called=_called)
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
