"""``xpc report``: the tables of the Experimentfile's reports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xpc.grammar.nearest import nearest

from . import options
from .failure import MISUSE, refuse
from .output import count, print_diagnostics
from .session import Session, find_folder

if TYPE_CHECKING:
    from xpc.compiler.study import Study


@click.command()
@options.rescan
@click.argument("names", metavar="[NAME]...", nargs=-1)
@options.settings
@options.table_format
@options.explain
@click.option("--strict", is_flag=True, help="Fail if a cell lacks runs, holds failed ones, or mixes code versions.")
@click.option("--check", "file", metavar="FILE", help="Compare with a table that was kept: .csv, .json, .md or .tex.")
@options.html
def command(
    names: tuple[str, ...],
    settings: tuple[str, ...],
    format: str,
    explain: bool,
    strict: bool,
    file: str | None,
    page: str | None,
    details: int | None,
) -> None:
    """Print the tables of the Experimentfile's reports: all of them, or the named ones.

    \b
    Example:  xpc report accuracy --format latex
    """
    from xpc.runtime.report import run_report
    from xpc.runtime.strictness import check_strictly

    from . import report_output
    from .standing import Standings
    from .viewing import view_of

    asked = [name for name, is_given in (("--check", file), ("--explain", explain), ("--html", page)) if is_given]
    if len(asked) > 1:
        refuse(f"`{asked[0]}` and `{asked[1]}` do not go together", help="write one of them", status=MISUSE)
    if file is not None:
        report_output.format_of(file)  # a file of another ending is told before anything is read
    session = Session(find_folder(Path.cwd()), settings)
    study = session.checked()
    chosen = _chosen(names, study)
    if not chosen and page is None:
        refuse("the Experimentfile has no report", help='write one, or ask with `xpc query "show …"`')
    view = view_of(session, Standings(session.folder))
    found = [(name, run_report(study.reports[name], view, session.diagnostics)) for name in chosen]
    session.stop_if_failed(closing="")
    if page is not None:
        from .html_report import write_report

        write_report(page, found, session, view, details)
    elif file is not None:
        click.echo(report_output.check(found, file, names, session.diagnostics))
    elif explain:
        click.echo(report_output.explanations(found, format))
    else:
        _print(report_output.tables(found, format), _plots(chosen, study) if format == "table" else [])
    if strict:
        for name, results in found:
            for number, result in enumerate(results, 1):
                place = name if len(results) == 1 else f"{name}, table {number}"
                check_strictly(result, place, session.diagnostics)
    session.stop_if_failed(closing="")
    print_diagnostics(session.diagnostics)


def _print(tables: str, plots: Sequence[str]) -> None:
    """Print tables, and below them where the plots are; a report may have either alone."""
    if tables or not plots:
        click.echo(tables)
    if tables and plots:
        click.echo()
    for line in plots:
        click.echo(line)


def _plots(names: Sequence[str], study: Study) -> list[str]:
    """Say how the plots of each report are drawn."""
    from xpc.runtime.plots.sections import plot_queries

    counted = {name: len(plot_queries(study.reports[name].clauses)) for name in names}
    return [f"{count(number, 'plot')}: `xpc plot {name}`" for name, number in counted.items() if number]


def _chosen(names: tuple[str, ...], study: Study) -> tuple[str, ...]:
    """Give the named reports, or all; an unknown one ends the command with the nearest name."""
    for name in names:
        if name not in study.reports:
            close = nearest(name, study.reports)
            known = ", ".join(study.reports) or "none"
            refuse(f"no report is called `{name}`", help=f"did you mean `{close}`?" if close else f"there are: {known}")
    return names or tuple(study.reports)
