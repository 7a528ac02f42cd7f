"""``xpc.open``: a project's records, for notebooks and scripts. Brings pandas with it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from xpc.cli.session import Session, find_folder
from xpc.cli.standing import Standings
from xpc.cli.viewing import view_of
from xpc.grammar.parser import parse_query
from xpc.grammar.render import render
from xpc.grammar.source import Source
from xpc.runtime.query.evaluate import evaluate

if TYPE_CHECKING:
    import pandas as pd


class QueryError(ValueError):
    """A query, or the project's Experimentfile, is wrong; the text is the whole diagnostic."""


class Project:
    """The project whose Experimentfile is in *folder*. Each query looks at the records as they are then."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def query(self, text: str) -> pd.DataFrame:
        """Answer a query, a row a run or a group; a `±` cell is two columns. Raises ``QueryError``."""
        session = Session(self.folder)
        parsed = parse_query(Source("<query>", text), session.diagnostics)
        _ = session.tables
        if parsed is not None and not session.diagnostics.failed:
            found = evaluate(parsed, view_of(session, Standings(self.folder)), session.diagnostics)
            if found is not None:
                return found.frame()
        raise QueryError("\n" + render(session.diagnostics.sorted(), "full", color=False))


def open_project(folder: str | os.PathLike[str] = ".") -> Project:
    """Open the project at or above *folder*."""
    return Project(find_folder(Path(folder).resolve()))
