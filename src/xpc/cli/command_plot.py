"""``xpc plot``: plots of the reports, or one from the command line, into files or on the terminal."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xpc.grammar.nearest import nearest

from . import options
from .failure import REFUSED, refuse
from .output import colour_wanted, print_diagnostics
from .session import Session, find_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xpc.runtime.plots.figure import Figure
    from xpc.runtime.plots.sections import PlotQuery

ENDINGS = (".svg", ".png", ".pdf")
NARROWEST, USUAL_WIDTH, WIDEST = 60, 80, 120


@click.command()
@options.rescan
@click.argument("plots", metavar="[NAME|PLOT]...", nargs=-1)
@click.option(
    "-o", "--output", metavar="FILE", help="Write to FILE.svg, .png or .pdf; to several, if there are several."
)
@click.option("--terminal", is_flag=True, help="Draw on the terminal also with -o; without it that is what happens.")
@options.settings
def command(plots: tuple[str, ...], output: str | None, terminal: bool, settings: tuple[str, ...]) -> None:
    """Draw the plots of the Experimentfile's reports: all of them, or the named reports', or one written here.

    \b
    Example:  xpc plot curves -o curves.pdf
              xpc plot "line x = step, y = loss by optimizer.lr where status == done"
    """
    if output is not None:
        _check_output(output)
    from xpc.runtime.plots.make import make_figure

    from .standing import Standings
    from .viewing import view_of

    session = Session(find_folder(Path.cwd()), settings)
    written = {text: _parse(text, session) for text in plots if _is_plot(text)}
    session.stop_if_failed(closing="")
    queries = _queries(plots, session, written)
    view = view_of(session, Standings(session.folder))
    found = [(name, make_figure(query, view, session.diagnostics)) for name, query in queries]
    session.stop_if_failed(closing="")
    print_diagnostics(session.diagnostics)
    figures = [(name, figure) for name, figure in found if figure is not None]
    if output is None or terminal:
        click.echo("\n\n".join(_text(figure) for _, figure in figures))
    if output is not None:
        _write(figures, output)


# ------------------------------------------------------------------ what to plot


def _is_plot(text: str) -> bool:
    """Tell a plot written on the command line from the name of a report."""
    return any(char in text for char in " =\n")


def _parse(text: str, session: Session) -> list[PlotQuery]:
    """Read a plot with its clauses; the word `plot` may be left out before its kind."""
    from xpc.grammar.parser import parse_query
    from xpc.grammar.plot_form import CHANNELS
    from xpc.grammar.source import Source
    from xpc.runtime.plots.sections import plot_queries

    words = text.split(maxsplit=1)
    close = words[0] if words[0] in CHANNELS else nearest(words[0], CHANNELS)
    begins = words[0] in CHANNELS or (close is not None and text.find("=") > 0 and words[0] not in _CLAUSES)
    parsed = parse_query(Source("<plot>", f"plot {text}" if begins else text), session.diagnostics)
    if parsed is None:
        return []
    found = plot_queries(parsed.clauses)
    if not found:
        refuse("this is a query without a plot", help='add one, as in `xpc plot "line x = step, y = loss"`')
    return found


_CLAUSES = frozenset(("plot", "from", "where", "group", "show", "having", "keep", "sort", "limit", "with", "title"))


def _queries(
    plots: Sequence[str], session: Session, written: dict[str, list[PlotQuery]]
) -> list[tuple[str, PlotQuery]]:
    """Give all plots in order, each with the name that its file gets."""
    from xpc.runtime.plots.sections import plot_queries

    reports = session.checked().reports
    found: list[tuple[str, PlotQuery]] = []
    for text in plots or reports:
        if text in written:
            found += [("plot", query) for query in written[text]]
            continue
        if text not in reports:
            close = nearest(text, reports)
            known = ", ".join(reports) or "none"
            refuse(f"no report is called `{text}`", help=f"did you mean `{close}`?" if close else f"there are: {known}")
        own = [(text, query) for query in plot_queries(reports[text].clauses)]
        if plots and not own:
            refuse(f"report `{text}` has no plot", help="add a line to it, such as `plot line x = step, y = loss`")
        found += own
    if not found:
        refuse("no report has a plot", help='write one, or try `xpc plot "line x = step, y = loss"`')
    return found


# ------------------------------------------------------------------ where to


def _text(figure: Figure) -> str:
    """Draw for the terminal; a pipe gets ASCII, and so does a terminal that knows nothing else."""
    from xpc.runtime.plots.terminal import text

    out = sys.stdout
    seen = out.isatty()
    unicode = seen and (out.encoding or "").lower().replace("-", "") == "utf8"
    width = min(shutil.get_terminal_size((USUAL_WIDTH, 24)).columns, WIDEST) if seen else USUAL_WIDTH
    return text(figure, max(width, NARROWEST), unicode=unicode, colour=colour_wanted(out))


def _check_output(output: str) -> None:
    """See that the file can be drawn at all, before anything is read."""
    from importlib.util import find_spec

    from xpc.runtime.plots.draw import INSTALL

    if Path(output).suffix.lower() not in ENDINGS:
        raise click.UsageError(f"FILE ends in .svg, .png or .pdf, and `{output}` does not.")
    if find_spec("matplotlib") is None:
        help = f"{INSTALL}\n      or leave `-o` out: then the plot is drawn on the terminal"
        refuse("drawing into a file needs matplotlib, which is not installed", help=help, status=REFUSED)


def _write(figures: Sequence[tuple[str, Figure]], output: str) -> None:
    """Write one file, or several: `curves.svg` to `curves-1.svg`, `curves-2.svg` …"""
    from xpc.grammar.screen import visible
    from xpc.runtime.plots.describe import describe
    from xpc.runtime.plots.draw import draw

    path = Path(output)
    for number, (_, figure) in enumerate(figures, 1):
        own = path if len(figures) == 1 else path.with_stem(f"{path.stem}-{number}")
        own.write_bytes(draw(figure, path.suffix[1:].lower()))
        click.echo(f"{own}  {visible(describe(figure))}")
