"""Parents' tables to the points that a child inherits (rule 8): one for each parent, or one for each group of them."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat

from ..grammar.diagnostic import Label
from .expand_grid import MOST_POINTS
from .findings import Abandoned, Findings
from .identity import parents_text
from .product import HIDDEN, Cells, Frame, Origin, Pool, one_row
from .study import After, Experiment
from .table import NONE_HERE, Parents, Table
from .values import Path, dotted

Keys = Iterable[tuple[int, ...]]


class Side:
    """The runs of one ``after``: for each code of its hidden column, the rows of the parent's table."""

    __slots__ = ("after", "members", "starts", "table")

    def __init__(self, after: After, table: Table, members: array[int] | None, starts: array[int] | None) -> None:
        self.after = after
        self.table = table
        self.members = members
        self.starts = starts

    def rows(self, code: int) -> Sequence[int]:
        if self.members is None or self.starts is None:
            return (code,)
        return self.members[self.starts[code] : self.starts[code + 1]]

    def parents(self, codes: Sequence[int]) -> Parents:
        """Give the parents of rows that have these codes."""
        if self.members is None or self.starts is None:
            return Parents(self.after.experiment, array("I", codes))
        rows = array("I")
        offsets = array("Q", [0])
        for code in codes:
            rows.extend(self.members[self.starts[code] : self.starts[code + 1]])
            offsets.append(len(rows))
        return Parents(self.after.experiment, rows, offsets)


def inherit(experiment: Experiment, tables: Mapping[str, Table], findings: Findings) -> tuple[Frame, list[Side]]:
    """Give the points that an experiment begins with, and the runs behind the hidden column of each ``after``."""
    sides: list[Side] = []
    whole: Frame | None = None
    for number, after in enumerate(experiment.after):
        table = tables[after.experiment]
        side, frame = _grouped(after, table) if after.all else _each(after, table)
        frame = frame.with_columns({hidden(number): Cells(range(frame.count), array("I", range(frame.count)))})
        whole = frame if whole is None else _joined(whole, frame, experiment, findings)
        sides.append(side)
    return whole if whole is not None else one_row(), sides


def hidden(number: int) -> Path:
    """Give the hidden column of an experiment's *number*-th ``after``."""
    return (HIDDEN, "parent", str(number))


def parents_texts(frame: Frame, sides: Sequence[Side]) -> Iterator[bytes] | None:
    """Give for each row what ``identity`` hashes of its parents."""
    if not sides:
        return None
    ids = [list(side.table.ids()) for side in sides]
    columns = [frame.columns[hidden(number)].spread(frame.count) for number in range(len(sides))]
    if len(sides) == 1:
        side, own = sides[0], ids[0]
        made = [parents_text([own[row] for row in side.rows(code)]) for code in range(side_count(side))]
        return map(made.__getitem__, columns[0])
    known = list(zip(sides, ids, strict=True))
    return (
        parents_text([own[row] for (side, own), code in zip(known, codes, strict=True) for row in side.rows(code)])
        for codes in zip(*columns, strict=True)
    )


def side_count(side: Side) -> int:
    return side.table.count if side.starts is None else len(side.starts) - 1


# ------------------------------------------------------------------ one parent


def _column(table: Table, path: Path) -> Cells:
    column = table.columns.get(path)
    if column is not None:
        return Cells(column.pool, column.codes)
    return Cells([table.constants[path]], None)


def _each(after: After, table: Table) -> tuple[Side, Frame]:
    origin = Origin("parent", after.span, after.experiment)
    columns = {path: _column(table, path) for path in table.axes}
    return Side(after, table, None, None), Frame(table.count, columns, dict.fromkeys(columns, origin))


def _grouped(after: After, table: Table) -> tuple[Side, Frame]:
    """Give a row for each combination of the `by` keys, in the order in which they first appear."""
    # A key that no run has, one of a branch that is never taken, makes no difference.
    known = [path for path in after.by if path in table.columns or path in table.constants]
    keys = {path: _column(table, path) for path in known}
    codes = [cells.spread(table.count) for cells in keys.values()]
    combinations = zip(*codes, strict=True) if codes else repeat((), table.count)
    groups: dict[tuple[int, ...], array[int]] = {}
    for row, combination in enumerate(combinations):
        groups.setdefault(combination, array("I")).append(row)
    starts = array("Q", [0])
    members = array("I")
    for group in groups.values():
        members.extend(group)
        starts.append(len(members))
    columns = {
        path: cells if cells.codes is None else Cells(cells.pool, array("I", [group[at] for group in groups]))
        for at, (path, cells) in enumerate(keys.items())
    }
    origin = Origin("parent", after.span, after.experiment)
    return Side(after, table, members, starts), Frame(len(groups), columns, dict.fromkeys(columns, origin))


# ------------------------------------------------------------------ two parents


def _joined(left: Frame, right: Frame, experiment: Experiment, findings: Findings) -> Frame:
    """Give the pairs of rows that agree in the keys of both; all pairs if there is no such key."""
    shared = [path for path in right.paths() if path in left.columns]
    if not shared:
        return _crossed(left, right, experiment, findings)
    ours, theirs = _comparable(left, right, shared)
    where: dict[tuple[int, ...], list[int]] = {}
    for row, key in enumerate(theirs):
        where.setdefault(key, []).append(row)
    pairs = [(row, partner) for row, key in enumerate(ours) for partner in where.get(key, ())]
    if not pairs and left.count and right.count:
        names = ", ".join(f"`{dotted(path)}`" for path in shared)
        message = f"no two parents of `{experiment.name}` agree in {names}"
        labels = [Label(experiment.after[0].span, "and a run of these")]
        findings.error("XP068", experiment.after[-1].span, message, "a run of these", labels=labels)
        raise Abandoned
    _check_count(len(pairs), experiment, findings)
    return _side_by_side(
        left.reordered([row for row, _ in pairs]), right.without(*shared).reordered([row for _, row in pairs])
    )


def _crossed(left: Frame, right: Frame, experiment: Experiment, findings: Findings) -> Frame:
    if left.count > 1 and right.count > 1:
        first, last = experiment.after[0], experiment.after[-1]
        findings.warning(
            "XP067",
            last.span,
            f"the parents of `{experiment.name}` share no axis, so each is paired with each: "
            f"{left.count:,} × {right.count:,} runs",
            "no axis in common",
            labels=[Label(first.span, "with this one")],
        )
    _check_count(left.count * right.count, experiment, findings)
    tiled = right.each(lambda codes: codes * left.count, left.count * right.count)
    return _side_by_side(left.repeated(right.count), tiled)


def _check_count(count: int, experiment: Experiment, findings: Findings) -> None:
    if count > MOST_POINTS:
        message = f"the grid of `{experiment.name}` has more than {MOST_POINTS:,} points"
        findings.error("XP062", experiment.after[-1].span, message, f"{count:,} pairs of parents")
        raise Abandoned


def _side_by_side(left: Frame, right: Frame) -> Frame:
    return left.with_columns(right.columns, right.origins | left.origins)


def _comparable(left: Frame, right: Frame, shared: Sequence[Path]) -> tuple[Keys, Keys]:
    """Give the rows of both as tuples of codes that are equal where the values are."""
    ours: list[Iterable[int]] = []
    theirs: list[Iterable[int]] = []
    for path in shared:
        pool = Pool()
        for frame, found in ((left, ours), (right, theirs)):
            cells = frame.columns[path]
            table = {NONE_HERE: NONE_HERE, **{i: pool.code(value) for i, value in enumerate(cells.pool)}}
            found.append(list(map(table.__getitem__, cells.spread(frame.count))))
    return zip(*ours, strict=True), zip(*theirs, strict=True)
