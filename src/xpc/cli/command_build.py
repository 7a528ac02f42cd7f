"""``xpc build``: compile the study into a build folder, and say what is new, done, stale, failed, and what it costs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from . import options
from .output import json_text, print_diagnostics
from .session import BUILDS, Session, find_folder

if TYPE_CHECKING:
    from xpc.compiler.emit import Build
    from xpc.compiler.kinship import Kinship
    from xpc.compiler.plan import Plan

    from .standing import Standings


@click.command()
@options.experiments
@options.target
@options.settings
@options.where
@options.rerun
@options.snapshot
@click.option("--dry-run", is_flag=True, help="Write nothing; with -v show the exact scripts.")
@click.option("-v", "--verbose", is_flag=True, help="Show each run, why it stands so, and the scripts.")
@click.option(
    "--against", "revision", metavar="REV", help="Say what was added, dropped and altered since REV; writes nothing."
)
@click.option("--format", type=click.Choice(("text", "json", "markdown")), help="How to print it, with --against.")
@click.option("--ask-scheduler", is_flag=True, help="Let the scheduler look at one job of each kind; submits nothing.")
@options.as_json
def command(
    experiments: tuple[str, ...],
    target: str,
    settings: tuple[str, ...],
    where: str | None,
    rerun: Literal["stale"] | None,
    force: bool,
    snapshot: Literal["worktree", "head", "clean"],
    dry_run: bool,
    verbose: bool,
    revision: str | None,
    format: str | None,
    ask_scheduler: bool,
    as_json: bool,
) -> None:
    """Compile the study: pin the code, write the arrays. Submits nothing.

    \b
    Example:  xpc build train --where "seed == 0" --dry-run -v
              xpc build --rerun stale
              xpc build --against main
    """
    from .again import chosen_by_force, find_again, mode_of, sends_again
    from .build_runs import run_lines
    from .build_summary import kinship_note, summary, to_json
    from .fates import find_fates
    from .freshness import Freshness
    from .missing_files import warn_of_missing_files
    from .selecting import rows_where
    from .standing import Standings
    from .tally import tally

    session = Session(find_folder(Path.cwd()), settings, target, snapshot)
    session.writes = revision is None and not dry_run
    if revision is not None:
        from .against import against

        how = format or ("json" if as_json else "text")
        against(session, experiments, where, revision, how, verbose=verbose)
        return
    if format is not None:
        raise click.UsageError("--format is for --against; write `xpc build --against main --format markdown`.")
    session.checked()
    standings = Standings(session.folder)
    names, mode = session.experiments(experiments), mode_of(rerun, force=force)
    rows = rows_where(session, names, where, standings)
    forced = chosen_by_force(session, names, where, standings) if force else None
    session.sends = sends_again(session, standings, mode, forced)
    plan = session.plan(rows)
    warn_of_missing_files(session, plan.experiments)
    build = session.emit(plan)
    asked = ask(session, build) if ask_scheduler else ""
    if not dry_run:
        write(session, build)
        export(session, plan)
    freshness = Freshness(session, standings, plan)
    again = find_again(plan, standings, freshness, mode, forced)
    fates = find_fates(plan, standings, again)
    tallies = tally(plan, freshness, fates)
    if as_json:
        click.echo(json_text(to_json(session, build, tallies)))
        return
    print_diagnostics(session.diagnostics)
    click.echo(summary(session, build, tallies, again, written=not dry_run))
    for kin in kinships(session, standings, rows):
        click.echo(kinship_note(kin))
    if asked:
        click.echo(asked)
    if verbose:
        for line in run_lines(session, standings, plan, freshness, fates):
            click.echo(line)
        print_scripts(build)


def print_scripts(build: Build) -> None:
    """Print the scripts of a build as they are, each under its path."""
    from xpc.compiler.emit import EXECUTABLE

    for path, data in build.files.items():
        if path.endswith(EXECUTABLE):
            click.echo(f"\n--- {path}\n{data.decode()}", nl=False)


def ask(session: Session, build: Build) -> str:
    """Let the target's scheduler look at the build; end the command where it would refuse."""
    from .asking import ask_scheduler

    return ask_scheduler(session, build)


def write(session: Session, build: Build) -> Path:
    """Write the build with its provenance; give its folder."""
    from .leaks import stop_for_secrets
    from .provenance import provenance

    stop_for_secrets(session, build)
    return build.write(session.folder / BUILDS, provenance(session))


def export(session: Session, plan: Plan) -> None:
    """Make the snapshot's files, once for all runs that share it: the build's scripts need nothing else."""
    from xpc.runtime.export import export as export_tree

    snapshot = session.snapshot
    linked = any(planned.compiled.experiment.workdir == "links" for planned in plan.experiments.values())
    export_tree(
        session.folder,
        snapshot.tree,
        snapshot.commit,
        snapshot.prefix,
        snapshot.repository,
        session.diagnostics,
        linked=linked,
    )
    session.stop_if_failed()
    drop_old_exports(session)


def drop_old_exports(session: Session) -> None:
    """Drop the exports that no unended submit needs, but for the newest three.

    A submit that was killed has no end either, and its programs may live on. What was sent to a cluster needs its
    export until it is known how all of it ended.
    """

    from xpc.runtime.evidence_files import read_evidence
    from xpc.runtime.export import prune
    from xpc.runtime.submissions import CLUSTERS, read_submissions

    in_use = {session.snapshot.tree}
    settled = read_evidence(session.folder).settled
    for submission in read_submissions(session.folder):
        if not submission.ended or (submission.kind in CLUSTERS and submission.name not in settled):
            plan = session.folder / BUILDS / submission.build / "plan.json"
            try:
                in_use.add(str(json.loads(plan.read_text())["snapshot"]["tree"]))
            except (OSError, ValueError, KeyError, TypeError):
                return  # nobody can say what it needs: drop nothing
    prune(session.folder, in_use)


def kinships(session: Session, standings: Standings, rows: Mapping[str, Sequence[int]] | None) -> list[Kinship]:
    """Find the done runs that are new only because a key was added; of *rows*, if some are chosen."""
    past = dict(standings.past(session.tables))
    if not past:
        return []
    from xpc.compiler.kinship import find_kin

    found = find_kin(session.tables, past)
    if rows is None:
        return found
    chosen = {session.tables[kin.experiment].id(row) for kin in found for row in rows.get(kin.experiment, ())}
    named = [replace(kin, runs=tuple(pair for pair in kin.runs if pair[0] in chosen)) for kin in found]
    return [kin for kin in named if kin.runs]
