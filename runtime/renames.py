"""Ended runs to their places under other names: each folder is told from where it comes, and moved.

The line is written before the move, so a cut leaves each run in one of its two places, readable there; the same command
again goes on.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .evidence_files import now
from .owner import Owner
from .shim import packs
from .shim.renames import NAME, SCHEMA
from .states import State
from .store import Store
from .superseded import SupersedeError, forget, take_from_packs, versions

BUSY: Final = ("queued", "running")

Step = Callable[[str], object]
"""Told before each step; tests stop there."""


@dataclass(frozen=True, slots=True)
class Move:
    """A run that goes from one experiment and id to another. *keys* are old names to new ones, *parents* old ids."""

    old: tuple[str, str]
    new: tuple[str, str]
    keys: Mapping[str, str]
    parents: Mapping[str, str]

    def line(self) -> dict[str, Any]:
        """Give the line of `renamed.jsonl`."""
        here = Owner.here()
        return {
            "schema": SCHEMA,
            "event": "rename",
            "from": {"experiment": self.old[0], "run": self.old[1]},
            "to": {"experiment": self.new[0], "run": self.new[1]},
            "keys": dict(self.keys),
            "parents": dict(self.parents),
            "user": here.user,
            "host": here.host,
            "time": now(),
        }


@dataclass(slots=True)
class Moving:
    """*moves*: runs that can go; *busy* ones are queued or run; of *there* the new place is taken already."""

    moves: list[Move]
    busy: list[tuple[str, str, State]]
    there: list[Move]


def choose_moves(store: Store, moves: Iterable[Move]) -> Moving:
    """Share out the moves; runs that never began have nothing to move."""
    found = Moving([], [], [])
    known = {name: set(store.ids(name)) for name in store.experiments()}
    for move in moves:
        state = store.state(*move.old)
        if state in BUSY:
            found.busy.append((*move.old, state))
        elif move.old[1] not in known.get(move.old[0], ()):
            continue
        elif move.new[1] in known.get(move.new[0], ()):
            found.there.append(move)
        else:
            found.moves.append(move)
    return found


def carry_out(store: Store, moves: Sequence[Move], step: Step = lambda _: None) -> list[Move]:
    """Move the folders of ended runs, with their earlier results. For whoever has the submit lock.

    Raises `SupersedeError` where the system refuses; what was moved until then stays where it is.
    """
    project = Path(store.project)
    forget(store.clusters, project, [move.old for move in moves])
    by_experiment: dict[str, list[Move]] = {}
    for move in moves:
        by_experiment.setdefault(move.old[0], []).append(move)
    done: list[Move] = []
    for experiment, own in by_experiment.items():
        home = os.path.join(project, "runs", experiment)
        take_from_packs(home, experiment, [move.old[1] for move in own], step)
        for move in own:
            try:
                _move(project, move, step)
            except OSError as error:
                raise SupersedeError(move.old, error) from error
            done.append(move)
        _drop_empty(home)
    return done


def _move(project: Path, move: Move, step: Step) -> None:
    """Move the earlier results first: a run that is in its new place is whole there."""
    home = project / "runs" / move.new[0]
    home.mkdir(parents=True, exist_ok=True)
    old, new = project / "runs" / move.old[0] / move.old[1], home / move.new[1]
    for version in versions(project, *move.old):
        _move_folder(version.folder, f"{new}.v{version.number}", move, step)
    _move_folder(str(old), str(new), move, step)


def _move_folder(old: str, new: str, move: Move, step: Step) -> None:
    if os.path.lexists(new):
        raise FileExistsError(errno.EEXIST, "its new place is taken", new)
    if os.path.islink(old):  # whatever it leads to is not ours to write to
        raise OSError(errno.ELOOP, "it is a link", old)
    step("tell")
    with open(os.path.join(old, NAME), "ab", opener=_no_link) as file:
        if file.tell():
            file.write(b"\n")  # what a cut has left of a line ends here
        file.write(json.dumps(move.line(), separators=(",", ":"), ensure_ascii=False).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    step("move")
    os.rename(old, new)


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)


def _drop_empty(home: str) -> None:
    """Remove the folder of an experiment that holds nothing any more."""
    for folder in (os.path.join(home, packs.FOLDER), home):
        try:
            os.rmdir(folder)
        except OSError:
            continue
