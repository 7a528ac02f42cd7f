"""`diff`, `ratio` and `p_value`: runs beside their partners among the runs of a baseline."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from .aggregates import mean
from .lookup import Config, Field, Ref
from .planned import Value
from .provenance import Pairing
from .values import frozen
from .view import Runs
from .wilcoxon import p_value

Pairs = Sequence[tuple[float, float]]


@dataclass(slots=True)
class Comparison:
    """What is told of a baseline under a table.

    *runs* of it that were found, of them *undone*; *by* the names that pair; *unpaired* rows of the frame that have no
    partner with a value; *tested*: a p-value is shown.
    """

    condition: str
    runs: int
    undone: int
    by: Sequence[str]
    unpaired: set[int] = field(default_factory=set)
    tested: bool = False


@dataclass(frozen=True, slots=True)
class Baseline:
    """The runs that others are compared with: *rows* of a frame, paired by the keys *by*.

    *partners* are rows by the values of these keys. Of two runs with the same values the first counts.
    """

    rows: Sequence[int]
    by: Sequence[Ref]
    partners: Mapping[Hashable, int]

    def partner(self, key: Hashable) -> int | None:
        return self.partners.get(key)


def baseline_of(runs: Runs, rows: Sequence[int]) -> Baseline:
    """Pair by the keys that vary among the *rows*, less those by which no other run could ever be a partner."""
    by = [ref for ref in _axes(runs) if len(_values(runs, ref, rows)) > 1]
    among = set(rows)
    others = [row for row in range(runs.size) if row not in among]
    for ref in list(by):
        rest = [other for other in by if other != ref]
        foreign = others and _values(runs, ref, rows).isdisjoint(_values(runs, ref, others))
        # Such as a name that was made of the key that tells the baseline from the others.
        if foreign and len(set(keys_of(runs, rest, rows))) == len(set(keys_of(runs, by, rows))):
            by = rest
    partners: dict[Hashable, int] = {}
    for row, key in zip(rows, keys_of(runs, by, rows), strict=True):
        partners.setdefault(key, row)
    return Baseline(rows, by, partners)


def _values(runs: Runs, ref: Ref, rows: Iterable[int]) -> set[Hashable]:
    column = runs.column(ref)
    return {frozen(column[row]) for row in rows}


def keys_of(runs: Runs, by: Sequence[Ref], rows: Iterable[int]) -> list[Hashable]:
    """Give what must be the same for two runs to be partners."""
    columns = [runs.column(ref) for ref in by]
    return [tuple(frozen(column[row]) for column in columns) for row in rows]


def _axes(runs: Runs) -> list[Ref]:
    """Give the experiment and the keys that grids gave; of runs that no grid gives any more, all keys."""
    found: dict[Ref, None] = {Field("experiment"): None}
    for experiment in runs.experiments:
        table = runs.view.tables.get(experiment)
        names = [".".join(path) for path in table.axes] if table is not None else []
        if runs.past:
            names += [name for values in runs.view.past(experiment).values() for name in values]
        found |= {Field("config") if name == "config" else Config(name): None for name in names}
    return list(found)


def pair(
    groups: Sequence[Sequence[int]],
    rows: Sequence[int],
    column: Sequence[Value],
    baseline: Baseline,
    runs: Runs,
) -> Pairing:
    """Pair the runs of each group (places in *rows*) that have a value in *column* (of the whole frame)."""
    keys = keys_of(runs, baseline.by, rows)
    pairs: list[list[tuple[int, int]]] = []
    unpaired: list[list[int]] = []
    for group in groups:
        pairs.append([])
        unpaired.append([])
        for place in group:
            if column[rows[place]] is None:
                continue
            partner = baseline.partner(keys[place])
            if partner is None or column[partner] is None:
                unpaired[-1].append(place)
            else:
                pairs[-1].append((place, partner))
    return Pairing(pairs, unpaired)


# ------------------------------------------------------------------ what is made of pairs


def difference(pairs: Pairs) -> float | None:
    """The mean of what the runs have more than their partners."""
    return mean([own - other for own, other in pairs])


def ratio(pairs: Pairs) -> float | None:
    """The mean of the runs' values over their partners'; null if a partner's is 0."""
    if any(other == 0 for _, other in pairs):
        return None
    return mean([own / other for own, other in pairs])


def probability(pairs: Pairs) -> float | None:
    """The p-value of Wilcoxon's signed-rank test (see `wilcoxon`); infinities have none."""
    if not all(math.isfinite(value) for pair in pairs for value in pair):
        return None
    return p_value(pairs)


OF_PAIRS: Final[Mapping[str, Callable[[Pairs], float | None]]] = {
    "diff": difference,
    "ratio": ratio,
    "p_value": probability,
}
