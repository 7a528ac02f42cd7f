"""``xpc report``: the tables of the Experimentfile's reports."""

from __future__ import annotations

from pathlib import Path

import click

from xpc.grammar.nearest import nearest

from . import options
from .failure import refuse
from .output import print_diagnostics
from .session import Session, find_folder


@click.command()
@options.rescan
@click.argument("names", metavar="[NAME]...", nargs=-1)
@options.settings
@options.table_format
@options.html
def command(
    names: tuple[str, ...], settings: tuple[str, ...], format: str, page: str | None, details: int | None
) -> None:
    """Print the tables of the Experimentfile's reports: all of them, or the named ones.

    \b
    Example:  xpc report accuracy --format latex
    """
    from xpc.runtime.report import run_report
    from xpc.runtime.tables import render

    from .standing import Standings
    from .viewing import view_of

    session = Session(find_folder(Path.cwd()), settings)
    study = session.checked()
    chosen = names or tuple(study.reports)
    for name in chosen:
        if name not in study.reports:
            close = nearest(name, study.reports)
            known = ", ".join(study.reports) or "none"
            refuse(f"no report is called `{name}`", help=f"did you mean `{close}`?" if close else f"there are: {known}")
    if not chosen and page is None:
        refuse("the Experimentfile has no report", help='write one, or ask with `xpc query "show …"`')
    view = view_of(session, Standings(session.folder))
    found = [(name, run_report(study.reports[name], view, session.diagnostics)) for name in chosen]
    session.stop_if_failed(closing="")
    print_diagnostics(session.diagnostics)
    if page is not None:
        from .html_report import write_report

        write_report(page, found, session, view, details)
        return
    alone = sum(len(results) for _, results in found) == 1
    blocks = []
    for name, results in found:
        for result in results:
            heading = result.title or name
            text = render(result, format)
            blocks.append(text if alone or format != "table" else f"{heading}\n\n{text}")
    click.echo("\n\n".join(blocks))
