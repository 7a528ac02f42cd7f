"""Two snapshots to the files that changed between them, and the whole difference, as git tells them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Final, Protocol

from .executor.last_words import plain

_TREE: Final = re.compile(r"[0-9a-f]{7,64}")
_CALL: Final = ("-c", "core.quotePath=false", "diff-tree", "-r", "--no-color", "--no-ext-diff", "--no-textconv")


class Git(Protocol):
    """A repository in which nothing of its own is run; `compiler.git_calls.Repository` is one."""

    def run(self, *arguments: str) -> bytes: ...


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that differs; of one that is no text nobody counts the lines."""

    path: str
    added: int | None
    deleted: int | None


def is_tree(snapshot: object) -> bool:
    """Tell whether a record names a snapshot; what stands in a record is not to be believed."""
    return isinstance(snapshot, str) and _TREE.fullmatch(snapshot) is not None


def changed_files(git: Git, one: str, other: str) -> list[FileChange]:
    """Give the files that differ between two trees, by path. Raises what *git* raises if one is not there."""
    found: list[FileChange] = []
    for line in git.run(*_CALL, "--no-renames", "--numstat", "-z", one, other).split(b"\0"):
        if line:
            added, deleted, path = line.split(b"\t", 2)
            counts = [None if number == b"-" else int(number) for number in (added, deleted)]
            found.append(FileChange(os.fsdecode(path), *counts))
    return found


def whole_difference(git: Git, one: str, other: str) -> str:
    """Give the difference line by line, without what a terminal would obey."""
    text = git.run(*_CALL, "--find-renames", "-p", one, other).decode("utf-8", "replace")
    return "\n".join(plain(line) for line in text.split("\n")).rstrip("\n")
