"""``xpc status``: runs by state, how long it may take, what waits for what, and what failed alike."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from . import options
from .output import json_text, print_diagnostics
from .polling import Pace
from .session import Session, find_folder

GOING_ON = ("queued", "running")
HOME_AND_CLEAR = "\033[H\033[J"


@click.command()
@options.rescan
@options.experiments
@options.where
@click.option("--watch", is_flag=True, help="Look again until all runs have ended. Ctrl-C leaves.")
@options.as_json
def command(experiments: tuple[str, ...], where: str | None, watch: bool, as_json: bool) -> None:
    """Count the runs by state and experiment; say why runs wait; group what failed by its last words, and say what it
    has in common.

    \b
    Example:  xpc status train --where "model.name == 'mlp'"
    """
    from xpc.runtime.status import render_status, status_of

    from .selecting import chosen_rows
    from .standing import Standings
    from .viewing import view_of

    session = Session(find_folder(Path.cwd()))
    session.checked()
    standings = Standings(session.folder)
    names = session.experiments(experiments)
    pace, screen, before = Pace(), watch and not as_json and sys.stdout.isatty(), ""
    while True:
        rows = chosen_rows(session, names, where, standings)
        status = status_of(view_of(session, standings), rows)
        text = json_text(status.record()) if as_json else render_status(status)
        if not as_json and not before:
            print_diagnostics(session.diagnostics)
        if screen:
            click.echo(HOME_AND_CLEAR + text)
        elif text != before:
            click.echo(("\n" if before and not as_json else "") + text)
        sys.stdout.flush()
        before = text
        if not watch or not any(status.counts[state] for state in GOING_ON):
            return
        pace.wait(status.counts, asks=standings.store.clusters.asked)
        standings.store.refresh()
