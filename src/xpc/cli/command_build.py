"""``xpc build``: compile the study into a build folder, and say what is new, done, stale, failed, and what it costs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from . import options
from .output import columns, count, duration, print_diagnostics, size
from .session import BUILDS, Session, find_folder

if TYPE_CHECKING:
    from xpc.compiler.emit import Build
    from xpc.compiler.kinship import Kinship
    from xpc.compiler.plan import Plan
    from xpc.compiler.plan_resources import Request
    from xpc.compiler.snapshot import Snapshot

    from .standing import Standings

FAILED = ("failed", "timeout", "oom")


@click.command()
@options.experiments
@options.target
@options.settings
@options.where
@click.option(
    "--snapshot",
    type=click.Choice(("worktree", "head", "clean")),
    default="worktree",
    show_default=True,
    help="Which code: the working tree as it is, the last commit, or an error if they differ.",
)
@click.option("--dry-run", is_flag=True, help="Write nothing; with -v show the exact scripts.")
@click.option("-v", "--verbose", is_flag=True, help="Show the scripts.")
@options.as_json
def command(
    experiments: tuple[str, ...],
    target: str,
    settings: tuple[str, ...],
    where: str | None,
    snapshot: Literal["worktree", "head", "clean"],
    dry_run: bool,
    verbose: bool,
    as_json: bool,
) -> None:
    """Compile the study: pin the code, write the arrays. Submits nothing.

    \b
    Example:  xpc build train --where "seed == 0" --dry-run -v
    """
    from .selecting import rows_where
    from .standing import read_standings

    session = Session(find_folder(Path.cwd()), settings, target, snapshot)
    session.checked()
    standings = read_standings(session.folder)
    rows = rows_where(session, session.experiments(experiments), where, standings)
    plan = session.plan(rows)
    build = session.emit(plan)
    if not dry_run:
        write(session, build)
    counts = {name: count_states(plan, name, standings) for name in plan.experiments}
    if as_json:
        click.echo(json.dumps(to_json(session, build, counts), ensure_ascii=False))
        return
    print_diagnostics(session.diagnostics)
    click.echo(summary(session, build, counts, written=not dry_run))
    for kin in kinships(session, standings):
        click.echo(kinship_note(kin))
    if verbose:
        for path, data in build.files.items():
            if path.endswith(".sh"):
                click.echo(f"\n--- {path}\n{data.decode()}", nl=False)


def write(session: Session, build: Build) -> Path:
    """Write the build with its provenance; give its folder."""
    from .provenance import provenance

    return build.write(session.folder / BUILDS, provenance(session))


def count_states(plan: Plan, name: str, standings: Standings) -> Counter[str]:
    """Count the planned runs of one experiment: new, done, stale, failed, and the other states by name."""
    planned = plan.experiments[name]
    known = standings.states.get(name, {})
    if not known:
        return Counter(new=planned.runs)
    now = fingerprint_fields(plan, name)
    found: Counter[str] = Counter()
    for index in range(planned.runs):
        run = planned.table.id(planned.row(index))
        state = known.get(run)
        if state is None or state == "planned":
            found["new"] += 1
        elif state == "done":
            record = standings.records[name][run]
            found["stale" if record.claim.get("fingerprint") != now else "done"] += 1
        else:
            found["failed" if state in FAILED else str(state)] += 1
    return found


def fingerprint_fields(plan: Plan, name: str) -> dict[str, str]:
    found = plan.experiments[name].fingerprint
    return {part: getattr(found, part) for part in ("command", "code", "environment", "inputs")}


# ------------------------------------------------------------------ what is said


def summary(session: Session, build: Build, counts: Mapping[str, Counter[str]], *, written: bool) -> str:
    plan = build.plan
    others = [
        s for s in ("queued", "running", "killed", "lost", "cancelled", "broken") if any(counts[n][s] for n in counts)
    ]
    heads = ["experiment", "runs", "new", "done", "stale", "failed", *others, "each", "arrays"]
    rows = [heads]
    for name, planned in plan.experiments.items():
        mine = [a for a in plan.arrays if a.experiment == name]
        numbers = [f"{counts[name][s]:,}" for s in ("new", "done", "stale", "failed", *others)]
        each = asked(plan.resources[mine[0].resources][0]) + (" …" if len(mine) > 1 else "")
        rows.append([name, f"{planned.runs:,}", *numbers, each, str(len(mine))])
    right = [False, *[True] * (5 + len(others)), False, True]
    lines = [f"Snapshot {session.snapshot.tree[:7]}: {origin(session.snapshot)}.", "", columns(rows, right), ""]
    total = sum(planned.runs for planned in plan.experiments.values())
    done = sum(found["done"] + found["stale"] for found in counts.values())
    lines.append(
        f"To submit: {count(total - done, 'run')} of {total:,} in {count(len(plan.arrays), 'array')}{bounds(plan)}."
    )
    failed = sum(found["failed"] for found in counts.values())
    if failed:
        lines.append(f"{failed:,} failed: `xpc status` says why, `xpc retry` runs them again.")
    where = f"see {BUILDS}/{build.id}/submit.sh" if written else "not written (dry run)"
    lines.append(f"Build {build.id[:7]}, {where}")
    return "\n".join(lines)


def origin(snapshot: Snapshot) -> str:
    """Say where a snapshot's code is from."""
    if snapshot.head is None:
        return "the working tree, nothing committed yet"
    if not snapshot.dirty:
        return f"commit {snapshot.head[:7]}, nothing changed since"
    return f"the working tree, {count(len(snapshot.changed), 'file')} changed since {snapshot.head[:7]}"


def asked(request: Request) -> str:
    """Say what one run asks for: `2 CPU, 8 GiB, 30 min`."""
    parts = [f"{request.nodes} nodes"] if request.nodes > 1 else []
    if request.gpus:
        parts.append(f"{request.gpus} GPU")
    cpus = request.cpus * request.tasks
    if not request.gpus or cpus > 1:
        parts.append(f"{cpus} CPU")
    if request.memory is not None:
        parts.append(size(request.memory))
    if request.time is not None:
        parts.append(duration(request.time))
    return ", ".join(parts)


def bounds(plan: Plan) -> str:
    """Say what the plan costs at most."""
    parts = []
    if plan.cost.gpu_hours:
        parts.append(f"{plan.cost.gpu_hours:,.4g} GPU-hours")
    if plan.cost.core_hours is not None:
        parts.append(f"{plan.cost.core_hours:,.4g} core-hours")
    parts.append(f"{plan.cost.inodes:,} files")
    return "; at most " + ", ".join(parts)


def kinships(session: Session, standings: Standings) -> list[Kinship]:
    """Find the done runs that are new only because a key was added."""
    from xpc.compiler.kinship import PastRun, find_kin

    past: dict[str, list[PastRun]] = {}
    for record in standings.past(session.tables):
        past.setdefault(record.experiment, []).append(PastRun(record.id, frozenset(record.claim["values"])))
    return find_kin(session.tables, past) if past else []


def kinship_note(kin: Kinship) -> str:
    added = ", ".join(line.removeprefix("ignore ").replace(" == ", " = ") for line in kin.lines)
    lines = " and ".join(f"`{line}`" for line in kin.lines)
    return (
        f"note: {count(len(kin.runs), 'run')} of `{kin.experiment}` look new only because `{added}` was added.\n"
        f"      {lines} in experiment `{kin.experiment}` keeps the done ones."
    )


def to_json(session: Session, build: Build, counts: Mapping[str, Counter[str]]) -> dict[str, object]:
    plan = build.plan
    states = ("new", "done", "stale", "failed")
    return {
        "schema": "xpc.build/1",
        "build": build.id,
        "snapshot": session.snapshot.tree,
        "runs": sum(planned.runs for planned in plan.experiments.values()),
        "experiments": [
            {"name": name, "runs": planned.runs, **{state: counts[name][state] for state in states}}
            for name, planned in plan.experiments.items()
        ],
        "arrays": [
            {
                "name": array.name,
                "experiment": array.experiment,
                "tasks": array.count,
                "resources": {
                    field: getattr(plan.resources[array.resources][0], field)
                    for field in ("cpus", "memory", "gpus", "nodes", "tasks", "time", "disk")
                },
                "after": list(array.after),
                "script": f"{BUILDS}/{build.id}/arrays/{array.name}.sh",
            }
            for array in plan.arrays
        ],
        "cost": {
            "core_hours": plan.cost.core_hours,
            "gpu_hours": plan.cost.gpu_hours,
            "inodes": plan.cost.inodes,
        },
        "diagnostics": [
            {"code": d.code, "severity": d.severity, "message": d.message} for d in session.diagnostics.sorted()
        ],
    }
