"""``xpc check``: parse, resolve, expand; say what is wrong, all at once."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from . import options
from .failure import AT_FAULT, FINE
from .missing_files import warn_of_missing_files
from .output import count, print_diagnostics, verdict
from .report_mistakes import check_reports
from .session import FILE, Session, find_folder


@click.command()
@options.settings
@click.option("--format", type=click.Choice(options.FORMATS), default="full", show_default=True, help="How to print.")
def command(settings: tuple[str, ...], format: str) -> int:
    """Say what is wrong with the Experimentfile, all of it at once. Writes nothing.

    \b
    Example:  xpc check --format concise
    """
    session = Session(find_folder(Path.cwd()), settings)
    session.check()
    warn_of_missing_files(session)
    if session.study is not None and session.study.reports:
        known = None if session.diagnostics.failed else session.study.experiments
        check_reports(session.study.reports, known, session.diagnostics)
    found = session.diagnostics.sorted()
    print_diagnostics(session.diagnostics, format, sys.stdout)
    if format == "full":
        if session.diagnostics.failed:
            click.echo(f"\n{verdict(found)}. Nothing was written.")
        else:
            runs = sum(table.count for table in session.tables.values())
            problems = f"{verdict(found)}." if found else "No problems."
            experiments = count(len(session.tables), "experiment")
            click.echo(f"{FILE}: {experiments}, {count(runs, 'run')}. {problems}")
    return AT_FAULT if session.diagnostics.failed else FINE
