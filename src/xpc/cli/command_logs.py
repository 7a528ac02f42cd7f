"""``xpc logs``: what a run printed."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from . import options
from .failure import AT_FAULT, FINE
from .output import count
from .session import Session, find_folder


@click.command()
@options.rescan
@click.argument("run")
@click.option("--stderr", "stream", flag_value="stderr", help="Only what it said on stderr.")
@click.option("--stdout", "stream", flag_value="stdout", help="Only what it said on stdout.")
@click.option("--tail", type=click.IntRange(min=1), metavar="N", help="The last N lines of each.")
@click.option("--attempt", type=click.IntRange(min=1), metavar="N", help="Of attempt N, not of the last one.")
@click.option("--raw", is_flag=True, help="Keep what a terminal would obey.")
def command(
    run: str, stream: Literal["stdout", "stderr"] | None, tail: int | None, attempt: int | None, raw: bool
) -> int:
    """Print what a run printed: first its stdout, then its stderr.

    \b
    Example:  xpc logs 3fa2c81 --tail 20
    """
    from xpc.runtime.logs import read_log
    from xpc.runtime.show import find_run

    from .standing import Standings
    from .viewing import view_of

    session = Session(find_folder(Path.cwd()))
    session.checked()
    standings = Standings(session.folder)
    found = find_run(run, view_of(session, standings), session.diagnostics)
    session.stop_if_failed(closing="")
    assert found is not None
    record = standings.store.record(*found)
    if record is None:
        click.echo(f"Run {found[1][:7]} of {found[0]} has not started.", err=True)
        return AT_FAULT
    if attempt is not None and attempt > record.attempt:
        click.echo(f"Run {found[1][:7]} of {found[0]} has {count(record.attempt, 'attempt')} only.", err=True)
        return AT_FAULT
    both: tuple[Literal["stdout", "stderr"], ...] = ("stdout", "stderr")
    texts = [read_log(record, name, tail=tail, raw=raw, attempt=attempt) for name in both if stream in (None, name)]
    printed = [text for text in texts if text]
    if not printed:
        click.echo(f"Run {found[1][:7]} of {found[0]} printed nothing.", err=True)
    for text in printed:
        click.echo(text, nl=not text.endswith("\n"))
    return FINE
