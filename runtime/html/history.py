"""The runs of each experiment to the code versions that they ran with, in order, and what changed between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from .catalog import Catalog, ExperimentRuns
from .code_diff import ALL_BYTES, BYTES, PAIRS, Git, difference


def snapshots(runs: ExperimentRuns) -> list[str]:
    """Give the snapshots of an experiment in the order in which a run first started with each."""
    first: dict[str, int] = {}
    for tree, started in zip(runs.snapshots, runs.shown["started"], strict=True):
        if tree is not None and started is not None:
            first[tree] = min(started, first.get(tree, started))
    return sorted(first, key=lambda tree: (first[tree], tree))


def changes(runs: Catalog, git: Git | None) -> dict[str, Any]:
    """Give, by experiment and snapshot, the difference to the snapshot before it; null for the first one.

    Newer ones come first when there is no room for the text of all.
    """
    found: dict[str, Any] = {}
    room = ALL_BYTES
    for name, trees in sorted(_ordered(runs).items()):
        own: dict[str, Any] = dict.fromkeys(trees[:1])
        for before, after in list(pairwise(trees))[::-1][:PAIRS]:
            made = difference(git, before, after, min(room, BYTES))
            room -= made.bytes
            own[after] = made.shown()
        found[name] = own
    return found


def _ordered(runs: Catalog) -> Mapping[str, Sequence[str]]:
    return {experiment.name: snapshots(experiment) for experiment in runs.experiments}
