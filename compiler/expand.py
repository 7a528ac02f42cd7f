"""A study to run tables: every point of every experiment, its values and its id, in columns."""

from __future__ import annotations

from collections.abc import Collection

from ..grammar.diagnostic import Diagnostics, Label
from .expand_grid import GridExpansion
from .expand_table import assemble
from .findings import Abandoned, Findings
from .join import inherit
from .study import Experiment, Study
from .table import Table


def expand(study: Study, diagnostics: Diagnostics, only: Collection[str] | None = None) -> dict[str, Table]:
    """Give the table of each experiment, parents before children; with *only*, of these and their ancestors.

    An experiment with a mistake in it has been reported and has no table, nor have its descendants.
    """
    wanted = set(study.experiments) if only is None else ancestors(study, only)
    tables: dict[str, Table] = {}
    for name, experiment in study.experiments.items():
        if name not in wanted or name in study.faulty:
            continue
        if any(after.experiment not in tables for after in experiment.after):
            continue
        try:
            tables[name] = expand_experiment(experiment, tables, Findings(diagnostics))
        except Abandoned:
            continue
    return tables


def ancestors(study: Study, names: Collection[str]) -> set[str]:
    """Give these experiments and all that they come after."""
    found: set[str] = set()
    todo = [name for name in names if name in study.experiments]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo.extend(after.experiment for after in study.experiments[name].after)
    return found


def expand_experiment(experiment: Experiment, tables: dict[str, Table], findings: Findings) -> Table:
    """Give the table of one experiment whose parents have theirs; ``Abandoned`` if it can't be had."""
    frame, sides = inherit(experiment, tables, findings)
    expansion = GridExpansion(experiment, findings)
    repeated = frozenset(path for axis in experiment.repeats for path in axis.keys)
    if experiment.grid is not None:
        frame = expansion.expand(experiment.grid, frame, repeated)
    for axis in experiment.repeats:
        frame = expansion.axis(axis, frame, "")
    frame = expansion.constraints.apply(frame, ())
    if not frame.count:
        _warn_of_nothing(experiment, expansion, findings)
    return assemble(experiment, frame, sides, findings, surprising=not expansion.merged)


def _warn_of_nothing(experiment: Experiment, expansion: GridExpansion, findings: Findings) -> None:
    """Say which constraints have left no point; silent where the parents have none, which has been said of them."""
    effective = list(dict.fromkeys(constraint.span for constraint in expansion.constraints.effective))
    if not effective:
        return
    *others, last = effective
    labels = [Label(span, "takes points away too") for span in others]
    message = f"no point of `{experiment.name}` is left"
    findings.warning("XP061", last, message, "takes the last ones away", labels=labels)
