"""``xpc wait``: come back when the runs that were submitted have ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import options
from .failure import AT_FAULT, FINE, refuse
from .output import count, print_diagnostics
from .polling import Pace
from .session import Session, find_folder

if TYPE_CHECKING:
    from xpc.runtime.query.view import View

GOING_ON = ("queued", "running")


@click.command()
@options.experiments
@options.where
@click.option("--timeout", metavar="DURATION", help="Give up after this time: `90s`, `2h`.")
def command(experiments: tuple[str, ...], where: str | None, timeout: str | None) -> int:
    """Wait until no run is queued or running. Exit status 0 if all that were submitted are done, else 1.

    What was never submitted is not waited for. --where is looked at once, when the waiting begins.

    \b
    Example:  xpc wait train --timeout 2h && xpc report
    """
    from .selecting import chosen_rows
    from .standing import Standings
    from .viewing import view_of

    seconds = None if timeout is None else duration_of(timeout)
    session = Session(find_folder(Path.cwd()))
    session.checked()
    standings = Standings(session.folder)
    rows = chosen_rows(session, session.experiments(experiments), where, standings)
    print_diagnostics(session.diagnostics)
    pace = Pace(seconds)
    while True:
        states = states_of(view_of(session, standings), rows)
        going = sum(states[state] for state in GOING_ON)
        if not going:
            return said(states)
        if not pace.wait(states, asks=standings.store.clusters.asked):
            click.echo(f"{count(going, 'run')} still {'goes' if going == 1 else 'go'} on after {timeout}.", err=True)
            return AT_FAULT
        standings.store.refresh()


def duration_of(text: str) -> float:
    """Read a duration as it is written in an Experimentfile; what is none ends the command."""
    from xpc.grammar.diagnostic import Diagnostics
    from xpc.grammar.parser import parse_expression
    from xpc.grammar.source import Source
    from xpc.grammar.tree import Quantity

    diagnostics = Diagnostics()
    found = parse_expression(Source("--timeout", text), diagnostics)
    if diagnostics.failed or not isinstance(found, Quantity) or found.dimension != "duration":
        refuse(f"`{text}` is no duration", help="write `90s`, `10min`, `2h` or `1d12h`", status=2)
    return float(found.value)


def states_of(view: View, rows: Mapping[str, Sequence[int]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for name, chosen in rows.items():
        states = view.states(name)
        found.update(states[row] for row in chosen)
    return found


def said(states: Mapping[str, int]) -> int:
    """Say how the runs ended; give the exit status."""
    from xpc.runtime.states import STATES

    submitted = {state: number for state in STATES if state != "planned" and (number := states.get(state, 0))}
    total = sum(submitted.values())
    if not total:
        click.echo("Nothing was submitted: there is nothing to wait for.", err=True)
        return FINE
    click.echo(
        f"{count(total, 'run')}: " + ", ".join(f"{number:,} {state}" for state, number in submitted.items()) + "."
    )
    return FINE if set(submitted) == {"done"} else AT_FAULT
