"""``xpc retry``: run again what failed, as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import options
from .session import Session, find_folder

if TYPE_CHECKING:
    from .standing import Standings

FEW = 5  # done runs that are told one by one


@click.command()
@click.argument("runs", metavar="[RUN]...", nargs=-1)
@options.where
@click.option("--target", metavar="NAME", help="Where to run (by default where the runs were last sent).")
@options.settings
@options.jobs
@click.option(
    "--release",
    is_flag=True,
    help="Give named runs free that ran elsewhere or have a damaged record; you know they ended.",
)
@options.as_json
def command(
    runs: tuple[str, ...],
    where: str | None,
    target: str | None,
    settings: tuple[str, ...],
    jobs: int | None,
    release: bool,
    as_json: bool,
) -> int:
    """Run again what failed, timed out or ran out of memory; or the named runs, by the beginning of their ids.

    What comes after them runs too; on a cluster its queued tasks are cancelled first, and sent again with them.
    Earlier attempts and their logs are kept.

    \b
    Example:  xpc retry 3fa2c81
    """
    from xpc.runtime.retry import Retry

    from .command_submit import send
    from .selecting import rows_named, rows_where
    from .standing import Standings

    session = Session(find_folder(Path.cwd()), settings, target or "local")
    session.checked()
    standings = Standings(session.folder)
    named = rows_named(session, runs) if runs else None
    if where is not None:
        chosen = rows_where(session, session.experiments(()), where, standings)
        named = (
            chosen
            if named is None
            else {name: sorted({*rows} & {*(chosen or {}).get(name, ())}) for name, rows in named.items()}
        )
    if not as_json:
        tell_done(session, standings, named)
    last = _last_target(session, standings, named) if target is None else None
    if last is not None and last != session.target_name:
        session = Session(session.folder, settings, last)
        session.checked()
    return send(session, None, jobs, as_json=as_json, retry=Retry(bool(runs), release), named=named)


def tell_done(session: Session, standings: Standings, named: Mapping[str, Sequence[int]] | None) -> None:
    """Say of named runs that are done how to run them once more."""
    ids = [(name, session.tables[name].id(row)) for name, rows in (named or {}).items() for row in rows]
    done = [(name, id) for name, id in ids if standings.state(name, id) == "done"]
    for name, id in done[:FEW]:
        again = f"""xpc submit {name} --force --where 'run.id == "{id}"'"""
        click.echo(f"Run {id[:7]} of {name} is done: `{again}` runs it again.", err=True)
    if done[FEW:]:
        click.echo(f"{len(done) - FEW:,} more are done: `xpc submit --force --where …` runs them again.", err=True)


def _last_target(session: Session, standings: Standings, named: Mapping[str, Sequence[int]] | None) -> str | None:
    """Give the target that these runs (none: those that failed) were last sent to, if there still is one."""
    from xpc.runtime.last_target import last_target
    from xpc.runtime.selection import FAULTS

    if named is not None:
        runs = {(name, session.tables[name].id(row)) for name, rows in named.items() for row in rows}
    else:
        known = ((name, id) for name in session.tables for id in standings.store.ids(name))
        runs = {run for run in known if standings.state(*run) in FAULTS}
    found = last_target(session.folder, runs) if runs else None
    study = session.study
    return found if found is not None and study is not None and found in study.targets else None
