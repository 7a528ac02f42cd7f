"""Whether a plan fits its target: how many tasks a submit would have, whether checkpoints come before time limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final, cast

from ..grammar.diagnostic import Diagnostics
from .plan_arrays import Array
from .plan_resources import Requests
from .study import Experiment, Target

if TYPE_CHECKING:
    from .plan import PlannedExperiment

Waits = Callable[[str, Sequence[str]], Sequence[bool]]
"""Tells which runs of an experiment, by id, are still to be sent."""

NICE: Final = (2, 3, 4, 5, 8, 10, 20, 25, 50)


def check_size(
    target: Target,
    arrays: Sequence[Array],
    experiments: Mapping[str, PlannedExperiment],
    at_once: int,
    diagnostics: Diagnostics,
    waits: Waits | None = None,
) -> None:
    """Report more tasks than a submit to the target may have, with the `pack` line that makes them fit; and more arrays
    *at_once* than tasks may run. *waits* says which runs a submit would send; without it all are counted."""
    most = cast("int | None", target.options.get("max_submit"))
    tasks: Counter[str] = Counter()
    for one in arrays:
        tasks[one.experiment] += one.tasks
    if most is not None and tasks.total() > most and waits is not None:
        tasks = _waiting(arrays, experiments, waits)
    total = tasks.total()
    if most is not None and total > most:
        diagnostics.error(
            "XP144",
            target.spans.get("max_submit"),
            f"{total:,} tasks are more than one submit may have",
            f"at most {most:,}",
            help=_cure(tasks, experiments, most),
        )
    _check_throttle(target, at_once, diagnostics)


def _waiting(arrays: Sequence[Array], experiments: Mapping[str, PlannedExperiment], waits: Waits) -> Counter[str]:
    """Count the tasks that have a run to be sent, by experiment."""
    tasks: Counter[str] = Counter()
    for one in arrays:
        planned = experiments[one.experiment]
        at = one.first - planned.first
        ids = [planned.table.id(planned.row(index)) for index in range(at, at + one.count)]
        sent = iter(waits(one.experiment, ids))
        for rows, many in one.sizes:
            for _ in range(many):
                tasks[one.experiment] += any(list(islice(sent, rows)))
    return tasks


def check_checkpoint(experiment: Experiment, requests: Iterable[Requests], diagnostics: Diagnostics) -> None:
    """Report a checkpoint that would come before its run has begun."""
    checkpoint = experiment.checkpoint
    times = [request.time for attempts in requests for request in attempts if request.time is not None]
    if checkpoint is None or not times or min(times) > checkpoint.before:
        return
    message = f"a run of {min(times) // 60:,} min can't be warned {checkpoint.before:g} s before its time limit"
    diagnostics.error(
        "XP140", checkpoint.span, message, "before it starts", help="warn later, or give the runs a greater `time`"
    )


def _cure(tasks: Counter[str], experiments: Mapping[str, PlannedExperiment], most: int) -> tuple[str, ...]:
    """Give the `pack` line of the experiment with the most tasks, or of several."""
    chosen: list[str] = []
    for name, _ in tasks.most_common():
        chosen.append(name)
        rest = tasks.total() - sum(tasks[each] for each in chosen)
        for runs in _nice():
            fewer = sum(-(-experiments[each].runs // runs) for each in chosen)
            if runs > max(experiments[each].runs for each in chosen):
                break
            if fewer + rest <= most:
                where = f"experiment {' and '.join(chosen)}"
                return (f"`pack {runs}` in {where} gives {fewer + rest:,} tasks",)
    return ("submit a part: `xpc submit EXPERIMENT`, or `--where …`",)


def _nice() -> Iterator[int]:
    yield from NICE
    factor = 100
    while factor <= 1_000_000:
        yield from (factor, 2 * factor, 5 * factor)
        factor *= 10


def _check_throttle(target: Target, at_once: int, diagnostics: Diagnostics) -> None:
    """Say when the arrays that may run at once are more than the tasks that may: each has at least one."""
    throttle = cast("int | None", target.options.get("throttle"))
    if throttle is not None and at_once > throttle:
        diagnostics.warning(
            "XP146",
            target.spans.get("throttle"),
            f"up to {at_once:,} tasks may run at once: so many arrays have one each",
            f"{throttle:,} asked for",
            help="a greater `max_array` or `pack` makes fewer arrays",
        )
