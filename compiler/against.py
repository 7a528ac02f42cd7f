"""Two plans of a project, an earlier and the present one, to what lies between them: runs, commands, code, cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Literal

from ..grammar import tree
from ..grammar.node import Node
from .against_values import ValueChange, value_changes
from .cost import Cost, cost
from .kinship import Kinship, PastRun, find_kin
from .plan import Plan, PlannedExperiment
from .plan_arrays import Array
from .plan_resources import Requests
from .values import Absent, Path, dotted

PARTS: Final = ("command", "environment", "inputs")
NOTHING: Final = Cost(0.0, 0.0, 0)

Entry = tuple[str, str]
"""Mode and content of a file, as git names them."""

Code = Callable[[Sequence[str]], Mapping[str, Entry]]
"""Gives the files of a snapshot that patterns match (none: all), by path; the Experimentfile is none of them."""


class Side(Node):
    """One state of the project. *code* asks its snapshot, as ``make_plan`` does."""

    plan: Plan
    code: Code


class CodeChange(Node):
    """Files that count as an experiment's code, by what happened to them; sorted."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    dropped: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        return tuple(sorted((*self.added, *self.changed, *self.dropped)))


class RequestChange(Node):
    """So many of the runs that stay ask for *now* instead of *before*."""

    runs: int
    before: Requests
    now: Requests


class Share(Node):
    """What an experiment has of a plan: arrays, how many of their tasks run at once, what all its runs cost."""

    arrays: int = 0
    throttles: tuple[int | None, ...] = ()
    cost: Cost = NOTHING


class Rows(Node):
    """The runs of one side of an experiment: the planned experiment and, by id, the row."""

    planned: PlannedExperiment
    by_id: Mapping[str, int]

    @property
    def rows(self) -> Sequence[int]:
        return list(self.by_id.values())


class Change(Node):
    """What becomes of one experiment. *added*, *dropped*, *kept* and *altered* (a part of *kept*) are ids.

    *parts* of the fingerprint differ, for all kept runs alike; *texts* are the commands where these are written anew,
    *inputs* the files whose content differs. *code* is no alteration of a run, but makes it stale.
    """

    name: str
    status: Literal["added", "dropped", "altered", "unchanged"]
    before: Rows | None
    now: Rows | None
    added: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    texts: tuple[str, str] | None = None
    inputs: tuple[str, ...] = ()
    code: CodeChange = CodeChange((), (), ())
    requests: tuple[RequestChange, ...] = ()
    values: tuple[ValueChange, ...] = ()
    shares: tuple[Share, Share] = (Share(), Share())

    @property
    def runs(self) -> tuple[int, int]:
        return len(self.dropped) + len(self.kept), len(self.added) + len(self.kept)

    @property
    def is_code_other(self) -> bool:
        """Tell whether the code part of the fingerprint differs."""
        if self.before is None or self.now is None:
            return False
        return self.before.planned.fingerprint.code != self.now.planned.fingerprint.code


class Comparison(Node):
    """*kin* are the added runs that are dropped ones with a key more, by experiment."""

    changes: tuple[Change, ...]
    kin: tuple[Kinship, ...]
    costs: tuple[Cost, Cost]


def compare(before: Side | None, now: Side) -> Comparison:
    """Give what changed; without an earlier side everything is added."""
    old = _all_rows(before.plan) if before is not None else {}
    new = _all_rows(now.plan)
    found: dict[str, Change] = {}
    for name in [*new, *(name for name in old if name not in new)]:
        found[name] = _change(name, old.get(name), new.get(name), before, now, found)
    kin = find_kin(now.plan.tables, _past_runs(found.values()))
    added = {name: set(change.added) for name, change in found.items()}
    named = (replace(k, runs=tuple(pair for pair in k.runs if pair[0] in added.get(k.experiment, ()))) for k in kin)
    costs = (before.plan.cost if before is not None else NOTHING, now.plan.cost)
    return Comparison(tuple(found.values()), tuple(k for k in named if k.runs), costs)


def _all_rows(plan: Plan) -> dict[str, Rows]:
    found = {}
    for name, planned in plan.experiments.items():
        ids = planned.table.ids()
        if planned.rows is None:
            found[name] = Rows(planned, {id: row for row, id in enumerate(ids)})
        else:
            found[name] = Rows(planned, {planned.table.id(row): row for row in sorted(planned.rows)})
    return found


def _change(
    name: str, old: Rows | None, new: Rows | None, before: Side | None, now: Side, above: Mapping[str, Change]
) -> Change:
    shares = _share(name, before), _share(name, now)
    if old is None or before is None:
        assert new is not None
        return Change(name, "added", None, new, added=tuple(new.by_id), shares=shares)
    if new is None:
        return Change(name, "dropped", old, None, dropped=tuple(old.by_id), shares=shares)
    kept = tuple(id for id in new.by_id if id in old.by_id)
    requests, asked = _requests(name, old, new, kept, before, now)
    parts = tuple(part for part in PARTS if _part(old, part) != _part(new, part))
    told = [change for name in _ancestors(new, now) if name in above for change in above[name].values]
    change = Change(
        name,
        "unchanged",
        old,
        new,
        added=tuple(id for id in new.by_id if id not in old.by_id),
        dropped=tuple(id for id in old.by_id if id not in new.by_id),
        kept=kept,
        altered=kept if parts else asked,
        parts=parts,
        texts=_texts(old, new),
        inputs=_inputs(old, new),
        code=_code(old, new, before, now),
        requests=requests,
        values=_values(old, new, told),
        shares=shares,
    )
    return change.replace(status="altered" if _differs(change) else "unchanged")


def _differs(change: Change) -> bool:
    was, is_ = change.shares
    arrays = was.replace(cost=NOTHING) != is_.replace(cost=NOTHING)
    runs = change.added or change.dropped or change.altered
    return bool(runs or change.values or arrays or change.parts or change.requests or change.is_code_other)


def _values(old: Rows, new: Rows, told: Sequence[ValueChange]) -> tuple[ValueChange, ...]:
    return value_changes((old.planned.table, old.rows), (new.planned.table, new.rows), told)


def _ancestors(side: Rows, now: Side) -> list[str]:
    """Give the experiments whose points a point of this one has in it, however far up."""
    found: dict[str, None] = {}
    open = [parents.experiment for parents in side.planned.table.parents]
    while open:
        name = open.pop()
        found[name] = None
        open += [p.experiment for p in now.plan.tables[name].parents if p.experiment not in found]
    return list(found)


def _part(side: Rows, part: str) -> str:
    found: str = getattr(side.planned.fingerprint, part)
    return found


def _texts(old: Rows, new: Rows) -> tuple[str, str] | None:
    """Give both commands as they are written, if they are written differently."""
    texts = [side.planned.compiled.experiment.run for side in (old, new)]
    was, is_ = ("" if text is None else text.span.text for text in texts)
    return None if was == is_ else (was, is_)


# ------------------------------------------------------------------ files


def _inputs(old: Rows, new: Rows) -> tuple[str, ...]:
    """Give the input files that both sides have, with another content, as they are written."""
    was, is_ = _contents(old), _contents(new)
    return tuple(path for path in sorted(was.keys() & is_.keys()) if was[path] != is_[path])


def _contents(side: Rows) -> dict[str, str | None]:
    planned = side.planned
    files = planned.compiled.experiment.inputs
    return {_written(file.path): planned.contents[file.name] for file in files}


def _written(path: tree.Text) -> str:
    """Give a path without placeholders as it is; another one as it stands in the Experimentfile."""
    return path.plain if path.plain is not None else path.span.text.strip("\"'")


def _code(old: Rows, new: Rows, before: Side, now: Side) -> CodeChange:
    if old.planned.fingerprint.code == new.planned.fingerprint.code:
        return CodeChange((), (), ())
    was = before.code(old.planned.compiled.experiment.code)
    is_ = now.code(new.planned.compiled.experiment.code)
    return CodeChange(
        tuple(sorted(is_.keys() - was.keys())),
        tuple(sorted(path for path in was.keys() & is_.keys() if was[path] != is_[path])),
        tuple(sorted(was.keys() - is_.keys())),
    )


# ------------------------------------------------------------------ what runs ask for


def _requests(
    name: str, old: Rows, new: Rows, kept: Sequence[str], before: Side, now: Side
) -> tuple[tuple[RequestChange, ...], tuple[str, ...]]:
    """Give the requests that differ, the most frequent first, and the runs that they are of.

    Where no run stays, what the first runs ask for is compared.
    """
    if not kept:
        first = [s.plan.resources[_arrays(name, s)[0].runs_resources] for s in (before, now)]
        return (() if first[0] == first[1] else (RequestChange(0, *first),)), ()
    pairs = [(old.planned.class_of(old.by_id[id]), new.planned.class_of(new.by_id[id])) for id in kept]
    counts = Counter(pairs)
    other = {pair for pair in counts if before.plan.resources[pair[0]] != now.plan.resources[pair[1]]}
    changes = tuple(
        RequestChange(number, before.plan.resources[pair[0]], now.plan.resources[pair[1]])
        for pair, number in counts.most_common()
        if pair in other
    )
    return changes, tuple(id for id, pair in zip(kept, pairs, strict=True) if pair in other) if other else ()


def _arrays(name: str, side: Side | None) -> list[Array]:
    return [] if side is None else [array for array in side.plan.arrays if array.experiment == name]


def _share(name: str, side: Side | None) -> Share:
    arrays = _arrays(name, side)
    if side is None or not arrays:
        return Share()
    outputs = len(side.plan.experiments[name].compiled.outputs)
    bound = cost((array.count, side.plan.resources[array.runs_resources][0], outputs) for array in arrays)
    return Share(len(arrays), tuple(dict.fromkeys(array.throttle for array in arrays)), bound)


# ------------------------------------------------------------------ kinship


def _past_runs(changes: Iterable[Change]) -> dict[str, list[PastRun]]:
    """Give the dropped runs with the keys that they had, as if they were done."""
    found = {}
    for change in changes:
        if change.dropped and change.added and change.before is not None:
            keys = _Keys(change.before)
            found[change.name] = [PastRun(id, keys.of(id)) for id in change.dropped]
    return found


class _Keys:
    """The dotted keys that each run of a side has; those that all have are looked at once."""

    def __init__(self, side: Rows) -> None:
        table = side.planned.table
        self.side, self.table = side, table
        self.columns: tuple[Path, ...] = tuple(path for path in table.order if path in table.columns)
        self.constants = frozenset(dotted(path) for path in table.order if path not in table.columns)

    def of(self, id: str) -> frozenset[str]:
        row = self.side.by_id[id]
        own = (dotted(path) for path in self.columns if not isinstance(self.table.value(path, row), Absent))
        return self.constants.union(own)
