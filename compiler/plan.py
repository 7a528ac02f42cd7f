"""Run tables to a plan: what each run executes and asks for, which runs share an array, what it all costs."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from operator import eq
from typing import cast

from ..grammar.diagnostic import Diagnostics
from ..grammar.node import Node
from .cost import Cost, cost
from .fault import EvaluationError
from .fingerprint import Fingerprint, fingerprint, input_contents
from .plan_ancestors import Ancestry
from .plan_arrays import Arranger, Array, Limits
from .plan_distinct import Cell
from .plan_resources import Classes, Requests, classify
from .plan_size import Sends, check_checkpoint, check_size
from .plan_texts import Compiled, compile_texts, report_at
from .plan_throttle import share
from .study import Link, Study, Target
from .table import Parents, Table
from .values import Path


class SnapshotRef(Node):
    """The git tree that runs will see, and the folder of the Experimentfile inside it."""

    tree: str
    prefix: str = ""


class PlannedExperiment(Node):
    """The runs of one experiment that the plan holds.

    *rows* are rows of *table* in the order in which they are stored, array by array (``None``: all, as they are).
    *classes* gives the resource class of each row of the table, or the one of all. *ancestors* are given a row of the
    table, too. *contents* are the hashes of the inputs by name.
    """

    compiled: Compiled
    table: Table
    first: int
    runs: int
    rows: Sequence[int] | None
    classes: Sequence[int] | int
    ancestors: Mapping[str, Parents]
    fingerprint: Fingerprint
    contents: Mapping[str, str | None]

    def row(self, index: int) -> int:
        """Give the table's row of the run that is stored as number *index* of this experiment."""
        return index if self.rows is None else self.rows[index]

    def held(self) -> Container[int] | None:
        """Give the rows of the table that are in the plan; nothing if all are."""
        return None if self.rows is None or self.runs == self.table.count else frozenset(self.rows)

    def class_of(self, row: int) -> int:
        return self.classes if isinstance(self.classes, int) else self.classes[row]


class Plan(Node):
    """Everything that a build holds, as values and columns."""

    project: str
    snapshot: SnapshotRef
    links: tuple[Link, ...]
    target: Target
    experiments: Mapping[str, PlannedExperiment]
    tables: Mapping[str, Table]
    resources: tuple[Requests, ...]
    arrays: tuple[Array, ...]
    cost: Cost


def make_plan(
    study: Study,
    tables: Mapping[str, Table],
    snapshot: SnapshotRef,
    target: Target,
    diagnostics: Diagnostics,
    *,
    code_of: Callable[[Sequence[str]], str],
    content_of: Callable[[str], str | None],
    rows: Mapping[str, Sequence[int]] | None = None,
    sends: Sends | None = None,
) -> Plan | None:
    """Give the plan; nothing after an error.

    *code_of* hashes the snapshot's files that patterns match (none: all of them), the Experimentfile and what it
    includes left out; *content_of* gives the hash of the files that a pattern matches. *rows* are the rows of each
    table that the plan shall hold, ascending; without it all, else an experiment that it does not name has none.
    *sends* says which runs of the plan are to be sent; it is asked only where all of them would be too many.
    """
    compiled = compile_texts(study, tables, target, diagnostics)
    classes = Classes()
    arranger = None if target.kind == "local" else Arranger(_limits(target), classes, diagnostics)
    experiments: dict[str, PlannedExperiment] = {}
    first = 0
    for name, texts in compiled.items():
        table = tables[name]
        requests, own = _requests(texts, table, diagnostics)
        chosen = None if rows is None else rows.get(name, ())
        order = _order(table.count, own, chosen)
        runs = table.count if order is None else len(order)
        numbers = _numbers(requests, own, order, runs, classes)
        if arranger is not None:
            stored = arranger.add(texts.experiment, table, _rows(order, runs), numbers, first)
            order = None if order is None and all(map(eq, stored, range(runs))) else stored
        ancestry = Ancestry(table, tables)
        contents = input_contents(texts.experiment, content_of)
        experiments[name] = PlannedExperiment(
            texts,
            table,
            first,
            runs,
            order,
            numbers,
            {above: ancestry.of(above) for above in texts.ancestors},
            fingerprint(texts.experiment, texts.names, code_of, contents, study.links),
            contents,
        )
        first += runs
    if diagnostics.failed:
        return None
    if arranger is None:
        arrays, at_once = tuple(_arrays(experiments)), 0
    else:
        arrays, at_once = share(arranger.arrays, arranger.whole, classes.all, arranger.limits.throttle)
    planned = {name: found for name, found in experiments.items() if found.runs}
    resources = tuple(classes.all)
    asked = ((a.count, resources[a.runs_resources][0], len(planned[a.experiment].compiled.outputs)) for a in arrays)
    plan = Plan(study.name, snapshot, study.links, target, planned, tables, resources, arrays, cost(asked))
    check_size(plan, at_once, diagnostics, sends)
    if diagnostics.failed:
        return None
    return plan


def _limits(target: Target) -> Limits:
    return Limits(
        cast("int | None", target.options.get("max_array")), cast("int | None", target.options.get("throttle"))
    )


def _rows(order: Sequence[int] | None, runs: int) -> Sequence[int]:
    return range(runs) if order is None else order


def check_plan(
    study: Study,
    tables: Mapping[str, Table],
    target: Target,
    diagnostics: Diagnostics,
    sends: Sends | None = None,
) -> None:
    """Find what is wrong with texts, resources and arrays, all that ``make_plan`` would, without a snapshot."""
    if target.kind != "local":
        nothing = SnapshotRef("")
        make_plan(
            study,
            tables,
            nothing,
            target,
            diagnostics,
            code_of=lambda _paths: "",
            content_of=lambda _path: None,
            sends=sends,
        )
        return
    for name, texts in compile_texts(study, tables, target, diagnostics).items():
        _requests(texts, tables[name], diagnostics)


def _requests(
    texts: Compiled, table: Table, diagnostics: Diagnostics
) -> tuple[Sequence[Requests], Sequence[int] | int]:
    """Give what the runs of an experiment ask for, and which of these each row asks for, or all rows."""

    def report(error: EvaluationError, keys: Sequence[Path], cells: Sequence[Cell]) -> None:
        report_at(error, keys, cells, diagnostics)

    own = Classes()
    experiment = texts.experiment
    classes = classify(experiment.resources, table, experiment.retries, texts.labels, own, report)
    check_checkpoint(experiment, own.all, diagnostics)
    return own.all, classes


def _numbers(
    requests: Sequence[Requests], own: Sequence[int] | int, order: Sequence[int] | None, runs: int, classes: Classes
) -> Sequence[int] | int:
    """Give the plan's numbers for an experiment's own classes, those of runs that are not in the plan left out."""
    if not runs or not requests:
        return 0
    if isinstance(own, int):
        return classes.number(requests[own])
    used = dict.fromkeys(own if order is None else map(own.__getitem__, order))
    numbers = {number: classes.number(requests[number]) for number in used}
    return [numbers.get(number, -1) for number in own]


def _order(count: int, classes: Sequence[int] | int, chosen: Sequence[int] | None) -> Sequence[int] | None:
    """Give the rows grouped by class, classes in the order in which they are first met; nothing if that is as it is."""
    if isinstance(classes, int):
        return chosen
    wanted = range(count) if chosen is None else chosen
    groups: dict[int, list[int]] = {}
    for row in wanted:
        groups.setdefault(classes[row], []).append(row)
    if len(groups) == 1:
        return chosen
    return [row for group in groups.values() for row in group]


def _arrays(experiments: Mapping[str, PlannedExperiment]) -> Iterator[Array]:
    """Give the arrays, parents before children: one for each experiment and resource class."""
    names: dict[tuple[str, int], str] = {}
    for name, planned in experiments.items():
        above = _classes_above(planned, experiments)
        for number, (resources, start, count) in enumerate(_stretches(planned), 1):
            names[name, resources] = f"{name}-{number}"
            wanted = above.get(resources, ())
            after = tuple(names[key] for key in sorted(wanted, key=_by_number(names)) if key in names)
            whole, one_each = ((0, count),), ((1, count),)
            place = planned.first + start
            yield Array(names[name, resources], name, resources, place, count, after, resources, count, whole, one_each)


def _by_number(names: Mapping[tuple[str, int], str]) -> Callable[[tuple[str, int]], int]:
    place = {key: number for number, key in enumerate(names)}
    return lambda key: place.get(key, -1)


def _stretches(planned: PlannedExperiment) -> list[tuple[int, int, int]]:
    """Give class, first stored row and number of rows of each group."""
    if isinstance(planned.classes, int):
        return [(planned.classes, 0, planned.runs)] if planned.runs else []
    counts: dict[int, int] = {}
    for row in range(planned.table.count) if planned.rows is None else planned.rows:
        number = planned.classes[row]
        counts[number] = counts.get(number, 0) + 1
    found, start = [], 0
    for number, count in counts.items():
        found.append((number, start, count))
        start += count
    return found


def _classes_above(
    planned: PlannedExperiment, experiments: Mapping[str, PlannedExperiment]
) -> dict[int, set[tuple[str, int]]]:
    """Give, by class, the experiments and classes of the runs that must come before."""
    found: dict[int, set[tuple[str, int]]] = {}
    for parents in planned.table.parents:
        above = experiments.get(parents.experiment)
        if above is None or not above.runs:
            continue
        held = above.held()
        if isinstance(planned.classes, int) and isinstance(above.classes, int) and held is None:
            found.setdefault(planned.classes, set()).add((parents.experiment, above.classes))
            continue
        for row in range(planned.table.count) if planned.rows is None else planned.rows:
            mine = found.setdefault(planned.class_of(row), set())
            mine.update(
                (parents.experiment, above.class_of(parent))
                for parent in parents.of(row)
                if held is None or parent in held
            )
    return found
