"""The bare keys of config groups (``model from "configs/model/*.yaml"``): part of the point, not of the config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .study import Axis, Branch, Combination, Experiment, Grid, GridExpr, GridItem
from .values import Path

Labels = Mapping[Path, tuple[Path, ...]]
"""By bare key: the keys that its files set."""


def labels_of(name: str, experiments: Mapping[str, Experiment]) -> dict[Path, tuple[Path, ...]]:
    """Give the bare keys that the points of an experiment have, those of its parents' points included."""
    found: dict[Path, tuple[Path, ...]] = {}
    todo, seen = [name], set()
    while todo:
        experiment = experiments.get(todo.pop())
        if experiment is None or experiment.name in seen:
            continue
        seen.add(experiment.name)
        for axis in _axes(experiment.grid):
            if axis.label is not None:
                found[axis.label] = axis.keys
        todo.extend(after.experiment for after in experiment.after)
    return found


def _axes(grid: GridExpr | None) -> Iterator[Axis]:
    match grid:
        case Grid(items=items):
            yield from _inside(items)
        case Combination(left=left, right=right):
            yield from _axes(left)
            yield from _axes(right)


def _inside(items: tuple[GridItem, ...]) -> Iterator[Axis]:
    for item in items:
        match item:
            case Axis():
                yield item
            case Branch(arms=arms):
                for arm in arms:
                    yield from _inside(arm.body)
