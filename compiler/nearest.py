"""A name that nobody knows to the known name that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Give the name in *known* that is closest to *name* by edit distance, or nothing if none is close."""
    limit = max(1, (len(name) + 1) // 3)
    best: tuple[int, str] | None = None
    for other in known:
        if abs(len(other) - len(name)) > limit:
            continue
        away = 0 if other.casefold() == name.casefold() else distance(name, other, limit)
        if away <= limit and (best is None or (away, other) < best):
            best = (away, other)
    if best is None and len(name) >= 2:
        ends = sorted(other for other in known if other.endswith("." + name))
        return ends[0] if ends else None
    return best[1] if best else None


def distance(left: str, right: str, limit: int) -> int:
    """Give the number of insertions, deletions, replacements and swaps of neighbours, or more than *limit*."""
    before: list[int] = []
    last = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        row = [i]
        for j, b in enumerate(right, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and b == left[i - 2]:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
        before, last = last, row
    return last[-1]


def did_you_mean(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Give the help line that offers the nearest name, or none."""
    found = nearest(name, list(known))
    return (f"did you mean `{found}`?",) if found is not None else ()
