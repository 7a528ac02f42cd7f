"""What `xpc build` says of a build: to people, and to machines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from .output import columns, count, duration, size
from .session import BUILDS
from .tally import Tally, cost_to_send
from .target_notes import target_notes

if TYPE_CHECKING:
    from xpc.compiler.cost import Cost
    from xpc.compiler.emit import Build
    from xpc.compiler.kinship import Kinship
    from xpc.compiler.plan import Plan
    from xpc.compiler.plan_arrays import Array
    from xpc.compiler.plan_resources import Request
    from xpc.compiler.snapshot import Snapshot

    from .again import Again
    from .session import Session

NEW_FILE = re.compile(r".* added \([0-9a-f]+\)( and [0-9,]+ more)?$")  # a reason: nothing but new files
REASONS = 8  # lines that name what is stale, or what is left alone
ALWAYS = ("new", "done", "stale", "failed")
SOMETIMES = ("queued", "running", "killed", "lost", "cancelled", "broken")


def summary(session: Session, build: Build, tallies: Mapping[str, Tally], again: Again, *, written: bool) -> str:
    """Give the snapshot, a table of the experiments, what there is to submit and what it costs at most."""
    plan = build.plan
    lines = [f"Snapshot {session.snapshot.tree[:7]}: {origin(session.snapshot)}.", "", _table(plan, tallies), ""]
    lines += stale_lines(plan, tallies, again)
    send = sum(found.send.total() for found in tallies.values())
    if send:
        arrays = sum(found.arrays for found in tallies.values())
        bounds = _bounds(cost_to_send(plan, tallies))
        lines.append(f"To submit: {count(send, 'run')} in {count(arrays, 'array')}; at most {bounds}.")
    else:
        lines.append("Nothing to submit.")
    unreadable = sum(found.unreadable for found in tallies.values())
    blocked = sum(found.blocked for found in tallies.values())
    if blocked:
        failed = "failed or can't be read" if unreadable else "failed"
        lines.append(f"{blocked:,} {'waits' if blocked == 1 else 'wait'} for parents that {failed}.")
    left = sum(found.left for found in tallies.values())
    if left:
        lines.append(f"{left:,} failed with this very code: `xpc retry` runs {'it' if left == 1 else 'them'} again.")
    if unreadable:
        have, them = ("has", "it") if unreadable == 1 else ("have", "them")
        lines.append(f"{unreadable:,} {have} records that can't be read: `xpc status` names {them}.")
    lines += target_notes(plan)
    where = f"see {BUILDS}/{build.id}/submit.sh" if written else "not written (dry run)"
    lines.append(f"Build {build.id[:7]}, {where}")
    return "\n".join(lines)


def _table(plan: Plan, tallies: Mapping[str, Tally]) -> str:
    states = [*ALWAYS, *(s for s in SOMETIMES if any(found.states[s] for found in tallies.values()))]
    rows = [["experiment", "runs", *states, "each", "arrays"]]
    for name, planned in plan.experiments.items():
        arrays = [array for array in plan.arrays if array.experiment == name]
        classes = {array.runs_resources for array in arrays}
        each = _each(plan, arrays[0]) + (" …" if len(classes) > 1 else "")
        numbers = [f"{tallies[name].states[state]:,}" for state in states]
        rows.append([name, f"{planned.runs:,}", *numbers, each, str(len(arrays))])
    return columns(rows, [False, *[True] * (1 + len(states)), False, True])


def _each(plan: Plan, array: Array) -> str:
    """Say what a task asks for, and for how many runs if they are packed."""
    runs = max(size for size, _ in array.sizes)
    text = asked(plan.resources[array.resources][0])
    return text if runs == 1 else f"{text} for {runs:,} runs"


def origin(snapshot: Snapshot) -> str:
    """Say where a snapshot's code is from."""
    if snapshot.head is None:
        return "the working tree, nothing committed yet"
    if not snapshot.dirty:
        return f"commit {snapshot.head[:7]}, nothing changed since"
    parts = [f"{count(len(snapshot.changed), 'file')} changed"] if snapshot.changed else []
    if snapshot.untracked:
        parts.append(f"{len(snapshot.untracked):,} new" if parts else f"{count(len(snapshot.untracked), 'file')} new")
    return f"the working tree, {' and '.join(parts)} since {snapshot.head[:7]}"


def asked(request: Request) -> str:
    """Say what one run asks for: `2 CPU, 8 GiB, 30 min`."""
    parts = []
    if request.gpus:
        parts.append(f"{request.gpus} GPU")
    cpus = request.cpus * request.tasks
    if not request.gpus or cpus > 1:
        parts.append(f"{cpus} CPU")
    if request.memory is not None:
        parts.append(size(request.memory))
    if request.time is not None:
        parts.append(duration(request.time))
    text = ", ".join(parts)
    return f"{request.nodes} nodes with {text}" if request.nodes > 1 else text


def _bounds(cost: Cost) -> str:
    parts = []
    if cost.gpu_hours:
        parts.append(f"{cost.gpu_hours:,.4g} GPU-hours")
    if cost.core_hours is not None:
        parts.append(f"{cost.core_hours:,.4g} core-hours")
    parts.append(f"{cost.inodes:,} files")
    return ", ".join(parts)


def stale_lines(plan: Plan, tallies: Mapping[str, Tally], again: Again) -> list[str]:
    """Say what is stale and why, and what may be done about it or will be."""
    reasons = [(name, why, runs) for name, found in tallies.items() for why, runs in found.why.most_common()]
    lines = [f"stale: {count(runs, 'run')} of {name}: {why}" for name, why, runs in reasons[:REASONS]]
    if more := reasons[REASONS:]:
        lines.append(
            f"stale: {count(sum(runs for *_, runs in more), 'run')} for {len(more):,} other reasons: `xpc list`"
        )
    stale, resent = sum(runs for *_, runs in reasons), sum(found.again for found in tallies.values())
    if resent:
        lines.append(f"{count(resent, 'done run')} will run again; the earlier results stay beside the new ones.")
    elif stale:
        them = "it" if stale == 1 else "them"
        lines.append(f"`xpc submit --rerun stale` runs {them} again, `xpc accept` keeps {them}.")
        if any(NEW_FILE.match(why) and not plan.experiments[name].compiled.experiment.code for name, why, _ in reasons):
            lines.append('If no run reads the new files, write what counts in the experiment, such as `code "*.py"`.')
    lines += held_lines(again)
    return [*lines, ""] if lines else []


def held_lines(again: Again) -> list[str]:
    """Name the done runs that would be run again if nothing that reads them were under way."""
    shown = [
        f"left alone: {run.experiment} {run.id[:7]}, since {run.by[0]} {run.by[1][:7]} {run.why}"
        for run in again.held[:REASONS]
    ]
    more = len(again.held) - REASONS
    return [*shown, f"left alone: {more:,} more"] if more > 0 else shown


def kinship_note(kin: Kinship) -> str:
    """Say which runs are new only because a key was added, and the lines that keep the old ones."""
    added = " and ".join(f"`{line.removeprefix('ignore ').replace(' == ', ' = ')}`" for line in kin.lines)
    lines = " and ".join(f"`{line}`" for line in kin.lines)
    verb = "looks" if len(kin.runs) == 1 else "look"
    was, keeps = ("was", "keeps") if len(kin.lines) == 1 else ("were", "keep")
    return (
        f"note: {count(len(kin.runs), 'run')} of `{kin.experiment}` {verb} new only because {added} {was} added.\n"
        f"      {lines} in experiment `{kin.experiment}` {keeps} the done ones."
    )


def to_json(session: Session, build: Build, tallies: Mapping[str, Tally]) -> dict[str, object]:
    """Give the shape of `xpc build --json`."""
    from xpc.compiler.plan_json import script_of

    plan = build.plan
    cost = cost_to_send(plan, tallies)
    return {
        "schema": "xpc.build/1",
        "build": build.id,
        "snapshot": session.snapshot.tree,
        "runs": sum(planned.runs for planned in plan.experiments.values()),
        "experiments": [
            {
                "name": name,
                "runs": planned.runs,
                **{state: tallies[name].states[state] for state in ALWAYS},
                "why": [{"reason": why, "runs": runs} for why, runs in tallies[name].why.most_common()],
                "again": tallies[name].again,
            }
            for name, planned in plan.experiments.items()
        ],
        "arrays": [
            {
                "name": array.name,
                "experiment": array.experiment,
                "runs": array.count,
                "tasks": array.tasks,
                "resources": plan.resources[array.resources][0].json(),
                "after": list(array.after),
                "pairwise": list(array.pairwise),
                "throttle": array.throttle,
                "script": f"{BUILDS}/{build.id}/{script_of(array, plan.target.kind)}",
            }
            for array in plan.arrays
        ],
        "cost": {"core_hours": cost.core_hours, "gpu_hours": cost.gpu_hours, "inodes": cost.inodes},
        "diagnostics": [
            {"code": d.code, "severity": d.severity, "message": d.message} for d in session.diagnostics.sorted()
        ],
    }
