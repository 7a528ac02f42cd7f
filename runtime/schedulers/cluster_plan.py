"""The rows that a submit sends to the calls of a scheduler that send them: pure, nothing is asked or done here.

A build's arrays cover all its runs. A call sends some tasks of one array: those that wait for the same jobs, and ask
for the same. So the children of done parents go without a dependency, and those of parents in this submit, or in an
earlier one, each in calls of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

from ..build_rows import Tasks
from .index_list import split_indices

LONGEST_LIST: Final = 100_000  # characters of an argument; Linux takes 131,072
PAIRS: Final = 50  # tasks that OAR is asked for in a call each, if each waits for its own parent
GROUPS: Final = 50  # calls for an array whose tasks wait for different jobs of earlier submits


class Flight(NamedTuple):
    """The job that an earlier submit made of a run and, on SLURM, its task there."""

    job: str
    task: int | None


@dataclass(frozen=True, slots=True)
class Waits:
    """What the tasks of a call wait for.

    *pairs* are calls of this submit, and *old_pairs* jobs of earlier ones, where each task waits for the one with its
    own index; of *barriers* and *old* each task waits for everything. (On OAR *old* has the jobs of pairs, too.)
    *loose*: for the end of *old*, however that is: not all tasks wait for all of it, and each looks at its parents'
    records before it starts.
    """

    pairs: tuple[int, ...] = ()
    barriers: tuple[int, ...] = ()
    old_pairs: tuple[str, ...] = ()
    old: tuple[Flight, ...] = ()
    loose: bool = False

    def __bool__(self) -> bool:
        return bool(self.pairs or self.barriers or self.old_pairs or self.old)

    @property
    def here(self) -> bool:
        """Say whether they wait for something that this very submit sends."""
        return bool(self.pairs or self.barriers)


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """One call, counted from 1: *indices* of an array, ascending; *request*: the attempt whose request is asked for.

    *rows* are those that it sends, rows that share a task with one of them included, less those to *leave* alone.
    """

    number: int
    array: str
    experiment: str
    indices: Sequence[int]
    request: int
    waits: Waits
    throttle: int | None
    rows: int
    leave: Sequence[int] = ()


class PlanArray(NamedTuple):
    """An array of the plan; *pairwise*: the arrays where a task waits for the one with its index alone; *requests*: how
    many different ones its attempts have."""

    tasks: Tasks
    pairwise: frozenset[str] = frozenset()
    throttle: int | None = None
    requests: int = 1


class _Key(NamedTuple):
    """Tasks with the same one go in one call."""

    request: int
    pairs: frozenset[int]
    barriers: frozenset[int]
    old_pairs: frozenset[str]
    old: frozenset[Flight]
    loose: bool


@dataclass(slots=True)
class _Group:
    indices: list[int] = field(default_factory=list)
    old: dict[int, frozenset[Flight]] = field(
        default_factory=dict
    )  # the jobs of each index, where they are not in the key


class _Above(NamedTuple):
    """What a list of parents comes to: the tasks of this submit and their calls, and jobs of earlier ones, by array."""

    parents: Sequence[int]
    tasks: Mapping[str, frozenset[int]]
    calls: Mapping[str, frozenset[int]]
    flights: Mapping[str, frozenset[Flight]]


class CallPlanner:
    """Plans the calls of one submit, array by array, parents before children.

    *sent* are the rows to send; *parents* gives those rows that a row waits for, always the same list for the same
    ones; *flights* has the jobs of rows that earlier submits still have queued or running; *request* gives the attempt
    whose request a row needs. The rows to *leave* alone are not run by tasks that hold them beside others.
    """

    def __init__(
        self,
        sent: Iterable[int],
        parents: Callable[[int], Sequence[int]],
        flights: Mapping[int, Flight],
        request: Callable[[int], int],
        *,
        oar: bool = False,
        longest: int = LONGEST_LIST,
        leave: Container[int] = (),
    ) -> None:
        self._sent = frozenset(sent)
        self._parents = parents
        self._flights = flights
        self._request = request
        self._oar = oar
        self._longest = longest
        self._leave = leave
        self._arrays: dict[int, str] = {}  # of each row that is sent or in flight
        self._places: dict[int, int] = {}  # the index of each row that is sent
        self._calls_of: dict[tuple[str, int], int] = {}  # the call of each task that is sent
        self._above: dict[int, _Above] = {}
        self.calls: list[PlannedCall] = []

    def add(self, array: PlanArray) -> None:
        """Plan the calls for one array; those that it comes after have been added before."""
        groups: dict[_Key, _Group] = {}
        name = array.tasks.name
        for index, rows in array.tasks.each():
            self._arrays.update((row, name) for row in rows if row in self._flights)
            if not any(row in self._sent for row in rows):
                continue
            for row in rows:
                self._places[row], self._arrays[row] = index, name
            key, old = self._key(array, index, rows)
            group = groups.setdefault(key, _Group())
            group.indices.append(index)
            if old:
                group.old[index] = old
        if len(groups) > GROUPS:
            groups = _merged(groups)
        parts = [(key, group, part) for key, group in groups.items() for part in self._split(key, group)]
        shares = _shares(array.throttle, [len(part) for _, _, part in parts])
        for (key, group, part), share in zip(parts, shares, strict=True):
            self._call(array, key, group, part, share)

    def _key(self, array: PlanArray, index: int, rows: Sequence[int]) -> tuple[_Key, frozenset[Flight]]:
        """Give what the task waits for and asks for; on OAR the earlier jobs apart, since each task has its own."""
        pairs: set[int] = set()
        barriers: set[int] = set()
        old_pairs: set[str] = set()
        old: frozenset[Flight] = frozenset()
        for above in map(self._above_of, rows):
            for name, calls in above.calls.items():
                if name in array.pairwise and above.tasks[name] == {index}:
                    pairs |= calls
                else:
                    barriers |= calls
            for name, flights in above.flights.items():
                if name in array.pairwise and not self._oar and all(flight.task == index for flight in flights):
                    old_pairs.update(flight.job for flight in flights)
                else:
                    old = old | flights if old else flights
        request = min(max(map(self._request, rows)), array.requests)
        new = request, frozenset(pairs - barriers), frozenset(barriers)
        if self._oar:
            return _Key(*new, frozenset(), frozenset(), bool(old)), old
        return _Key(*new, frozenset(old_pairs), old, False), frozenset()

    def _above_of(self, row: int) -> _Above:
        parents = self._parents(row)
        known = self._above.get(id(parents))
        if known is None:
            tasks: dict[str, set[int]] = {}
            flights: dict[str, set[Flight]] = {}
            for parent in parents:
                if parent in self._places:
                    tasks.setdefault(self._arrays[parent], set()).add(self._places[parent])
                elif parent in self._flights:
                    flights.setdefault(self._arrays[parent], set()).add(self._flights[parent])
            calls = {
                name: frozenset(self._calls_of[name, index] for index in indices) for name, indices in tasks.items()
            }
            known = self._above[id(parents)] = _Above(parents, _frozen(tasks), calls, _frozen(flights))
        return known

    def _split(self, key: _Key, group: _Group) -> list[Sequence[int]]:
        if self._oar and (key.pairs or group.old):
            size = 1 if len(group.indices) <= PAIRS else PAIRS
            return [group.indices[at : at + size] for at in range(0, len(group.indices), size)]
        return split_indices(group.indices, self._longest)

    def _call(self, array: PlanArray, key: _Key, group: _Group, indices: Sequence[int], share: int | None) -> None:
        number = len(self.calls) + 1
        old = key.old.union(*(group.old[index] for index in indices if index in group.old))
        waits = Waits(
            tuple(sorted(key.pairs)),
            tuple(sorted(key.barriers)),
            tuple(sorted(key.old_pairs)),
            tuple(sorted(old, key=_by_number)),
            key.loose,
        )
        rows = [row for index in indices for row in array.tasks.rows(index)]
        leave = sorted(row for row in rows if row in self._leave)
        name, experiment, count = array.tasks.name, array.tasks.experiment, len(rows) - len(leave)
        self.calls.append(PlannedCall(number, name, experiment, indices, key.request, waits, share, count, leave))
        self._calls_of.update(((name, index), number) for index in indices)


def _merged(groups: Mapping[_Key, _Group]) -> dict[_Key, _Group]:
    """Put those together that differ by the jobs of earlier submits alone; they wait for all of them to end."""
    found: dict[_Key, _Group] = {}
    for key, group in groups.items():
        together = found.setdefault(key._replace(old=frozenset(), loose=True) if key.old else key, _Group())
        together.indices += group.indices
        together.old.update(dict.fromkeys(group.indices, key.old) if key.old else group.old)
    for group in found.values():
        group.indices.sort()
    return found


def _by_number(flight: Flight) -> tuple[int, int]:
    return int(flight.job), -1 if flight.task is None else flight.task


T = TypeVar("T")


def _frozen(sets: Mapping[str, set[T]]) -> dict[str, frozenset[T]]:
    return {name: frozenset(found) for name, found in sets.items()}


def _shares(throttle: int | None, sizes: Sequence[int]) -> list[int | None]:
    """Share out how many tasks may run at once, by size; each part gets one at least."""
    if throttle is None:
        return [None] * len(sizes)
    left, tasks = throttle, sum(sizes)
    found: list[int | None] = []
    for size in sizes:
        share = max(1, round(left * size / tasks)) if tasks else 1
        found.append(share)
        left, tasks = max(0, left - share), tasks - size
    return found
