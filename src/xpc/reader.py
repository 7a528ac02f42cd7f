"""``xpc.open``: a project's records, for notebooks and scripts. Brings pandas with it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xpc.cli.failure import Stop
from xpc.cli.session import FILE, Session, find_folder
from xpc.cli.standing import Standings
from xpc.cli.viewing import view_of
from xpc.grammar.diagnostic import Diagnostics
from xpc.grammar.parser import parse_expression, parse_query
from xpc.grammar.render import render
from xpc.grammar.source import Source
from xpc.reader_runs import Runs, StoredRun
from xpc.reader_table import Table
from xpc.runtime.named_run import find_run
from xpc.runtime.query.evaluate import evaluate, select
from xpc.runtime.query.result import Result
from xpc.runtime.query.view import View
from xpc.runtime.report import run_report

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Project", "QueryError", "Runs", "StoredRun", "Table", "open_project"]


class QueryError(ValueError):
    """A query, or the project's Experimentfile, is wrong; the text is the whole diagnostic."""


class Project:
    """The project whose Experimentfile is in *folder*. Each question looks at the records as they are then."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __repr__(self) -> str:
        return f"<xpc project {self.folder}>"

    # -------------------------------------------------------------- tables

    def query(self, text: str) -> pd.DataFrame:
        """Answer a query, a row a run or a group; a `±` cell is two columns. Raises ``QueryError``."""
        return self.table(text).frame

    def table(self, text: str) -> Table:
        """Answer a query as a table, which knows how to print itself. Raises ``QueryError``."""
        view, diagnostics = self._look()
        return Table(self._answer(text, view, diagnostics))

    def report(self, name: str) -> list[Table]:
        """Give the tables of a report of the Experimentfile, one for each `show`. Raises ``QueryError``."""
        session = self._session()
        assert session.study is not None
        if name not in session.study.reports:
            known = ", ".join(session.study.reports) or "none"
            raise QueryError(f"there is no report `{name}`; there are: {known}")
        view = view_of(session, Standings(self.folder))
        results = run_report(session.study.reports[name], view, session.diagnostics)
        _raise(session.diagnostics)
        return [Table(result) for result in results]

    # -------------------------------------------------------------- runs

    def runs(self, where: str = "", experiments: str | Sequence[str] = ()) -> Runs:
        """Give the runs of the study for which *where* holds, of all experiments or of those named.

        They read their config, records and metrics when these are asked for. Raises ``QueryError``.
        """
        view, diagnostics = self._look()
        names = _known(experiments, view)
        condition = parse_expression(Source("where", where or "true"), diagnostics)
        _raise(diagnostics)
        assert condition is not None
        found = select(condition, view, diagnostics, names)
        _raise(diagnostics)
        assert found is not None
        return Runs([StoredRun(view, name, view.ids(name)[row], row) for name in names for row in found[name]])

    def run(self, id: str) -> StoredRun:
        """Give the run whose id begins with *id*, be it of the study or of its past. Raises ``QueryError``."""
        view, diagnostics = self._look()
        found = find_run(id, view, diagnostics)
        _raise(diagnostics)
        assert found is not None
        experiment, id = found
        ids = view.ids(experiment)
        return StoredRun(view, experiment, id, ids.index(id) if id in ids else None)

    def groups(
        self, *keys: str, where: str = "", experiments: str | Sequence[str] = ()
    ) -> Iterator[tuple[tuple[Any, ...], Runs]]:
        """Give, for each combination of values of *keys*, these values and the runs that have them, in row order.

        ``for (rate,), runs in project.groups("optimizer.lr", where="status == done")``. Raises ``QueryError``.
        """
        view, diagnostics = self._look()
        names = _known(experiments, view)
        clauses = [f"from {', '.join(names)}", f"where {where}" if where else "", f"group by {', '.join(keys)}"]
        result = self._answer(" ".join([*clauses, "show count()"]), view, diagnostics)
        columns = [column for column in result.columns if column.key]
        of = {id: (name, row) for name in names for row, id in enumerate(view.ids(name))}
        for place, ids in enumerate(result.sources):
            runs = Runs([StoredRun(view, of[id][0], id, of[id][1]) for id in ids])
            yield tuple(column.values[place] for column in columns), runs

    # -------------------------------------------------------------- how it looks

    def _session(self) -> Session:
        session = Session(self.folder)
        _ = session.tables
        _raise(session.diagnostics)
        return session

    def _look(self) -> tuple[View, Diagnostics]:
        session = self._session()
        return view_of(session, Standings(self.folder)), Diagnostics()

    def _answer(self, text: str, view: View, diagnostics: Diagnostics) -> Result:
        parsed = parse_query(Source("<query>", text), diagnostics)
        _raise(diagnostics)
        assert parsed is not None
        result = evaluate(parsed, view, diagnostics)
        _raise(diagnostics)
        assert result is not None
        return result


def _known(experiments: str | Sequence[str], view: View) -> list[str]:
    names = [experiments] if isinstance(experiments, str) else list(experiments)
    for name in names:
        if name not in view.tables:
            raise QueryError(f"there is no experiment `{name}`; there are: {', '.join(view.tables) or 'none'}")
    return names or list(view.tables)


def _raise(diagnostics: Diagnostics) -> None:
    if diagnostics.failed:
        raise QueryError("\n" + render(diagnostics.sorted(), "full", color=False))


def open_project(folder: str | os.PathLike[str] = ".") -> Project:
    """Open the project at or above *folder*; raises ``FileNotFoundError`` where there is none."""
    start = Path(folder).resolve()
    try:
        return Project(find_folder(start))
    except Stop:
        raise FileNotFoundError(f"no {FILE} in {start} or above it") from None
