"""What `xpc accept --rename OLD=NEW` does: the folders of ended runs go to where their new names put them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from xpc.compiler.values import Path as Key
from xpc.compiler.values import dotted

from .build_summary import REASONS
from .failure import AT_FAULT, Stop, refuse
from .output import count

if TYPE_CHECKING:
    from xpc.compiler.renamed import Renames
    from xpc.compiler.table import Table
    from xpc.runtime.accepted import Acceptance
    from xpc.runtime.renames import Move, Moving
    from xpc.runtime.store import Store

    from .session import Session


def renames_of(session: Session, texts: Sequence[str]) -> Renames:
    """Read `OLD=NEW`: NEW is an experiment of the study, or a key (or a group of keys) that one has."""
    from xpc.compiler.renamed import Renames

    experiments: dict[str, str] = {}
    keys: dict[Key, Key] = {}
    known = {path[:length] for table in session.tables.values() for path in table.order for length in _lengths(path)}
    for text in texts:
        old, new = _pair(session, text)
        if len(new) == 1 and new[0] in session.tables and new not in known:
            _refuse_if_there(dotted(old), len(old) == 1 and old[0] in session.tables, text)
            experiments[new[0]] = dotted(old)
        elif new in known:
            _refuse_if_there(dotted(old), old in known, text)
            keys[new] = old
        else:
            from xpc.grammar.nearest import nearest

            names = [*session.tables, *map(dotted, sorted(known))]
            close = nearest(dotted(new), names)
            help = f"did you mean `{close}`?" if close else "write the old name, `=`, and the name that it has now"
            refuse(f"neither an experiment nor a key is called `{dotted(new)}`", help=help)
    return Renames(experiments, keys)


def _lengths(path: Key) -> range:
    return range(1, len(path) + 1)


def _pair(session: Session, text: str) -> tuple[Key, Key]:
    """Give both names; what is no name ends the command."""
    from xpc.grammar.parser import parse_setting
    from xpc.grammar.source import Source

    old, equals, new = text.partition("=")
    if not equals or not old.strip() or not new.strip():
        raise click.UsageError(f"--rename takes OLD=NEW, and `{text}` is not of that form.")
    found = [parse_setting(Source("--rename", f"{name.strip()}=0"), session.diagnostics) for name in (old, new)]
    session.stop_if_failed()
    assert found[0] is not None
    assert found[1] is not None
    return found[0][0].path, found[1][0].path


_FIRST = "rename it in the Experimentfile first (two names that change places take three renames, by a third name)"


def _refuse_if_there(old: str, there: bool, text: str) -> None:
    if there:
        refuse(f"`--rename {text}`: the study still has `{old}`", help=_FIRST)


def moves_of(session: Session, renames: Renames) -> list[Move]:
    """Give what each run of the study would be moved from and to, had it begun under its old name."""
    from xpc.compiler.renamed import moved_runs
    from xpc.runtime.renames import Move

    keys = {dotted(old): dotted(new) for new, old in renames.keys.items()}
    return [
        Move((run.old_experiment, run.old_id), (run.experiment, run.id), keys, run.parents)
        for run in moved_runs(session.tables, renames)
    ]


def look(store: Store, moves: Sequence[Move]) -> Moving:
    """Share out the moves; the command ends where a run is under way."""
    from xpc.runtime.renames import choose_moves

    found = choose_moves(store, moves)
    if found.busy:
        lines = [f"error: {experiment} {id[:7]} is {state}" for experiment, id, state in found.busy[:REASONS]]
        more = len(found.busy) - REASONS
        lines += [f"error: {more:,} more are queued or running"] if more > 0 else []
        lines.append("help: rename when they have ended, or `xpc cancel` them; nothing was moved")
        raise Stop(AT_FAULT, "\n".join(lines))
    return found


def told(found: Moving, *, done: bool) -> list[str]:
    """Say how many folders go where."""
    verb = "moved" if done else "to move"
    ways: dict[tuple[str, str], int] = {}
    for move in found.moves:
        ways[move.old[0], move.new[0]] = ways.get((move.old[0], move.new[0]), 0) + 1
    lines = [
        f"{verb}: {count(runs, 'run')} of {old}" + (f" to {new}" if new != old else ", which have new ids")
        for (old, new), runs in ways.items()
    ]
    for move in found.there[:REASONS]:
        new = f"{move.new[0]} {move.new[1][:7]}"
        lines.append(f"left alone: {move.old[0]} {move.old[1][:7]}, since {new} has run already")
    more = len(found.there) - REASONS
    return [*lines, f"left alone: {more:,} more"] if more > 0 else lines


def carry_out(session: Session, moves: Sequence[Move]) -> Moving:
    """Take the submit lock, look anew, and move; what the system refuses ends the command."""
    from xpc.runtime.lock import Held, take_lock
    from xpc.runtime.renames import carry_out as move_all
    from xpc.runtime.store import Store
    from xpc.runtime.superseded import SupersedeError

    lock = take_lock(session.folder)
    if isinstance(lock, Held):
        who = f" by {lock.owner.user} on {lock.owner.host}" if lock.owner is not None else ""
        refuse(f"a submit is going on{who}", help="try again when it has ended; nothing was moved")
    with lock:
        store = Store(session.folder)
        try:
            found = look(store, moves)
            move_all(store, found.moves)
        except SupersedeError as refused:
            experiment, id = refused.run
            why = refused.error.strerror or str(refused.error)
            refuse(f"the folder of {experiment} {id[:7]} can't be moved: {why}", help="the same command again goes on")
        finally:
            store.close()
    return found


def moved_rows(
    tables: Mapping[str, Table], store: Store, moved: Sequence[Move], moves: Sequence[Move]
) -> dict[str, list[int]]:
    """Give the rows of the runs that were *moved* just now, or by a call that was cut before it accepted them."""
    from xpc.runtime.shim.renames import read

    fresh = {move.new for move in moved}
    begun = {name: set(store.ids(name)) for name in store.experiments()}
    for move in moves:
        if move.new not in fresh and move.new[1] in begun.get(move.new[0], ()) and read(store.folder(*move.new)):
            record = store.record(*move.new)
            if record is not None and not store.accepted.of(*move.new, record.claim.get("fingerprint")):
                fresh.add(move.new)
    return {name: [row for row, id in enumerate(table.ids()) if (name, id) in fresh] for name, table in tables.items()}


def is_of_names(found: Acceptance) -> bool:
    """Tell whether nothing has changed but the command, which names keys and experiments."""
    return found.what == "command changed"


def to_json(found: Moving) -> list[Mapping[str, Any]]:
    """Give the moves for `xpc accept --json`."""
    return [
        {"from": {"experiment": m.old[0], "run": m.old[1]}, "to": {"experiment": m.new[0], "run": m.new[1]}}
        for m in found.moves
    ]
