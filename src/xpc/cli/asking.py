"""A plan to what its cluster says to one task of each kind, as diagnostics at the lines that asked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .failure import MISUSE, REFUSED, Stop, refuse
from .output import count

if TYPE_CHECKING:
    from xpc.compiler.emit import Build
    from xpc.compiler.plan import Plan
    from xpc.compiler.plan_arrays import Array
    from xpc.grammar.source import Span

    from .session import Session


def ask_scheduler(session: Session, build: Build) -> str:
    """Let the scheduler look at one job of each resource class; give what there is to say. Ends the command where it
    would refuse one, or can't be asked."""
    plan = build.plan
    firsts: dict[int, Array] = {}
    for array in plan.arrays:
        firsts.setdefault(array.resources, array)
    match plan.target.kind:
        case "slurm":
            _ask_slurm(session, build, firsts.values())
        case "oar":
            _ask_oar(session, plan, firsts.values())
        case _:
            refuse("this machine has no scheduler to ask", help="name a target: `--target NAME`", status=MISUSE)
    if session.diagnostics.failed:
        session.stop_if_failed(status=REFUSED)
    name = plan.target.kind.upper()
    verb = "would take" if plan.target.kind == "slurm" else "has room for"
    kinds = "the one kind" if len(firsts) == 1 else f"all {count(len(firsts), 'kind')}"
    return f"{name} {verb} {kinds} of task."


def _ask_slurm(session: Session, build: Build, arrays: Iterable[Array]) -> None:
    from xpc.compiler.plan_json import script_of
    from xpc.runtime.schedulers.slurm_ask import ask_slurm

    for array in arrays:
        reply = ask_slurm(build.files[script_of(array, "slurm")].decode())
        if not reply.asked:
            raise Stop(REFUSED, f"SLURM can't be asked: {'; '.join(reply.said)}")
        if not reply.granted:
            label = _limit(build.plan, array) if reply.about[:1] == ("time",) else ""
            _report(session, build.plan, array, reply.about, list(reply.said), "SLURM would refuse", label)


def _limit(plan: Plan, array: Array) -> str:
    """Say how long the array's partition lets jobs run."""
    from xpc.compiler.backends.slurm.header import native_options
    from xpc.runtime.schedulers.slurm_ask import time_limit

    partition = native_options(plan.resources[array.resources][0], plan.target).get("partition")
    found = time_limit(None if partition is None else str(partition))
    return "" if found is None else f"; partition `{found[0]}` allows {found[1]}"


def _ask_oar(session: Session, plan: Plan, arrays: Iterable[Array]) -> None:
    from xpc.compiler.backends.oar.header import header
    from xpc.grammar.nearest import nearest
    from xpc.runtime.schedulers.oar_ask import lacks, list_resources

    resources, why = list_resources()
    if resources is None:
        raise Stop(REFUSED, f"OAR can't be asked: {why}")
    for array in arrays:
        request = plan.resources[array.resources][0]
        condition = dict(header(request, plan.target, None)).get("-p", "")
        cores = request.cpus * request.tasks
        for lack in lacks(resources, request.nodes, cores, request.gpus, condition):
            close = nearest(lack.name, lack.known) if lack.name else None
            said = [lack.said, *([f"did you mean `{close}`?"] if close else [])]
            _report(session, plan, array, lack.about, said, "OAR would never start")


def _report(
    session: Session, plan: Plan, array: Array, about: Iterable[str], said: list[str], what: str, more: str = ""
) -> None:
    """Report a refusal, once for each line that asked for it."""
    span = _span(plan, array, about)
    if any((found.code, found.span, found.help) == ("XP147", span, tuple(said)) for found in session.diagnostics.found):
        return
    session.diagnostics.error("XP147", span, f"{what} array `{array.name}`", f"asked here{more}", help=said)


def _span(plan: Plan, array: Array, about: Iterable[str]) -> Span:
    """Give the line that asked for what a refusal is about: of the resources, of the target, else the experiment."""
    experiment = plan.experiments[array.experiment].compiled.experiment
    for name in about:
        for spans in (experiment.resources.spans, plan.target.spans):
            if name in spans:
                return spans[name]
    return experiment.span
