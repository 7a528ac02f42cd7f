"""A session's tables beside its records, for queries and `--where`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from xpc.grammar.parser import parse_expression
from xpc.grammar.source import Source
from xpc.runtime.query.evaluate import select
from xpc.runtime.query.view import View

if TYPE_CHECKING:
    from xpc.compiler.table import Table

    from .session import Session
    from .standing import Standings


def view_of(session: Session, standings: Standings) -> View:
    """Give the runs of the study as it stands now."""
    tables: Mapping[str, Table] = session.tables
    return View(tables, standings.store)


def matching(
    session: Session, chosen: Mapping[str, Sequence[int]], where: str, standings: Standings
) -> dict[str, Sequence[int]]:
    """Give those of the *chosen* rows for which *where* holds; a mistake in it ends the command."""
    condition = parse_expression(Source("--where", where), session.diagnostics)
    session.stop_if_failed()
    assert condition is not None
    found = select(condition, view_of(session, standings), session.diagnostics, list(chosen))
    session.stop_if_failed()
    assert found is not None
    kept = {name: set(rows) for name, rows in found.items()}
    return {name: [row for row in rows if row in kept[name]] for name, rows in chosen.items()}
