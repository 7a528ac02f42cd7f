"""Done runs to what has changed since they ran: whether each would come out the same today, and why not.

Runs with the same fingerprint, snapshot and build are judged once, however many they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from .parents_again import ParentsAgain
from .stale import Stale, together
from .stale_causes import Causes, fingerprint_fields

if TYPE_CHECKING:
    from xpc.compiler.plan import Plan
    from xpc.runtime.accepted import Acceptance

    from .session import Session
    from .standing import Standings

UNKNOWN: Final = "nobody knows with what it ran"

Fingerprint = Mapping[str, str]
Ran = tuple[tuple[tuple[str, str], ...], str, str]
"""With what a run ran: its fingerprint, the tree of its snapshot, its build."""


class Freshness:
    """Why runs of *plan* are stale, if they are."""

    def __init__(self, session: Session, standings: Standings, plan: Plan) -> None:
        self._store = standings.store
        self._plan = plan
        self._causes = Causes(session, standings.store, plan)
        self._parents = ParentsAgain(standings.store, plan)
        self._known: dict[tuple[str, Ran], str] = {}
        self._why: dict[str, dict[str, Stale]] = {}

    def why(self, experiment: str) -> Mapping[str, Stale]:
        """Give, by id, what has changed since for each done run of the experiment that is stale."""
        if experiment not in self._why:
            self._why[experiment] = dict(self._stale(experiment))
        return self._why[experiment]

    def _stale(self, experiment: str) -> Iterator[tuple[str, Stale]]:
        planned = self._plan.experiments[experiment]
        rows = [planned.row(index) for index in range(planned.runs)]
        states = self._store.states(experiment, [planned.table.id(row) for row in rows])
        rows = [row for row, state in zip(rows, states, strict=True) if state == "done"]
        if not rows:
            return
        done, now = [planned.table.id(row) for row in rows], fingerprint_fields(planned)
        columns = (self._store.field(experiment, done, name) for name in ("fingerprint", "snapshot", "build"))
        again = self._parents.of(planned, rows, done)
        for id, recorded, snapshot, build in zip(done, *columns, strict=True):
            own = "" if recorded == now else self._cause(experiment, _ran(recorded, snapshot, build))
            parent = again.get(id)
            if own:
                accepted = self._store.accepted.of(experiment, id, recorded)
                since = [self._since(experiment, each, now) for each in accepted]
                own = "" if "" in since else (since or [own])[0]
            if parent is not None and self._is_accepted(experiment, id, recorded, parent.lineage):
                parent = None
            if own or parent is not None:
                yield id, together(own, parent, recorded)

    def _since(self, experiment: str, accepted: Acceptance, now: Fingerprint) -> str:
        """Give what has changed since a run was accepted."""
        if accepted.fingerprint == now:
            return ""
        return self._cause(experiment, _ran(accepted.fingerprint, accepted.snapshot, ""))

    def _is_accepted(self, experiment: str, id: str, recorded: Any, lineage: str) -> bool:
        found = self._store.accepted.of(experiment, id, recorded)
        return any(each.lineage.get(id) == lineage for each in found)

    def _cause(self, experiment: str, ran: Ran) -> str:
        if (experiment, ran) not in self._known:
            then, snapshot, build = ran
            planned = self._plan.experiments[experiment]
            causes = self._causes.of(planned, dict(then), snapshot, build) if then else [UNKNOWN]
            self._known[experiment, ran] = "; ".join(causes)
        return self._known[experiment, ran]


def _ran(recorded: Any, snapshot: Any, build: Any) -> Ran:
    """Give what a record tells in a form that can be looked up; what makes no sense there is left out."""
    whole = isinstance(recorded, Mapping) and recorded and all(isinstance(part, str) for part in recorded.values())
    return (
        tuple(sorted(recorded.items())) if whole else (),
        snapshot if isinstance(snapshot, str) else "",
        build if isinstance(build, str) else "",
    )
