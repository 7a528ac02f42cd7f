"""``xpc gc``: what takes room and need not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import options
from .failure import FINE, refuse
from .output import columns, count, size
from .session import find_folder

if TYPE_CHECKING:
    from xpc.runtime.gc import Packing


@click.command()
@click.option("--pack", is_flag=True, help="Put ended runs without outputs into packs of up to 1,000.")
@click.option("--yes", is_flag=True, help="Do it; without this nothing is written.")
@options.as_json
def command(pack: bool, yes: bool, as_json: bool) -> int:
    """Make room: put ended runs that left no outputs into packs, a file for up to 1,000 runs.

    Nothing is lost: queries, `xpc show`, `xpc logs` and `xpc submit` read packs as they read folders.
    Without --yes it says what it would do.

    \b
    Example:  xpc gc --pack --yes
    """
    from xpc.runtime.gc import packings
    from xpc.runtime.store import Store

    folder = find_folder(Path.cwd())
    if yes and not pack:
        raise click.UsageError("--yes does what --pack says; write `xpc gc --pack --yes`.")
    if yes:
        return _pack(folder, as_json=as_json)
    found = list(packings(Store(folder)))
    if as_json:
        click.echo(json.dumps({"schema": "xpc.gc/1", "done": False, "experiments": [p.record() for p in found]}))
    elif found:
        click.echo(_table(found))
        click.echo("\nNothing was written. `xpc gc --pack --yes` packs them.")
    else:
        click.echo("Nothing to pack: no run has ended without outputs.")
    return FINE


def _pack(folder: Path, *, as_json: bool) -> int:
    from xpc.runtime.gc import pack_all, packings, tidy_all
    from xpc.runtime.lock import Held, take_lock
    from xpc.runtime.store import Store

    lock = take_lock(folder)
    if isinstance(lock, Held):
        who = f" by {lock.owner.user} on {lock.owner.host}" if lock.owner is not None else ""
        refuse(f"a submit is going on{who}", help="try again when it has ended; nothing was packed")
    with lock:
        store = Store(folder)
        tidied = tidy_all(store)
        if tidied:
            store.refresh()
        found = list(packings(store))
        results = []
        for each in found:
            runs, made = pack_all(store, each)
            results.append(each.record() | {"runs": runs, "packs": made})
            lock.touch()
    if as_json:
        click.echo(json.dumps({"schema": "xpc.gc/1", "done": True, "tidied": tidied, "experiments": results}))
        return FINE
    if tidied:
        click.echo(f"Finished what an earlier call had begun: {count(tidied, 'run')}.")
    runs, made = sum(r["runs"] for r in results), sum(r["packs"] for r in results)
    click.echo(f"Packed {count(runs, 'run')} into {count(made, 'pack')}." if results else "Nothing to pack.")
    return FINE


def _table(found: list[Packing]) -> str:
    rows = [["experiment", "runs", "packs", "size", "files less"]]
    for packing in found:
        record = packing.record()
        numbers = [f"{record['runs']:,}", f"{record['packs']:,}", size(record["bytes"]), f"{packing.inodes:,}"]
        rows.append([packing.experiment, *numbers])
    return columns(rows, [False, True, True, True, True])
