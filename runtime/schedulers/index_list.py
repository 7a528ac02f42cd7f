"""Indices of an array's tasks to the short list that `sbatch --array` takes: `0-479,500,600-998:2`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

SHORTEST = 3  # two neighbours are no range: `5,6` is as long as `5-6`, and easier to read


def index_list(indices: Sequence[int]) -> str:
    """Write ascending indices."""
    return ",".join(_piece(*stretch) for stretch in _stretches(indices))


def split_indices(indices: Sequence[int], longest: int) -> list[Sequence[int]]:
    """Cut ascending indices so that each part's list has at most *longest* characters."""
    parts: list[Sequence[int]] = []
    start = at = length = 0
    for first, step, count in _stretches(indices):
        more = len(_piece(first, step, count)) + 1
        if at > start and length + more > longest + 1:
            parts.append(indices[start:at])
            start, length = at, 0
        at, length = at + count, length + more
    return [*parts, indices[start:at]] if at > start else parts


def _stretches(indices: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Give first index, step and count of each stretch that is as regular as it is long."""
    at, end = 0, len(indices)
    while at < end:
        last = at + 1
        step = indices[last] - indices[at] if last < end else 1
        while last + 1 < end and indices[last + 1] - indices[last] == step:
            last += 1
        count = last - at + 1
        if count < SHORTEST or last >= end:
            count, step = 1, 1
        yield indices[at], step, count
        at += count


def _piece(first: int, step: int, count: int) -> str:
    if count == 1:
        return str(first)
    last = first + step * (count - 1)
    return f"{first}-{last}" if step == 1 else f"{first}-{last}:{step}"
