"""Whether a plan fits its target: how many tasks a submit would have, whether checkpoints come before time limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Final, cast

from ..grammar.diagnostic import Diagnostics
from .plan_resources import Requests
from .study import Experiment, Target

if TYPE_CHECKING:
    from .plan import Plan, PlannedExperiment

Sends = Callable[["Plan"], Mapping[str, Collection[int]]]
"""Tells which runs of a plan are to be sent: rows of the experiments' tables."""

NICE: Final = (2, 3, 4, 5, 8, 10, 20, 25, 50)


def check_size(plan: Plan, at_once: int, diagnostics: Diagnostics, sends: Sends | None = None) -> None:
    """Report more tasks than a submit to the target may have, with the `pack` line that makes them fit; and more arrays
    *at_once* than tasks may run. *sends* says which runs are to be sent; without it all are counted."""
    target, experiments = plan.target, plan.experiments
    most = cast("int | None", target.options.get("max_submit"))
    tasks: Counter[str] = Counter()
    for one in plan.arrays:
        tasks[one.experiment] += one.tasks
    part = most is not None and tasks.total() > most and sends is not None
    if part and sends is not None:
        whole, tasks = tasks, _to_send(plan, sends(plan))
        part = tasks != whole
    total = tasks.total()
    if most is not None and total > most:
        diagnostics.error(
            "XP144",
            target.spans.get("max_submit"),
            f"{total:,} tasks are more than one submit may have",
            f"at most {most:,}",
            help=_cure(tasks, experiments, most, part=part),
        )
    _check_throttle(target, at_once, diagnostics)


def _to_send(plan: Plan, rows: Mapping[str, Collection[int]]) -> Counter[str]:
    """Count the tasks that have a run among *rows*, by experiment."""
    tasks: Counter[str] = Counter()
    for one in plan.arrays:
        planned, wanted = plan.experiments[one.experiment], rows.get(one.experiment, ())
        at = one.first - planned.first
        sent = (planned.row(index) in wanted for index in range(at, at + one.count))
        for size, many in one.sizes:
            for _ in range(many):
                tasks[one.experiment] += any(list(islice(sent, size)))
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


def _cure(
    tasks: Counter[str], experiments: Mapping[str, PlannedExperiment], most: int, *, part: bool
) -> tuple[str, ...]:
    """Give the `pack` line of the experiment with the most tasks, or of several. Of a *part* of the runs nobody knows
    how many tasks they share then."""
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
                gives = "gives at most" if part else "gives"
                return (f"`pack {runs}` in {where} {gives} {fewer + rest:,} tasks",)
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
