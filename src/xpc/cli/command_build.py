"""``xpc build``: compile the study into a build folder, and say what is new, done, stale, failed, and what it costs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from . import options
from .output import print_diagnostics
from .session import BUILDS, Session, find_folder

if TYPE_CHECKING:
    from xpc.compiler.emit import Build
    from xpc.compiler.kinship import Kinship

    from .standing import Standings


@click.command()
@options.experiments
@options.target
@options.settings
@options.where
@options.snapshot
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
    from .build_summary import kinship_note, summary, to_json
    from .selecting import rows_where
    from .standing import Standings
    from .tally import tally

    session = Session(find_folder(Path.cwd()), settings, target, snapshot)
    session.checked()
    standings = Standings(session.folder)
    plan = session.plan(rows_where(session, session.experiments(experiments), where, standings))
    build = session.emit(plan)
    if not dry_run:
        write(session, build)
    tallies = tally(plan, standings)
    if as_json:
        click.echo(json.dumps(to_json(session, build, tallies), ensure_ascii=False))
        return
    print_diagnostics(session.diagnostics)
    click.echo(summary(session, build, tallies, written=not dry_run))
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


def kinships(session: Session, standings: Standings) -> list[Kinship]:
    """Find the done runs that are new only because a key was added."""
    past = dict(standings.past(session.tables))
    if not past:
        return []
    from xpc.compiler.kinship import find_kin

    return find_kin(session.tables, past)
