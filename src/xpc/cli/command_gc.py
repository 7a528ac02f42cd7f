"""``xpc gc``: what takes room and need not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options
from .failure import AT_FAULT, FINE, refuse
from .output import json_text
from .session import find_folder

if TYPE_CHECKING:
    from xpc.runtime.lock import SubmitLock

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What a call asks for. *where* names runs; *age* is in seconds, none if it was not given."""

    pack: bool
    where: str | None
    done: bool
    superseded: bool
    builds: bool
    snapshots: bool
    age: float | None
    yes: bool

    @property
    def anything(self) -> bool:
        return self.pack or self.where is not None or self.builds or self.snapshots


@click.command()
@click.option("--where", metavar="EXPR", help="Remove the ended runs for which this holds, as in a query.")
@click.option("--done", is_flag=True, help="With --where: done runs too, also if it does not say `status == done`.")
@click.option("--superseded", is_flag=True, help="With --where: not the runs, but earlier results of theirs.")
@click.option("--builds", is_flag=True, help="Remove builds that no run and no open submit refers to.")
@click.option("--snapshots", is_flag=True, help="Remove exports and snapshots that nothing refers to.")
@click.option("--older-than", "age", metavar="TIME", help="Only what ended, or was made, before: `30d`, `12h`.")
@click.option("--pack", is_flag=True, help="Put ended runs without outputs into packs of up to 1,000.")
@click.option("--yes", is_flag=True, help="Do it; without this nothing is written.")
@options.as_json
def command(
    where: str | None,
    done: bool,
    superseded: bool,
    builds: bool,
    snapshots: bool,
    age: str | None,
    pack: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Make room: remove runs that you name, builds and snapshots that nobody uses; put runs into packs.

    Without --yes it says what it would do. A run that is not named is never touched, nor is one that has not ended,
    or that an unended one comes after. Packs lose nothing: queries, `xpc show`, `xpc logs` and `xpc submit` read
    them as they read folders.

    \b
    Example:  xpc gc --where "status == failed" --older-than 30d
              xpc gc --builds --snapshots --yes
    """
    from .command_wait import duration_of

    wish = Wish(pack, where, done, superseded, builds, snapshots, duration_of(age) if age else None, yes)
    _check(wish)
    folder = find_folder(Path.cwd())
    if (folder / ".xpc").is_symlink():
        refuse("`.xpc` is a link, and `xpc gc` follows none", help="put the folder itself in its place")
    if not yes:
        return _tell(_parts(folder, wish, None), as_json=as_json)
    from xpc.runtime.lock import Held, take_lock

    lock = take_lock(folder)
    if isinstance(lock, Held):
        who = f" by {lock.owner.user} on {lock.owner.host}" if lock.owner is not None else ""
        nothing = "nothing was packed" if wish.pack and not (where or builds or snapshots) else "nothing was removed"
        refuse(f"a submit is going on{who}", help=f"try again when it has ended; {nothing}")
    with lock:
        return _tell(_parts(folder, wish, lock), as_json=as_json)


def _check(wish: Wish) -> None:
    if wish.yes and not wish.anything:
        raise click.UsageError("--yes does what another option says; write `xpc gc --pack --yes`.")
    if wish.where is None and (wish.done or wish.superseded):
        raise click.UsageError('--done and --superseded are about runs; name them: --where "status == failed".')
    if wish.age is not None and wish.anything and not (wish.where or wish.builds or wish.snapshots):
        raise click.UsageError("--older-than is not for --pack.")


def _parts(folder: Path, wish: Wish, lock: SubmitLock | None) -> list[Any]:
    """Do what is wished, under the *lock*; without one only look."""
    from xpc.runtime.gc_trash import Trash
    from xpc.runtime.store import Store

    from . import gc_parts

    store = Store(folder)
    found: list[Any] = []
    if wish.where is not None:
        found.append(gc_parts.runs(store, wish, Trash(folder) if lock else None))
    if wish.pack or not wish.anything:
        found.append(gc_parts.packs(store, lock))
    if wish.builds or not wish.anything:
        found.append(gc_parts.builds(store, wish, Trash(folder) if lock else None))
    if wish.snapshots or not wish.anything:
        found += gc_parts.snapshots(store, wish, Trash(folder) if lock else None)
    return found


def _tell(parts: list[Any], *, as_json: bool) -> int:
    """Print what came of it; status 1 if something could not be removed."""
    from .gc_parts import refusals, to_json, to_text

    click.echo(json_text(to_json(parts)) if as_json else to_text(parts))
    refused = refusals(parts)
    if refused:
        click.echo(refused, err=True)
    return AT_FAULT if refused else FINE
