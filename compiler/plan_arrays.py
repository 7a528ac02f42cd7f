"""Run tables to the arrays of a cluster: which task runs which rows, under which index, after which other arrays.

A child's index is its parent's index in the parent's array, so that task *i* can wait for task *i* alone. Everything is
columns: a row of a table has an array and an index, and no object.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, groupby, repeat
from operator import le, lt
from typing import Final

from ..grammar.diagnostic import Diagnostics
from ..grammar.node import Node
from .plan_resources import Classes, packed
from .study import Experiment
from .table import Parents, Table

NOBODY: Final = 0xFFFFFFFF
MOST_CHILDREN: Final = 50  # arrays that wait for tasks of one array
LONGEST: Final = 60  # of an experiment's name in those of its arrays: OAR keeps 100 characters of a job's
UNKNOWN: Final = 3600  # seconds, for work without a time limit
MOST_SETS: Final = 50  # sets of whole arrays that the runs of an experiment wait for

Ranges = tuple[tuple[int, int], ...]


class Array(Node):
    """Tasks of one experiment that ask for the same: *count* rows of the plan from *first*.

    *resources* is the class of a task, *runs_resources* that of each of its runs. *indices* are ranges (first, how
    many), the k-th index that of the k-th task; *sizes* run lengths: rows a task, how many tasks. Of *after*, task i of
    those in *pairwise* comes before task i alone. *throttle* tasks run at once.
    """

    name: str
    experiment: str
    resources: int
    first: int
    count: int
    after: tuple[str, ...]
    runs_resources: int
    tasks: int
    indices: Ranges
    sizes: Ranges
    side_by_side: bool = False
    pairwise: tuple[str, ...] = ()
    throttle: int | None = None


class Limits(Node):
    """What a target's cluster takes; nothing where it has no such bound."""

    array: int | None
    throttle: int | None


class Places:
    """Where the rows of one table are: the number of the array among all, and the index there."""

    __slots__ = ("arrays", "indices")

    def __init__(self, count: int) -> None:
        self.arrays = array("I", [NOBODY]) * count
        self.indices = array("I", [NOBODY]) * count


class _Near:
    """A parent that each row has one run of: the array and the index of that run, by position among the rows."""

    __slots__ = ("arrays", "indices")

    def __init__(self, parents: Parents, places: Places, rows: Sequence[int]) -> None:
        above = (
            parents.rows
            if isinstance(rows, range) and len(rows) == len(parents.rows)
            else [parents.rows[row] for row in rows]
        )
        self.arrays = list(map(places.arrays.__getitem__, above))
        self.indices = list(map(places.indices.__getitem__, above))


class _Group(Node):
    """Rows, by position, that ask for the same and wait for tasks of the same arrays. *lead* says which of the near
    parents gives the indices; without it they are counted from 0."""

    positions: Sequence[int]
    resources: int
    after: tuple[int, ...]
    lead: int | None
    copies: int


class _Tasks(Node):
    """One array: its rows in order, and the index of each."""

    rows: Sequence[int]
    each: Sequence[int]
    after: tuple[int, ...]
    pairwise: tuple[int, ...]
    resources: int


class Arranger:
    """Arranges experiments one after another, parents first."""

    def __init__(self, limits: Limits, classes: Classes, diagnostics: Diagnostics) -> None:
        self.limits = limits
        self.classes = classes
        self.diagnostics = diagnostics
        self.arrays: list[Array] = []
        self.at_once = 0  # arrays that may run together, once the throttle is shared
        self._places: dict[str, Places] = {}
        self._stems: set[str] = set()
        self._whole: list[int] = []  # of each array, as bits: those that have ended before any of its tasks starts

    def add(
        self, experiment: Experiment, table: Table, rows: Sequence[int], resources: Sequence[int] | int, first: int
    ) -> Sequence[int]:
        """Arrange *rows* of a table; give them in the order in which they are stored, from the plan's row *first*.

        *resources* is the class of each row of the table, or of all.
        """
        if not rows:
            return rows
        known = [
            (parents, self._places[parents.experiment])
            for parents in table.parents
            if parents.experiment in self._places
        ]
        nears = [_Near(parents, places, rows) for parents, places in known if parents.offsets is None]
        waits, sets = self._whole_parents([pair for pair in known if pair[0].offsets is not None], rows)
        groups = self._groups(rows, resources, nears, waits, sets, experiment)
        places = self._places[experiment.name] = Places(table.count)
        order = array("I")
        stem = self._stem(experiment.name)
        before = len(self.arrays)
        size = 1 if experiment.pack is None else experiment.pack.runs
        for tasks in chain.from_iterable(self._tasks(group, rows, nears, size) for group in groups):
            number = len(self.arrays)
            for row, index in zip(tasks.rows, tasks.each, strict=True):
                places.arrays[row] = number
                places.indices[row] = index
            self._keep(tasks, f"{stem}-{number - before + 1}", experiment, first + len(order))
            order.extend(tasks.rows)
        return order

    def _stem(self, experiment: str) -> str:
        """Give what the names of an experiment's arrays begin with: every scheduler takes it, in paths and for jobs."""
        stem = "".join(c if c.isascii() else "_" for c in experiment)[:LONGEST]
        while stem in self._stems:
            stem += "_"
        self._stems.add(stem)
        return stem

    def _keep(self, tasks: _Tasks, name: str, experiment: Experiment, first: int) -> None:
        indices, sizes = _described(tasks.each)
        most = max(size for size, _ in sizes)
        side_by_side = experiment.pack is not None and experiment.pack.side_by_side
        asked = self.classes.all[tasks.resources]
        resources = tasks.resources if most == 1 else self.classes.number(packed(asked, most, side_by_side))
        self._whole.append(0)
        for above in tasks.after:
            own = 0 if above in tasks.pairwise else 1 << above
            self._whole[-1] |= self._whole[above] | own
        self.arrays.append(
            Array(
                name,
                experiment.name,
                resources,
                first,
                len(tasks.rows),
                tuple(self.arrays[above].name for above in tasks.after),
                tasks.resources,
                sum(count for _, count in indices),
                indices,
                sizes,
                side_by_side,
                tuple(self.arrays[above].name for above in tasks.pairwise),
            )
        )

    # ------------------------------------------------------------------ what a row waits for

    def _whole_parents(
        self, known: Sequence[tuple[Parents, Places]], rows: Sequence[int]
    ) -> tuple[Sequence[int] | None, list[frozenset[int]]]:
        """Give the sets of arrays that runs wait for as a whole, and the number of each row's; nothing if none do."""
        if not known:
            return None, [frozenset()]
        numbers: dict[frozenset[int], int] = {}
        finders = [_whole_finder(parents, places) for parents, places in known]
        codes = array("I")
        for row in rows:
            found = finders[0](row) if len(finders) == 1 else frozenset().union(*[find(row) for find in finders])
            codes.append(numbers.setdefault(found, len(numbers)))
        if len(numbers) > MOST_SETS:
            return array("I", bytes(4 * len(rows))), [frozenset().union(*numbers)]
        return codes, list(numbers)

    def _groups(
        self,
        rows: Sequence[int],
        resources: Sequence[int] | int,
        nears: Sequence[_Near],
        waits: Sequence[int] | None,
        sets: Sequence[frozenset[int]],
        experiment: Experiment,
    ) -> list[_Group]:
        """Give the rows in groups: in the order of what they wait for, else in that in which they first appear."""
        own: Iterable[int] = (
            repeat(resources, len(rows)) if isinstance(resources, int) else map(resources.__getitem__, rows)
        )
        waiting: Iterable[int] = repeat(0, len(rows)) if waits is None else waits
        members: dict[tuple[int, ...], list[int]] = {}
        if isinstance(resources, int) and waits is None and not nears:
            members[resources, 0] = range(len(rows))  # type: ignore[assignment]  # only read
        else:
            for position, key in enumerate(zip(own, waiting, *(near.arrays for near in nears), strict=True)):
                group = members.get(key)
                if group is None:
                    members[key] = [position]
                else:
                    group.append(position)
        size = 1 if experiment.pack is None else experiment.pack.runs
        groups = [self._group(key, positions, nears, sets, size) for key, positions in members.items()]
        return sorted(self._bounded(groups, nears, size, experiment), key=lambda group: group.after)

    def _group(
        self,
        key: tuple[int, ...],
        positions: Sequence[int],
        nears: Sequence[_Near],
        sets: Sequence[frozenset[int]],
        size: int,
    ) -> _Group:
        """Let the near parent lead that needs the fewest arrays. Where runs are packed, no parent leads whose tasks
        have one of them each: that would undo the packing."""
        resources, waiting, *above = key
        there = [number for number, one in enumerate(above) if one != NOBODY]
        after = tuple(sorted(sets[waiting].union(above[number] for number in there)))
        lead, copies = None, 0
        for number in there:
            most = max(Counter(map(nears[number].indices.__getitem__, positions)).values())
            needed = -(-most // size)
            if (lead is None or needed < copies) and (size == 1 or most > 1 or len(positions) == 1):
                lead, copies = number, needed
        return _Group(positions, resources, after, lead, copies)

    def _bounded(self, groups: list[_Group], nears: Sequence[_Near], size: int, experiment: Experiment) -> list[_Group]:
        """Let rows wait for a whole array where too many arrays would wait for its tasks one by one."""
        children: Counter[int] = Counter()
        for group in groups:
            if group.lead is not None:
                children[_leader(group, nears)] += group.copies
        many = {above for above, count in children.items() if count > MOST_CHILDREN}
        found = [self._released(group, many, nears, size) for group in groups]
        given_up = [above for above in many if any(a is not b for a, b in zip(found, groups, strict=True))]
        if given_up:
            worst = max(given_up, key=children.__getitem__)
            self.diagnostics.warning(
                "XP145",
                experiment.span,
                f"runs of `{experiment.name}` wait for all of array `{self.arrays[worst].name}`: "
                f"{children[worst]:,} arrays would have to wait for its tasks one by one",
                f"more than {MOST_CHILDREN} runs a parent",
                help=f"`pack {-(-children[worst] * size // MOST_CHILDREN)}` puts that many runs in one task",
            )
        return found

    def _released(self, group: _Group, many: set[int], nears: Sequence[_Near], size: int) -> _Group:
        tasks = -(-len(group.positions) // size)
        dense = 1 if self.limits.array is None else -(-tasks // self.limits.array)
        if group.lead is None or _leader(group, nears) not in many or dense >= group.copies:
            return group
        return group.replace(lead=None, copies=0)

    # ------------------------------------------------------------------ tasks

    def _tasks(self, group: _Group, rows: Sequence[int], nears: Sequence[_Near], size: int) -> Iterator[_Tasks]:
        if group.lead is None:
            yield from self._counted(group, rows, size)
            return
        indices = nears[group.lead].indices
        for positions in _copies(group, indices, size):
            each = [indices[position] for position in positions]
            if not all(map(le, each, each[1:])):
                order = sorted(range(len(each)), key=each.__getitem__)
                positions = [positions[at] for at in order]
                each = [each[at] for at in order]
            agreeing = {
                near.arrays[positions[0]]
                for near in nears
                if near.arrays[positions[0]] != NOBODY
                and (
                    near is nears[group.lead] or all(near.indices[p] == i for p, i in zip(positions, each, strict=True))
                )
            }
            yield _Tasks(
                [rows[position] for position in positions],
                each,
                group.after,
                tuple(above for above in group.after if above in agreeing),
                group.resources,
            )

    def _counted(self, group: _Group, rows: Sequence[int], size: int) -> Iterator[_Tasks]:
        """Count tasks from 0 in each array. Task i of T has rows i, i + T, i + 2T …: neighbours in a grid take alike
        long, and so each task gets some of each."""
        total = -(-len(group.positions) // size)
        cut = self.limits.array or total
        for start in range(0, total, cut):
            stop = min(start + cut, total)
            if size == 1:
                positions = group.positions[start:stop]
                each: Sequence[int] = range(stop - start)
            else:
                tasks = [group.positions[task::total] for task in range(start, stop)]
                positions = list(chain.from_iterable(tasks))
                each = [index for index, task in enumerate(tasks) for _ in task]
            yield _Tasks([rows[p] for p in positions], each, group.after, (), group.resources)

    # ------------------------------------------------------------------ throttle

    def throttled(self) -> tuple[Array, ...]:
        """Give the arrays, each with its share of the target's throttle.

        Of arrays that may run at once each gets one task, and the rest goes by their work: so they end together, and
        never more tasks run than the throttle says, if there are not more such arrays.
        """
        total = self.limits.throttle
        if total is None:
            return tuple(self.arrays)
        below = self._below()
        work = [one.tasks * (self.classes.all[one.resources][0].time or UNKNOWN) for one in self.arrays]
        sums: dict[int, int] = {0: 0}
        shared: list[Array] = []
        self.at_once = 0
        for number, one in enumerate(self.arrays):
            apart = self._whole[number] | below[number]
            count = len(work) - apart.bit_count()
            self.at_once = max(self.at_once, count)
            if apart not in sums:
                sums[apart] = sum(amount for other, amount in enumerate(work) if apart >> other & 1)
            rest = max(0, total - count) * work[number] // (sum(work) - sums[apart])
            shared.append(one.replace(throttle=1 + rest))
        return tuple(shared)

    def _below(self) -> list[int]:
        """Give for each array, as bits, those that start only when all of it has ended."""
        below = [0] * len(self.arrays)
        for number, whole in enumerate(self._whole):
            while whole:
                lowest = whole & -whole
                below[lowest.bit_length() - 1] |= 1 << number
                whole ^= lowest
        return below


def _leader(group: _Group, nears: Sequence[_Near]) -> int:
    assert group.lead is not None
    return nears[group.lead].arrays[group.positions[0]]


def _whole_finder(parents: Parents, places: Places) -> Callable[[int], frozenset[int]]:
    """Give what finds the arrays of a row's parents. Rows that share a parent by `after all` share all of them, so a
    list is known by its first row and its length."""
    known: dict[tuple[int, int], frozenset[int]] = {}
    offsets = parents.offsets
    assert offsets is not None

    def find(row: int) -> frozenset[int]:
        start, stop = offsets[row], offsets[row + 1]
        if start == stop:
            return frozenset()
        key = (parents.rows[start], stop - start)
        if key not in known:
            known[key] = frozenset(map(places.arrays.__getitem__, parents.rows[start:stop])) - {NOBODY}
        return known[key]

    return find


def _copies(group: _Group, indices: Sequence[int], size: int) -> list[Sequence[int]]:
    """Give the positions of each array: of *size* × m rows with one index, m arrays have *size* each."""
    if group.copies == 1:
        return [group.positions]
    copies: list[list[int]] = [[] for _ in range(group.copies)]
    seen: dict[int, int] = {}
    for position in group.positions:
        index = indices[position]
        count = seen.get(index, 0)
        seen[index] = count + 1
        copies[count // size].append(position)
    return list(copies)


def _described(each: Sequence[int]) -> tuple[Ranges, Ranges]:
    """Give ranges of the indices and run lengths of the rows a task, of the ascending index of each row."""
    if each[-1] - each[0] == len(each) - 1 and all(map(lt, each, each[1:])):
        return ((each[0], len(each)),), ((1, len(each)),)
    indices: list[list[int]] = []
    sizes: list[list[int]] = []
    for index, group in groupby(each):
        size = sum(1 for _ in group)
        if indices and index == sum(indices[-1]):
            indices[-1][1] += 1
        else:
            indices.append([index, 1])
        if sizes and sizes[-1][0] == size:
            sizes[-1][1] += 1
        else:
            sizes.append([size, 1])
    return tuple((a, b) for a, b in indices), tuple((a, b) for a, b in sizes)
