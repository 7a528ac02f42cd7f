"""A report to its plots: each with the clauses that choose its runs, its table's columns, and its title."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ...grammar import tree
from ..report import still_shared


@dataclass(frozen=True, slots=True)
class PlotQuery:
    """A plot with the *clauses* that hold for it: those of the table that it stands below, no plots and titles."""

    plot: tree.Plot
    clauses: tuple[tree.Clause, ...]
    title: str = ""


def plot_queries(clauses: Sequence[tree.Clause]) -> list[PlotQuery]:
    """Give the plots among the clauses of a report or a query, in order.

    Clauses above the first `show` hold for every plot; those after a `show` for the plots below that `show`, where they
    take the place of a shared one of the same kind. A title names what stands below it, up to the next one.
    """
    starts = [at for at, clause in enumerate(clauses) if isinstance(clause, tree.Show)]
    shared = clauses[: starts[0]] if starts else clauses
    sections = [(shared, shared)] if starts else [(clauses, clauses)]
    for start, end in pairwise([*starts, len(clauses)]):
        own = clauses[start:end]
        sections.append((own, [*still_shared(shared, own), *own]))
    found: list[PlotQuery] = []
    title = ""
    for own, holding in sections:
        for clause in own:
            match clause:
                case tree.Title(text):
                    title = text.plain if text.plain is not None else text.span.text
                case tree.Plot():
                    found.append(PlotQuery(clause, tuple(without_plots(holding)), title))
                case _:
                    continue
    return found


def without_plots(clauses: Iterable[tree.Clause]) -> Iterable[tree.Clause]:
    """Give the clauses that choose and show runs."""
    return (clause for clause in clauses if not isinstance(clause, (tree.Plot, tree.Title)))
