"""``xpc submit``: build, export the snapshot, and run what is not done, here or on a cluster."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from . import options
from .failure import AT_FAULT, Stop
from .output import print_diagnostics
from .session import Session, find_folder

if TYPE_CHECKING:
    from xpc.compiler.emit import Build
    from xpc.compiler.plan import Plan
    from xpc.compiler.plan_size import Sends
    from xpc.runtime.retry import Retry
    from xpc.runtime.schedulers.local import Submitted
    from xpc.runtime.selection import Selection

    from .again import Mode
    from .standing import Standings


@dataclass(frozen=True, slots=True)
class Rerun:
    """Which done runs a submit sends: none, the stale ones, or *chosen* ones (none: all)."""

    mode: Mode | None = None
    chosen: Mapping[str, Sequence[int]] | None = None


@click.command()
@options.experiments
@options.target
@options.settings
@options.where
@options.jobs
@options.rerun
@options.snapshot
@click.option("--new", is_flag=True, help="Run new points even where a done run differs by an added key alone.")
@options.as_json
def command(
    experiments: tuple[str, ...],
    target: str,
    settings: tuple[str, ...],
    where: str | None,
    jobs: int | None,
    rerun: Literal["stale"] | None,
    force: bool,
    snapshot: Literal["worktree", "head", "clean"],
    new: bool,
    as_json: bool,
) -> int:
    """Build, then run what is planned or was interrupted. What is done is never run again unasked.

    With --rerun stale what changed since it ran is run again, with --force whatever is done; earlier results stay.
    What failed is sent again once its code, command or request has changed; `xpc retry` sends it as it is.
    On this machine Ctrl-C stops cleanly, and a second `xpc submit` goes on from there. To a cluster all of it is sent
    at once, and nothing stays running here.

    \b
    Example:  xpc submit train -j 4
              xpc submit --target jeanzay
              xpc submit --rerun stale
    """
    from .again import chosen_by_force, mode_of, sends_again
    from .selecting import rows_where
    from .standing import Standings

    session = Session(find_folder(Path.cwd()), settings, target, snapshot)
    session.checked()
    standings = Standings(session.folder)
    names, mode = session.experiments(experiments), mode_of(rerun, force=force)
    rows = rows_where(session, names, where, standings)
    forced = chosen_by_force(session, names, where, standings) if force else None
    session.sends = sends_again(session, standings, mode, forced)
    if not new:
        stop_for_kin(session, standings, rows)
    return send(session, rows, jobs, as_json=as_json, rerun=Rerun(mode, forced))


def stop_for_kin(session: Session, standings: Standings, rows: Mapping[str, Sequence[int]] | None) -> None:
    """End the command where done runs would be run again only because a key was added."""
    from .build_summary import kinship_note
    from .command_build import kinships

    notes = [kinship_note(kin) for kin in kinships(session, standings, rows)]
    if notes:
        raise Stop(AT_FAULT, "\n".join([*notes, "Nothing was submitted. `xpc submit --new` runs them as new ones."]))


def send(
    session: Session,
    rows: Mapping[str, Sequence[int]] | None,
    jobs: int | None,
    *,
    as_json: bool = False,
    retry: Retry | None = None,
    named: Mapping[str, Sequence[int]] | None = None,
    rerun: Rerun | None = None,
) -> int:
    """Build *rows*, export, execute or submit (*named* rows alone, if given); give the exit status."""
    from .command_build import export, write
    from .missing_files import warn_of_missing_files
    from .rerun import setting_aside

    if retry is not None:
        session.sends = sends_retried(session, retry, named)
    build = session.emit(session.plan(rows))
    warn_of_missing_files(session, build.plan.experiments)
    folder = write(session, build)
    export(session, build.plan)
    print_diagnostics(session.diagnostics)
    session.diagnostics.found.clear()
    chosen = plan_rows(build.plan, named)
    rerun = rerun or Rerun()
    prepare = setting_aside(session, build.plan, rerun.mode, rerun.chosen, silent=as_json)
    tell = _teller(session, build.plan, counts_stale=retry is None and rerun.mode is None, silent=as_json)
    if session.target.kind != "local":
        from .cluster_submit import send_to_cluster

        return send_to_cluster(
            session, build, folder, chosen, as_json=as_json, retry=retry, prepare=prepare, before=tell
        )
    return _run_here(session, build, folder, chosen, jobs, as_json=as_json, retry=retry, prepare=prepare, tell=tell)


def sends_retried(session: Session, retry: Retry, named: Mapping[str, Sequence[int]] | None) -> Sends:
    """Give what tells which runs of a plan a retry sends."""
    from .fates import Retried, find_fates, sent_rows
    from .standing import Standings

    rows = None if named is None else {name: frozenset(chosen) for name, chosen in named.items()}
    retried = Retried(rows, retry.named)
    return lambda plan: sent_rows(plan, find_fates(plan, Standings(session.folder), retried=retried))


def _run_here(
    session: Session,
    build: Build,
    folder: Path,
    rows: Sequence[int],
    jobs: int | None,
    *,
    as_json: bool,
    retry: Retry | None,
    prepare: Callable[[], bool],
    tell: Callable[[Selection], None],
) -> int:
    from xpc.runtime.executor import Rules
    from xpc.runtime.executor.reporter import reporter_for
    from xpc.runtime.schedulers.local import submit

    done = submit(
        session.folder,
        folder,
        rows,
        session.diagnostics,
        reporter=reporter_for(sys.stderr, silent=as_json),
        rules=Rules() if jobs is None else Rules(jobs=jobs),
        retry=retry,
        prepare=prepare,
        before=tell,
    )
    if done is None:
        print_diagnostics(session.diagnostics)
        return AT_FAULT
    if as_json:
        click.echo(json.dumps(to_json(build.id, done)))
    return done.status


def plan_rows(plan: Plan, named: Mapping[str, Sequence[int]] | None) -> Sequence[int]:
    """Give the plan's rows of the *named* rows of tables; of all, if none are named."""
    if named is None:
        return range(sum(planned.runs for planned in plan.experiments.values()))
    found: list[int] = []
    for name, rows in named.items():
        planned, wanted = plan.experiments[name], set(rows)
        found += [planned.first + index for index in range(planned.runs) if planned.row(index) in wanted]
    return found


def _teller(session: Session, plan: Plan, *, counts_stale: bool, silent: bool) -> Callable[[Selection], None]:
    """Give what tells people which runs are left alone; of the done ones also how many are stale."""

    def tell(selection: Selection) -> None:
        if not silent:
            tell_selection(selection, count_stale(session, plan) if counts_stale and selection.done else 0)

    return tell


def count_stale(session: Session, plan: Plan) -> int:
    """Give how many runs of a plan are done with something that has changed since."""
    from .freshness import Freshness
    from .standing import Standings

    freshness = Freshness(session, Standings(session.folder), plan)
    return sum(len(freshness.why(name)) for name in plan.experiments)


def tell_selection(selection: Selection, stale: int = 0) -> None:
    """Say what is left alone, and why; what is sent is said by the reporter."""
    done, blocked = len(selection.done), len(selection.blocked)
    parts = [f"{done:,} done" + (f" ({stale:,} stale: `xpc build` says why)" if stale else "")] if done else []
    if selection.busy:
        parts.append(f"{len(selection.busy):,} queued or running")
    if selection.faults:
        them = "it" if len(selection.faults) == 1 else "them"
        parts.append(f"{len(selection.faults):,} that failed with this very code (`xpc retry` runs {them} again)")
    if selection.broken:
        parts.append(f"{len(selection.broken):,} with records that can't be read (`xpc status` names them)")
    if blocked:
        parts.append(f"{blocked:,} whose parents are not done")
    if not parts and not selection.send:
        click.echo("Nothing to run: there is no such run.", err=True)
    if parts:
        start = "Left alone" if selection.send else "Nothing to run"
        click.echo(f"{start}: {', '.join(parts)}.", err=True)


def to_json(build: str, done: Submitted) -> dict[str, object]:
    selection = done.selection
    return {
        "schema": "xpc.submit/1",
        "build": build,
        "sent": len(selection.send),
        "done_before": len(selection.done),
        "failed_before": len(selection.faults),
        "experiments": {name: dict(counts) for name, counts in done.outcome.counts.items()},
    }
