"""``xpc show``: everything about one run."""

from __future__ import annotations

from pathlib import Path

import click

from . import options
from .output import json_text
from .session import Session, find_folder


@click.command()
@options.rescan
@click.argument("run")
@options.as_json
def command(run: str, as_json: bool) -> None:
    """Tell everything about a run: how it stands, its values, command, code, outputs and metrics. `RUN.v1` is what it
    had before it was run again.

    \b
    Example:  xpc show 3fa2c81
    """
    from xpc.runtime.named_run import find_named
    from xpc.runtime.show import named_record, render_run

    from .standing import Standings
    from .viewing import view_of

    session = Session(find_folder(Path.cwd()))
    session.checked()
    view = view_of(session, Standings(session.folder))
    found = find_named(run, view, session.diagnostics)
    session.stop_if_failed(closing="")
    assert found is not None
    record = named_record(found, view)
    click.echo(json_text(record) if as_json else render_run(record, session.folder))
