"""``xpc status``: runs by state, how long it may take, and what failed alike."""

from __future__ import annotations

import json
from pathlib import Path

import click

from . import options
from .output import print_diagnostics
from .session import Session, find_folder


@click.command()
@options.experiments
@options.where
@options.as_json
def command(experiments: tuple[str, ...], where: str | None, as_json: bool) -> None:
    """Count the runs by state and experiment; group what failed by its last words, and say what it has in common.

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
    rows = chosen_rows(session, session.experiments(experiments), where, standings)
    status = status_of(view_of(session, standings), rows)
    if as_json:
        click.echo(json.dumps(status.record(), ensure_ascii=False))
        return
    print_diagnostics(session.diagnostics)
    click.echo(render_status(status))
