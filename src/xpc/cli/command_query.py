"""``xpc query``: one question to the records."""

from __future__ import annotations

from pathlib import Path

import click

from . import options
from .output import print_diagnostics
from .session import Session, find_folder


@click.command()
@options.rescan
@click.argument("query")
@options.settings
@options.table_format
@options.explain
def command(query: str, settings: tuple[str, ...], format: str, explain: bool) -> None:
    """Ask the records a question, in the query language.

    \b
    Example:  xpc query "from train where status == done group by lr show mean(acc) ± std(acc)"
    """
    from xpc.grammar.parser import parse_query
    from xpc.grammar.source import Source
    from xpc.runtime.query.evaluate import evaluate

    from . import report_output
    from .standing import Standings
    from .viewing import view_of

    session = Session(find_folder(Path.cwd()), settings)
    parsed = parse_query(Source("<query>", query), session.diagnostics)
    session.stop_if_failed(closing="")
    session.checked()
    assert parsed is not None
    result = evaluate(parsed, view_of(session, Standings(session.folder)), session.diagnostics)
    session.stop_if_failed(closing="")
    assert result is not None
    print_diagnostics(session.diagnostics)
    if explain:
        click.echo(report_output.explanations([("query", [result])], format))
    else:
        click.echo(report_output.text_of(result, format))
