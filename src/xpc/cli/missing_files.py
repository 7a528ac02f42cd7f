"""The project's folder on disk, for what names files in it that runs will not find."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from xpc.compiler.missing_files import warn_of_missing

if TYPE_CHECKING:
    from .session import Session

MOST_NAMES: Final = 5_000
LARGEST: Final = 1 << 20  # bytes of a .gitignore


def warn_of_missing_files(session: Session, only: Collection[str] | None = None) -> None:
    """Warn of inputs, scripts and links of a study (*only* of some experiments, if they are named) that are missing."""
    if session.study is not None:
        warn_of_missing(session.study, ProjectFolder(session.folder), session.diagnostics, only)


class ProjectFolder:
    """Answers for one folder; each answer is a call or two of the system."""

    def __init__(self, folder: Path) -> None:
        self._folder = os.fspath(folder)

    def exists(self, path: str) -> bool:
        return os.path.lexists(os.path.join(self._folder, path))

    def is_folder(self, path: str) -> bool:
        return os.path.isdir(os.path.join(self._folder, path))

    def names(self, path: str) -> Sequence[str]:
        try:
            with os.scandir(os.path.join(self._folder, path)) as entries:
                return sorted(entry.name for entry in islice(entries, MOST_NAMES))
        except OSError:
            return ()

    def ignored(self, paths: Collection[str]) -> Collection[str]:
        """Ask git, but only about paths for which some .gitignore has a line that may mean them: to ask takes time."""
        lines = list(self._lines())
        likely = sorted(path for path in paths if any(_may_mean(line, path) for line in lines))
        if not likely:
            return ()
        from xpc.compiler.git_calls import GitError, GitMissingError, open_repository

        try:
            repository = open_repository(self._folder)
            given = b"".join(os.fsencode(path) + b"\0" for path in likely)
            out = repository.run("check-ignore", "-z", "--stdin", input=given, cwd=self._folder)
        except (GitError, GitMissingError, OSError):
            return ()  # none is ignored, or nobody can say
        return set(os.fsdecode(out).split("\0"))

    def _lines(self) -> Iterator[str]:
        """Give the lines of the .gitignore files from the folder up to the repository, and of its own list."""
        place = self._folder
        while True:
            yield from _read(os.path.join(place, ".gitignore"))
            if os.path.lexists(os.path.join(place, ".git")):
                yield from _read(os.path.join(place, ".git", "info", "exclude"))
                return
            above = os.path.dirname(place)
            if above == place:
                return
            place = above


def _read(path: str) -> Iterator[str]:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read(LARGEST)
    except OSError:
        return
    yield from (line.strip() for line in text.splitlines() if line.strip() and not line.startswith(("#", "!")))


def _may_mean(line: str, path: str) -> bool:
    """Tell whether a line's last name fits some part of a path, as git would at least have to find."""
    last = line.rstrip("/").rpartition("/")[2]
    return any(fnmatch.fnmatchcase(part, last) for part in path.split("/")) or "**" in last
