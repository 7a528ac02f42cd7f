"""``xpc retry``: run again what failed, as it is."""

from __future__ import annotations

from pathlib import Path

import click

from . import options
from .session import Session, find_folder


@click.command()
@click.argument("runs", metavar="[RUN]...", nargs=-1)
@options.where
@options.settings
@options.jobs
@click.option("--release", is_flag=True, help="Give named runs free that may run on another host; you know they ended.")
@options.as_json
def command(
    runs: tuple[str, ...],
    where: str | None,
    settings: tuple[str, ...],
    jobs: int | None,
    release: bool,
    as_json: bool,
) -> int:
    """Run again what failed, timed out or ran out of memory; or the named runs, by the beginning of their ids.

    What comes after them runs too. Earlier attempts and their logs are kept.

    \b
    Example:  xpc retry 3fa2c81
    """
    from xpc.runtime.retry import Retry

    from .command_submit import send
    from .selecting import rows_named, rows_where
    from .standing import Standings

    session = Session(find_folder(Path.cwd()), settings)
    session.checked()
    named = rows_named(session, runs) if runs else None
    if where is not None:
        chosen = rows_where(session, session.experiments(()), where, Standings(session.folder))
        named = (
            chosen
            if named is None
            else {name: sorted({*rows} & {*(chosen or {}).get(name, ())}) for name, rows in named.items()}
        )
    return send(session, None, jobs, as_json=as_json, retry=Retry(bool(runs), release), named=named)
