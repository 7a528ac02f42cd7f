"""A word that nobody knows to the known word that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """Give the candidate that *word* is most likely a slip of, or nothing.

    A slip is a wrong, missing, extra or swapped character. One in three characters may be wrong, none in one or two;
    capitals and ``-`` for ``_`` hardly count. Of equals one with the same first letter wins, then the
    first by name, so the answer never depends on order.
    """
    plain = _plain(word)
    best: tuple[int, int, bool, str] | None = None
    for candidate in set(candidates):
        if candidate == word:
            continue
        limit = max(len(plain), len(candidate)) // 3
        if best is not None:
            limit = min(limit, best[0])
        distance = _distance(plain, _plain(candidate), limit)
        if distance is None:
            continue
        raw = _distance(word, candidate, len(word) + len(candidate)) or 0
        rank = (distance, raw, plain[:1] != _plain(candidate)[:1], candidate)
        if best is None or rank < best:
            best = rank
    return best[3] if best else None


def _plain(word: str) -> str:
    return word.casefold().replace("-", "_")


def _distance(left: str, right: str, limit: int) -> int | None:
    """Count the slips between two words (optimal string alignment), or give nothing if there are more than *limit*."""
    if abs(len(left) - len(right)) > limit:
        return None
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        before, last, row = row, before, [i]
        for j, b in enumerate(right, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return None
    return row[-1] if row[-1] <= limit else None
