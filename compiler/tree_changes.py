"""Two git trees to the files that differ between them, as far as they count for a run."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from .git_calls import Repository
from .snapshot_tree import globs

SHORT: Final = 6  # digits of a content's id that are shown


@dataclass(frozen=True, slots=True)
class Change:
    """A file that differs. *old* and *new* are the ids of its content; none where it is not there."""

    path: str
    old: str | None
    new: str | None

    @property
    def ids(self) -> str:
        """Give `a1b2c3 → d4e5f6`, with as many digits as tell the two apart."""
        if self.old is None or self.new is None:
            return (self.new or self.old or "")[:SHORT]
        if self.old == self.new:
            return "its mode"
        length = SHORT
        while self.old[:length] == self.new[:length]:
            length += 1
        return f"{self.old[:length]} → {self.new[:length]}"

    @property
    def verb(self) -> str:
        return "added" if self.old is None else "removed" if self.new is None else "changed"


def tree_changes(
    repository: Repository, old: str, new: str, patterns: Sequence[str] = (), exclude: Collection[str] = ()
) -> list[Change]:
    """Give the files that *patterns* match (none: all), less *exclude*, and that differ between two trees, by path.

    Paths and patterns are relative to the trees. Raises `GitError` if one of the trees is not there.
    """
    wanted, excluded = globs(patterns), set(exclude)
    found: list[Change] = []
    fields = repository.run("diff-tree", "-r", "-z", "--no-renames", "--raw", old, new).split(b"\0")[:-1]
    for meta, name in zip(fields[::2], fields[1::2], strict=True):
        path = os.fsdecode(name)
        if path not in excluded and wanted.match(path):
            old_mode, new_mode, old_id, new_id, _ = meta.decode()[1:].split(" ")
            ids = (None if int(mode, 8) == 0 else id for mode, id in ((old_mode, old_id), (new_mode, new_id)))
            found.append(Change(path, *ids))
    return found
