"""``xpc logs``: what a run printed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from . import options
from .failure import AT_FAULT, FINE
from .output import count
from .session import Session, find_folder

if TYPE_CHECKING:
    from .standing import Standings


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
    """Print what a run printed: first its stdout, then its stderr. `RUN.v1` is the run before it was run again.

    \b
    Example:  xpc logs 3fa2c81 --tail 20
    """
    from xpc.runtime.logs import read_log
    from xpc.runtime.named_run import find_named

    from .standing import Standings
    from .viewing import view_of

    session = Session(find_folder(Path.cwd()))
    session.checked()
    standings = Standings(session.folder)
    named = find_named(run, view_of(session, standings), session.diagnostics)
    session.stop_if_failed(closing="")
    assert named is not None
    found, earlier = (named.experiment, named.id), named.version
    record = earlier.record if earlier is not None else standings.store.record(*found)
    if record is None and earlier is not None:
        click.echo(f"Run {named.short} of {named.experiment} has no record.", err=True)
        return AT_FAULT
    if record is None:
        return say_of_task(standings, found)
    if attempt is not None and attempt > record.attempt:
        click.echo(f"Run {named.short} of {named.experiment} has {count(record.attempt, 'attempt')} only.", err=True)
        return AT_FAULT
    both: tuple[Literal["stdout", "stderr"], ...] = ("stdout", "stderr")
    texts = [read_log(record, name, tail=tail, raw=raw, attempt=attempt) for name in both if stream in (None, name)]
    printed = [text for text in texts if text]
    if not printed:
        click.echo(f"Run {named.short} of {named.experiment} printed nothing.", err=True)
        if earlier is None:
            say_of_task(standings, found)
    for text in printed:
        click.echo(text, nl=not text.endswith("\n"), color=raw or None)  # click takes colours out of pipes
    return FINE


def say_of_task(standings: Standings, run: tuple[str, str]) -> int:
    """Print what a cluster's log has about a run that wrote none of its own, and say where it stands."""
    from xpc.runtime.task_log import log_of_task

    store, name = standings.store, f"Run {run[1][:7]} of {run[0]}"
    record, held, told = store.record(*run), store.clusters.task_of(*run), store.told(*run)
    if record is None:
        why = f": {told.reason}" if told is not None and told.reason else ""
        state = store.state(*run)
        click.echo(f"{name} has not started" + (f". It is {state}{why}." if held is not None else "."), err=True)
    log = log_of_task(store.project, run[1], held, record) if held is not None else None
    if log is None or not log.lines:
        return AT_FAULT
    whose = "of this array, of any of its tasks" if log.shared else "about it"
    click.echo(f"The scheduler's log {whose}: {log.path}", err=True)
    for line in log.lines:
        click.echo(line)
    return FINE
