"""Which runs get a whole page, where there are too many for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from ..states import UNDONE
from .catalog import Catalog


def choose(runs: Catalog, rows: Iterable[Sequence[int]], most: int) -> list[int]:
    """Give the numbers of at most *most* runs, in order.

    First those that ended without being done, or can't be read, up to half of them all: their logs are what one looks
    for. Then running ones, then the runs behind the *rows* of the page's tables, from each row one in turn; then the
    others in the study's order. Runs that never began have nothing to show.
    """
    if most <= 0:
        return []
    states = [state for experiment in runs.experiments for state in experiment.states]
    began = begun(runs)
    if len(began) <= most:
        return began
    faulty = [number for number in began if states[number] in UNDONE or states[number] == "broken"]
    running = (number for number in began if states[number] == "running")
    wanted = chain(faulty[: (most + 1) // 2], running, _in_turn(rows), began)
    may = frozenset(began)
    chosen: set[int] = set()
    for number in wanted:
        if number in may:
            chosen.add(number)
        if len(chosen) == most:
            break
    return sorted(chosen)


def begun(runs: Catalog) -> list[int]:
    """Give the numbers of the runs that have something to show, those among them that wait for another attempt."""
    attempts = (attempt for experiment in runs.experiments for attempt in experiment.shown["attempt"])
    return [number for number, attempt in enumerate(attempts) if attempt is not None]


def _in_turn(rows: Iterable[Sequence[int]]) -> Iterator[int]:
    waiting = [iter(row) for row in rows]
    while waiting:
        left = []
        for row in waiting:
            number = next(row, None)
            if number is not None:
                yield number
                left.append(row)
        waiting = left
