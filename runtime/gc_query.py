"""A condition to the recorded runs for which it holds, whether or not the study still describes them."""

from __future__ import annotations

from collections.abc import Sequence

from ..grammar import tree
from ..grammar.diagnostic import Diagnostics
from .names import plain_key
from .query.context import context_of
from .query.lookup import Field
from .query.planned import Value
from .query.rows import RunRows
from .query.view import Runs, View
from .store import Store

Run = tuple[str, str]  # experiment and id

STATUS = (("status",), ("run", "status"))


class Recorded(View):
    """All runs that have a folder or lie in a pack, by their own records; metrics are as their builds declare them."""

    def __init__(self, store: Store) -> None:
        super().__init__({}, store)
        self._values: dict[str, dict[str, dict[str, Value]]] = {}

    def past(self, experiment: str) -> dict[str, dict[str, Value]]:
        """Give the values of the runs, by id; none of a run that never got as far as to claim them."""
        if experiment not in self._values:
            claimed = self.store.claimed(experiment)
            self._values[experiment] = {
                id: {plain_key(key): value for key, value in self._of(experiment, id, claimed).items()}
                for id in self.store.ids(experiment)
            }
        return self._values[experiment]

    def _of(self, experiment: str, id: str, claimed: dict[str, dict[str, Value]]) -> dict[str, Value]:
        if id in claimed:
            return claimed[id]
        record = self.store.whole_record(experiment, id)
        values = record.claim.get("values") if record is not None else None
        return values if isinstance(values, dict) else {}


def recorded(
    condition: tree.Expr, view: Recorded, diagnostics: Diagnostics, experiments: Sequence[str]
) -> list[Run] | None:
    """Give the runs of *experiments* for which *condition* holds; nothing if it is wrong, which has been reported."""
    context = context_of(view, experiments, diagnostics, past=True)
    runs = Runs(view, experiments, past=True)
    found = RunRows(context, runs, range(runs.size)).condition(condition)
    if found is None:
        return None
    names = zip(runs.column(Field("experiment")), runs.column(Field("id")), strict=True)
    return [run for run, holds in zip(names, found, strict=True) if holds]


def asks_for_done(expr: tree.Expr) -> bool:
    """Tell whether a condition says itself that done runs are meant: `status == done`, `status in [failed, done]`."""
    match expr:
        case tree.Binary(operator="and" | "or", left=left, right=right):
            return asks_for_done(left) or asks_for_done(right)
        case tree.Binary(operator="==", left=left, right=right):
            return (_is_status(left) and _is_done(right)) or (_is_status(right) and _is_done(left))
        case tree.Binary(operator="in", left=left, right=tree.ListOf(items=items)):
            return _is_status(left) and any(map(_is_done, items))
        case tree.Binary(operator="in", left=left, right=tree.Values(values=values)):
            return _is_status(left) and "done" in values
        case _:
            return False


def _is_status(expr: tree.Expr) -> bool:
    return isinstance(expr, tree.Name) and expr.path in STATUS


def _is_done(expr: tree.Expr) -> bool:
    return (isinstance(expr, tree.Name) and expr.path == ("done",)) or (
        isinstance(expr, tree.Text) and expr.plain == "done"
    )
