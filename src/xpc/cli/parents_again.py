"""Done runs to those whose parents were run again since: what they have read is an earlier result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xpc.runtime.shim.guard import lineage

from .stale import Stale

if TYPE_CHECKING:
    from xpc.compiler.plan import Plan, PlannedExperiment
    from xpc.runtime.store import Store


@dataclass(frozen=True, slots=True)
class Attempts:
    """The done attempts of an experiment's runs, by row: what names each (nothing where none is done), and its time."""

    experiment: str
    ids: Sequence[str]
    nonces: Sequence[str | None]
    started: Sequence[Any]


class ParentsAgain:
    """Compares the attempts of parents that runs have read with those that are done now."""

    def __init__(self, store: Store, plan: Plan) -> None:
        self._store = store
        self._plan = plan
        self._known: dict[str, Attempts] = {}
        self._lineages: dict[tuple[Any, ...], str] = {}

    def of(self, planned: PlannedExperiment, rows: Sequence[int], ids: Sequence[str]) -> dict[str, Stale]:
        """Find the done runs whose parents, all of them done, are not the attempts that the runs have read."""
        above = [(parents, self._attempts(parents.experiment)) for parents in planned.table.parents]
        if not above:
            return {}
        name, found = planned.compiled.experiment.name, {}
        columns = (self._store.field(name, ids, field) for field in ("lineage", "started"))
        for row, id, read, started in zip(rows, ids, *columns, strict=True):
            parents = [(them, parent) for ours, them in above for parent in ours.of(row)]
            nonces = tuple(them.nonces[parent] for them, parent in parents)
            if None in nonces:
                continue  # it is not done just now: what it gives then will tell
            later = [(them, parent) for them, parent in parents if _after(them.started[parent], started)]
            if (read != self._lineage(nonces)) if isinstance(read, str) else later:
                found[id] = _run_again(later or parents[:1], self._lineage(nonces))
        return found

    def _attempts(self, experiment: str) -> Attempts:
        if experiment not in self._known:
            ids = list(self._plan.tables[experiment].ids())
            states = self._store.states(experiment, ids)
            nonces, started = (self._store.field(experiment, ids, name) for name in ("nonce", "started"))
            done = [str(nonce or "") if state == "done" else None for nonce, state in zip(nonces, states, strict=True)]
            self._known[experiment] = Attempts(experiment, ids, done, started)
        return self._known[experiment]

    def _lineage(self, nonces: tuple[Any, ...]) -> str:
        if nonces not in self._lineages:
            self._lineages[nonces] = lineage(nonces)
        return self._lineages[nonces]


def _after(parent: Any, child: Any) -> bool:
    return isinstance(parent, str) and isinstance(child, str) and parent > child


def _run_again(parents: Sequence[tuple[Attempts, int]], lineage: str) -> Stale:
    """Name the parents that were run again."""
    first, row = parents[0]
    more = f" and {len(parents) - 1:,} more" if len(parents) > 1 else ""
    verb = "were" if more else "was"
    experiments = " and ".join(dict.fromkeys(them.experiment for them, _ in parents))
    return Stale(
        f"its parent {first.experiment} {first.ids[row][:7]}{more} {verb} run again",
        f"a parent in {experiments} was run again",
        lineage=lineage,
    )
