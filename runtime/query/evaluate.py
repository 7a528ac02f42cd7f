"""A query and a view of the runs to a result: from, where, group, show, having, keep, sort, limit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence

from ...grammar import tree
from ...grammar.diagnostic import Diagnostics
from ..states import STATES
from .bulk import grouped
from .cells import default_groups, default_runs, label, picked, show, unit_of
from .chosen import chosen
from .context import context_of, experiments_of
from .expressions import Column, Context
from .lookup import Field
from .order import arrange
from .parts import Parts, gather
from .result import Result, ResultColumn
from .rows import GroupRows, RunRows
from .trace import RunTrace
from .values import frozen
from .view import Runs, View
from .walk import has_name, has_reduction, shape


def evaluate(query: tree.Query, view: View, diagnostics: Diagnostics, title: str | None = None) -> Result | None:
    """Answer a query; nothing if something in it is wrong, which has been reported then."""
    parts = gather(query.clauses)
    experiments = experiments_of(parts, view, diagnostics)
    before = len(diagnostics.found)
    if experiments is None:
        return None
    for clause in query.clauses:
        if isinstance(clause, tree.Plot):
            message = "a query gives a table, and this is a plot"
            diagnostics.error("XQ032", clause.span, message, help="draw it: `xpc plot` takes the same text")
    context = context_of(view, experiments, diagnostics, past=parts.past)
    result = _Evaluation(
        parts, Runs(view, experiments, past=parts.past, attempts=parts.attempts, superseded=parts.superseded), context
    ).result(title)
    failed = any(finding.severity == "error" for finding in diagnostics.found[before:])
    return None if failed else result


def select(
    condition: tree.Expr, view: View, diagnostics: Diagnostics, experiments: Sequence[str] | None = None
) -> dict[str, list[int]] | None:
    """Give the rows of each experiment's table for which a `--where` holds; nothing if it is wrong."""
    chosen = list(view.tables) if experiments is None else list(experiments)
    context = context_of(view, chosen, diagnostics)
    runs = Runs(view, chosen)
    found = RunRows(context, runs, range(runs.size)).condition(condition)
    if found is None:
        return None
    kept: dict[str, list[int]] = {}
    start = 0
    for experiment in chosen:
        size = view.tables[experiment].count
        kept[experiment] = [row for row in range(size) if found[start + row]]
        start += size
    return kept


class _Evaluation:
    """One query on its way."""

    def __init__(self, parts: Parts, runs: Runs, context: Context) -> None:
        self.parts = parts
        self.runs = runs
        self.context = context

    def result(self, title: str | None) -> Result:
        kept, candidates = chosen(self.parts, self.runs, self.context)
        selected = RunRows(self.context, self.runs, kept)
        rows, columns = self._rows(selected)
        order = arrange(self.parts, rows)
        limit = int(self.parts.limit.count.value) if self.parts.limit is not None else len(order)
        total, order = len(order), order[:limit]
        states = self.runs.column(Field("status"))
        among = set(kept)
        left_out = [row for row in candidates if row not in among]
        groups = [[row] for row in order] if isinstance(rows, RunRows) else [rows.groups[row] for row in order]
        absent = self._absent(rows, order, left_out)
        ids = self.runs.column(Field("id"))
        return Result(
            columns=picked(columns, order),
            size=len(order),
            total=total,
            grouped=isinstance(rows, GroupRows),
            sources=tuple([ids[selected.rows[place]] for place in group] for group in groups),
            undone=self._undone(selected, groups, absent) if self.parts.group_by is not None else (),
            left_out=_by_state(states[row] for row in left_out),
            waiting=_by_state(states[row] for row in kept if states[row] != "done"),
            missing=dict(self.context.missing),
            unkept=self.context.unkept,
            comparisons=tuple(found[1] for found in self.context.comparisons.values() if found is not None),
            beyond=tuple(self.context.beyond),
            broken=tuple(self._broken()),
            title=title,
            trace=RunTrace(self.runs, selected.rows, order, groups, absent, rows.inputs),
        )

    # -------------------------------------------------------------- rows

    def _rows(self, selected: RunRows) -> tuple[RunRows | GroupRows, list[ResultColumn]]:
        cells = self.parts.cells
        if self.parts.group_by is not None:
            return self._grouped(self.parts.group_by, selected)
        if any(has_reduction(cell.expr) for cell in cells):
            whole = GroupRows(selected, [range(selected.size)], {})
            return whole, show(cells, whole)
        return selected, show(cells, selected) if self.parts.show is not None else default_runs(selected)

    def _grouped(self, clause: tree.GroupBy, selected: RunRows) -> tuple[GroupRows, list[ResultColumn]]:
        different = {shape(key, self.context.catalog): key for key in clause.keys}
        columns = [selected.key(key) for key in different.values()]
        known = [column for column in columns if column is not None]
        groups = list(_groups(known, selected.size).values()) if len(known) == len(columns) else []
        firsts = [group[0] for group in groups]
        catalog = self.context.catalog
        keys: dict[Hashable, Column] = {}
        shown: list[ResultColumn] = []
        for (form, key), column in zip(different.items(), columns, strict=True):
            values = [column[row] for row in firsts] if column is not None else []
            keys[form] = values
            shown.append(ResultColumn(label(key), values, unit=unit_of(key, catalog), key=True))
        rows = GroupRows(selected, groups, keys)
        rows.key_names = [column.name for column in shown]
        if self.parts.show is None:
            return rows, [*shown, *default_groups(rows)]
        # A key that `show` names stands where the key does, under the name that it is given there.
        again = {shape(cell.expr, catalog) for cell in self.parts.cells if has_name(cell.expr)}
        own = [column for column, form in zip(shown, different, strict=True) if form not in again]
        return rows, [*own, *show(self.parts.cells, rows, own)]

    # -------------------------------------------------------------- what is said beside the rows

    def _absent(self, rows: RunRows | GroupRows, order: Sequence[int], left_out: Sequence[int]) -> list[Sequence[int]]:
        """Give for each row the runs that would belong to it, had `where` not left them out for their state."""
        if isinstance(rows, RunRows):
            return [()] * len(order)
        if self.parts.group_by is None:
            return [left_out] * len(order)
        others = RunRows(self.context, self.runs, left_out)
        columns = [others.evaluate(key) for key in self.parts.group_by.keys]
        found = _groups([column for column in columns if column is not None], others.size)
        keys = list(rows.keys.values())
        of_row = (found.get(tuple(frozen(key[row]) for key in keys), ()) for row in order)
        return [[left_out[place] for place in places] for places in of_row]

    def _undone(
        self, selected: RunRows, groups: Sequence[Sequence[int]], absent: Sequence[Sequence[int]]
    ) -> tuple[Mapping[str, int], ...]:
        """Count for each group the runs that belong to it, or would, and are not done."""
        states = self.runs.column(Field("status"))
        rows = ([*(selected.rows[place] for place in group), *more] for group, more in zip(groups, absent, strict=True))
        return tuple(Counter(states[row] for row in every if states[row] != "done") for every in rows)

    def _broken(self) -> list[str]:
        records = self.runs.view.store.broken()
        return [f"runs/{r.experiment}/{r.id}" for r in records if r.experiment in self.runs.experiments]


def _groups(columns: Sequence[Column], size: int) -> dict[tuple[Hashable, ...], list[int]]:
    """Give the rows of each combination of values, in the order in which these come first."""
    return grouped(columns, size)


def _by_state(states: Iterable[str]) -> dict[str, int]:
    counted = Counter(states)
    return {state: counted[state] for state in STATES if counted[state]}
