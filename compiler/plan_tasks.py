"""Rows that wait for the same arrays to tasks: which rows a task has, and under which index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from operator import le, lt
from typing import Final

from ..grammar.node import Node

NOBODY: Final = 0xFFFFFFFF

Ranges = tuple[tuple[int, int], ...]


class Near:
    """A parent that each row has one run of: the array and the index of that run, by position among the rows."""

    __slots__ = ("arrays", "indices")

    def __init__(self, above: Sequence[int], arrays: Sequence[int], indices: Sequence[int]) -> None:
        """*above* is the parent's row for each position, *arrays* and *indices* give the place of each parent's row."""
        self.arrays = list(map(arrays.__getitem__, above))
        self.indices = list(map(indices.__getitem__, above))


class Group(Node):
    """Rows, by position, that ask for the same and wait for tasks of the same arrays. *lead* says which of the near
    parents gives the indices; without it they are counted from 0."""

    positions: Sequence[int]
    resources: int
    after: tuple[int, ...]
    lead: int | None
    copies: int


class Tasks(Node):
    """One array: its rows in order, and the index of each."""

    rows: Sequence[int]
    each: Sequence[int]
    after: tuple[int, ...]
    pairwise: tuple[int, ...]
    resources: int


def leader(group: Group, nears: Sequence[Near]) -> int:
    assert group.lead is not None
    return nears[group.lead].arrays[group.positions[0]]


def tasks_of(group: Group, rows: Sequence[int], nears: Sequence[Near], size: int, most: int | None) -> Iterator[Tasks]:
    """Give the arrays of a group: up to *size* rows a task, and at most *most* tasks where they are counted from 0."""
    if group.lead is None:
        yield from _counted(group, rows, size, most)
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
            and (near is nears[group.lead] or all(near.indices[p] == i for p, i in zip(positions, each, strict=True)))
        }
        yield Tasks(
            [rows[position] for position in positions],
            each,
            group.after,
            tuple(above for above in group.after if above in agreeing),
            group.resources,
        )


def _counted(group: Group, rows: Sequence[int], size: int, most: int | None) -> Iterator[Tasks]:
    """Count tasks from 0 in each array. Task i of T has rows i, i + T, i + 2T …: neighbours in a grid take alike
    long, and so each task gets some of each."""
    total = -(-len(group.positions) // size)
    cut = most or total
    for start in range(0, total, cut):
        stop = min(start + cut, total)
        if size == 1:
            positions = group.positions[start:stop]
            each: Sequence[int] = range(stop - start)
        else:
            tasks = [group.positions[task::total] for task in range(start, stop)]
            positions = list(chain.from_iterable(tasks))
            each = [index for index, task in enumerate(tasks) for _ in task]
        yield Tasks([rows[p] for p in positions], each, group.after, (), group.resources)


def _copies(group: Group, indices: Sequence[int], size: int) -> list[Sequence[int]]:
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


def described(each: Sequence[int]) -> tuple[Ranges, Ranges]:
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
