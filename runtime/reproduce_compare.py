"""A run and its reproduction to what of them is equal: how they ended, metrics, outputs, and what they ran in."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from .environments import Change, changes, environment_of
from .metrics import planned_declarations, read_metrics
from .records import RunRecord, read_run
from .reproduce_metrics import MetricPair, compare_metrics
from .reproduce_original import Original
from .reproduce_outputs import OutputPair, Side, compare_outputs
from .reproduce_project import Reproduction

SCHEMA: Final = "xpc.reproduce/1"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What of a run and its reproduction is equal. *state* and *exit* are pairs; *environment* is nothing where one of
    them recorded none, and *unknown* says which."""

    original: Original
    reproduction: Reproduction
    after: RunRecord
    tolerance: float
    state: tuple[str, str]
    exit: tuple[Any, Any]
    metrics: tuple[MetricPair, ...]
    outputs: tuple[OutputPair, ...]
    environment: tuple[Change, ...] | None
    unknown: str

    @property
    def reproduced(self) -> bool:
        """Tell whether all that was compared is equal; a run that leaves nothing is compared by its end alone."""
        ended = self.state[0] == self.state[1] and self.exit[0] == self.exit[1]
        return ended and all(metric.equal for metric in self.metrics) and all(output.equal for output in self.outputs)

    def record(self) -> dict[str, Any]:
        """Give the JSON form, `xpc.reproduce/1`."""
        original, reproduction = self.original, self.reproduction
        return {
            "schema": SCHEMA,
            "run": original.record.id,
            "experiment": original.record.experiment,
            "attempt": original.record.attempt,
            "snapshot": original.tree,
            "build": original.build.id,
            "reproduction": reproduction.name,
            "folder": os.path.relpath(reproduction.folder, original.project),
            "target": reproduction.target,
            "reproduced": self.reproduced,
            "tolerance": self.tolerance,
            "code": dict(reproduction.code),
            "notes": list(reproduction.notes),
            "state": {"a": self.state[0], "b": self.state[1]},
            "exit": {"a": self.exit[0], "b": self.exit[1]},
            "reason": (self.after.end or {}).get("reason"),
            "metrics": {metric.name: metric.record() for metric in self.metrics},
            "outputs": {output.name: output.record() for output in self.outputs},
            "environment": None if self.environment is None else [change.record() for change in self.environment],
            "environment_unknown": self.unknown or None,
        }


def compare(
    original: Original, reproduction: Reproduction, patterns: Sequence[str], tolerance: float
) -> Comparison | None:
    """Compare a run with a reproduction; nothing if that has not ended."""
    after = read_run(reproduction.folder)
    if after is None or after.end is None:
        return None
    before = original.record
    declared = planned_declarations(original.build.plan, original.run.experiment)
    series = (
        read_metrics(original.folder, before.attempt, declared),
        read_metrics(reproduction.folder, after.attempt, declared),
    )
    sides = (
        Side(original.folder, before, (original.folder, str(original.project))),
        Side(reproduction.folder, after, (reproduction.folder, str(reproduction.project))),
    )
    environment, unknown = _environment(original, reproduction, after)
    return Comparison(
        original,
        reproduction,
        after,
        tolerance,
        (original.state, str(after.end.get("state"))),
        ((before.end or {}).get("exit"), after.end.get("exit")),
        tuple(compare_metrics(*series, patterns, tolerance)),
        tuple(compare_outputs(*sides, tolerance)),
        environment,
        unknown,
    )


def _environment(
    original: Original, reproduction: Reproduction, after: RunRecord
) -> tuple[tuple[Change, ...] | None, str]:
    one = environment_of(original.project, original.record)
    other = environment_of(reproduction.project, after)
    if one is None or other is None:
        neither = one is None and other is None
        return None, "neither run" if neither else "the original" if one is None else "the reproduction"
    return tuple(changes(one, other)), ""
