"""``xpc cancel``: take queued and running runs back from a cluster."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import options
from .failure import AT_FAULT, FINE, MISUSE, REFUSED, refuse
from .output import columns, count
from .session import Session, find_folder

if TYPE_CHECKING:
    from xpc.runtime.schedulers.cluster_cancel import Cancelled
    from xpc.runtime.store import Store
    from xpc.runtime.submissions import Submission

Run = tuple[str, str]


@click.command()
@click.argument("runs", metavar="[RUN]...", nargs=-1)
@options.where
@click.option("--all", "everything", is_flag=True, help="All runs that are queued or running.")
@options.as_json
def command(runs: tuple[str, ...], where: str | None, everything: bool, as_json: bool) -> int:
    """Cancel queued and running runs on clusters: the named ones, by the beginning of their ids, or those that match.

    What comes after them is not run either. `xpc submit` sends them again.

    \b
    Example:  xpc cancel --where "model.width == 512"
    """
    from xpc.runtime.schedulers.cluster_cancel import cancel, in_flight
    from xpc.runtime.store import Store

    if not runs and where is None and not everything:
        refuse("nothing says which runs", help='`xpc cancel 3fa2c81`, `--where "…"`, or `--all`', status=MISUSE)
    project = find_folder(Path.cwd())
    store = Store(project)
    chosen = list(in_flight(store))
    if runs:
        chosen = _named(chosen, runs, store)
    if where is not None:
        matching = _matching(project, where)
        chosen = [run for run in chosen if run in matching]
    done = cancel(project, chosen, store)
    here = _on_this_machine(project)
    if as_json:
        click.echo(json.dumps(to_json(done, here)))
    else:
        tell(done, here)
    if done.wrong is not None:
        return REFUSED
    return AT_FAULT if here and not done.runs else FINE


def _named(flying: Sequence[Run], prefixes: Sequence[str], store: Store) -> list[Run]:
    """Give the runs that beginnings of ids name; the command ends if one names several, or none that goes on."""
    from .selecting import refuse_run

    found: dict[Run, None] = {}
    experiments = set(store.experiments()) | {name for name, _ in flying}
    for prefix in prefixes:
        if prefix in experiments:  # `a` must not cancel the run whose id happens to begin with it
            help = f"`--where 'experiment == \"{prefix}\"'` means all of its runs"
            refuse(f"`{prefix}` is an experiment, not the beginning of an id", help=help, status=MISUSE)
        hits = [run for run in flying if run[1].startswith(prefix)]
        if len(hits) > 1:
            refuse_run(prefix, [f"{id} of {name}" for name, id in hits])
        if not hits:
            known = [(name, id) for name in store.experiments() for id in store.ids(name) if id.startswith(prefix)]
            if len(known) != 1:
                refuse(f"no run that begins with `{prefix}` is queued or running", help="`xpc list` shows the ids")
            refuse(
                f"run `{known[0][1][:7]}` of `{known[0][0]}` is {store.state(*known[0])}: there is nothing to cancel"
            )
        found[hits[0]] = None
    return list(found)


def _matching(project: Path, where: str) -> set[Run]:
    from .selecting import chosen_rows
    from .standing import Standings

    session = Session(project)
    session.checked()
    rows = chosen_rows(session, session.experiments(()), where, Standings(project))
    return {(name, session.tables[name].id(row)) for name, of in rows.items() for row in of}


def _on_this_machine(project: Path) -> Submission | None:
    """Give the submit that runs things without a scheduler just now."""
    from xpc.runtime.owner import Owner
    from xpc.runtime.submissions import read_submissions

    here = Owner.here()
    live = (found for found in read_submissions(project) if found.kind == "local" and found.live(project, here))
    return next(live, None)


def tell(done: Cancelled, here: Submission | None) -> None:
    if done.wrong is not None:
        click.echo(_refused(done), err=True)
    if done.runs:
        click.echo(columns(_lines(done.runs), (False, True, False)))
        beside = f" {count(len(done.beside), 'other run')} shared their tasks." if done.beside else ""
        come = "comes" if len(done.below) == 1 else "come"
        below = f" {count(len(done.below), 'run')} that {come} after them: cancelled, too." if done.below else ""
        click.echo(f"Cancelled.{beside}{below} `xpc submit` sends them again.")
    elif here is None and done.wrong is None:
        click.echo("Nothing to cancel.")
    if here is not None:
        click.echo(f"Runs of {here.owner} go on: Ctrl-C there stops them.", err=True)


def _refused(done: Cancelled) -> str:
    """Say what the scheduler would not cancel, and whose it is."""
    from xpc.runtime.owner import Owner

    others = sorted(set(done.refused.values()) - {"", Owner.here().user})
    said = f"error[XS005]: the scheduler did not cancel: {done.wrong}"
    if not others:
        return said
    these = count(sum(user in others for user in done.refused.values()), "run")
    return f"{said}\nhelp: {these} of {', '.join(others)} left as they are: only who sent a job can cancel it"


def _lines(runs: Mapping[Run, str]) -> list[tuple[str, str, str]]:
    found: dict[str, Counter[str]] = {}
    for (name, _), state in runs.items():
        found.setdefault(name, Counter())[state] += 1
    return [
        (name, count(states.total(), "run"), ", ".join(f"{number:,} {state}" for state, number in states.items()))
        for name, states in found.items()
    ]


def to_json(done: Cancelled, here: Submission | None) -> dict[str, object]:
    return {
        "schema": "xpc.cancel/1",
        "cancelled": [{"experiment": name, "id": id, "was": state} for (name, id), state in done.runs.items()],
        "beside": [{"experiment": name, "id": id} for name, id in done.beside],
        "after": [{"experiment": name, "id": id} for name, id in done.below],
        "here": None if here is None else str(here.owner),
        "refused": [{"experiment": name, "id": id, "user": user} for (name, id), user in done.refused.items()],
        "error": done.wrong,
    }
