"""Run tables to the arrays of a cluster: which task runs which rows, under which index, after which other arrays.

A child's index is its parent's index in the parent's array, so that task *i* can wait for task *i* alone. Everything is
columns: a row of a table has an array and an index, and no object.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, repeat
from typing import Final

from ..grammar.diagnostic import Diagnostics
from ..grammar.node import Node
from .plan_resources import Classes, packed
from .plan_tasks import NOBODY, Group, Near, Ranges, Tasks, described, leader, tasks_of
from .study import Experiment
from .table import Parents, Table

MOST_CHILDREN: Final = 50  # arrays that wait for tasks of one array
LONGEST: Final = 60  # of an experiment's name in those of its arrays: OAR keeps 100 characters of a job's
MOST_SETS: Final = 50  # sets of whole arrays that the runs of an experiment wait for


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


class Arranger:
    """Arranges experiments one after another, parents first."""

    def __init__(self, limits: Limits, classes: Classes, diagnostics: Diagnostics) -> None:
        self.limits = limits
        self.classes = classes
        self.diagnostics = diagnostics
        self.arrays: list[Array] = []
        self._places: dict[str, Places] = {}
        self._stems: set[str] = set()
        self.whole: list[int] = []  # of each array, as bits: those that have ended before any of its tasks starts

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
        nears = [_near(parents, places, rows) for parents, places in known if parents.offsets is None]
        waits, sets = self._whole_parents([pair for pair in known if pair[0].offsets is not None], rows)
        groups = self._groups(rows, resources, nears, waits, sets, experiment)
        places = self._places[experiment.name] = Places(table.count)
        order = array("I")
        stem = self._stem(experiment.name)
        before = len(self.arrays)
        size = 1 if experiment.pack is None else experiment.pack.runs
        for tasks in chain.from_iterable(tasks_of(group, rows, nears, size, self.limits.array) for group in groups):
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

    def _keep(self, tasks: Tasks, name: str, experiment: Experiment, first: int) -> None:
        indices, sizes = described(tasks.each)
        most = max(size for size, _ in sizes)
        side_by_side = experiment.pack is not None and experiment.pack.side_by_side
        asked = self.classes.all[tasks.resources]
        resources = tasks.resources if most == 1 else self.classes.number(packed(asked, most, side_by_side))
        self.whole.append(0)
        for above in tasks.after:
            own = 0 if above in tasks.pairwise else 1 << above
            self.whole[-1] |= self.whole[above] | own
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
        nears: Sequence[Near],
        waits: Sequence[int] | None,
        sets: Sequence[frozenset[int]],
        experiment: Experiment,
    ) -> list[Group]:
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
        nears: Sequence[Near],
        sets: Sequence[frozenset[int]],
        size: int,
    ) -> Group:
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
        return Group(positions, resources, after, lead, copies)

    def _bounded(self, groups: list[Group], nears: Sequence[Near], size: int, experiment: Experiment) -> list[Group]:
        """Let rows wait for a whole array where too many arrays would wait for its tasks one by one."""
        children: Counter[int] = Counter()
        for group in groups:
            if group.lead is not None:
                children[leader(group, nears)] += group.copies
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

    def _released(self, group: Group, many: set[int], nears: Sequence[Near], size: int) -> Group:
        tasks = -(-len(group.positions) // size)
        dense = 1 if self.limits.array is None else -(-tasks // self.limits.array)
        if group.lead is None or leader(group, nears) not in many or dense >= group.copies:
            return group
        return group.replace(lead=None, copies=0)


def _near(parents: Parents, places: Places, rows: Sequence[int]) -> Near:
    every = isinstance(rows, range) and len(rows) == len(parents.rows)
    above = parents.rows if every else list(map(parents.rows.__getitem__, rows))
    return Near(above, places.arrays, places.indices)


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
