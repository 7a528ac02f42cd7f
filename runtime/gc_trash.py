"""Folders to nothing, in two steps: out of sight by one rename, then removed; a cut leaves no half of anything.

What a cut has left in the trash is removed by the next `xpc gc --yes`. No link is ever followed.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from .export import remove

TRASH: Final = ".xpc/trash"
BESIDE: Final = ".trash"  # of an experiment whose runs lie on another file system

Step = Callable[[str], object]
"""Told before each step; tests stop there."""


class Trash:
    """The trash of a *project*, for whoever has the submit lock."""

    def __init__(self, project: Path, step: Step = lambda _: None) -> None:
        self.project = project
        self._step = step
        self._folders: set[Path] = set()
        self.refused: dict[Path, OSError] = {}
        """What could not be moved, and why."""

    def take(self, path: Path) -> bool:
        """Move a file or folder out of sight; false if it is gone already, or not ours to remove."""
        self._step("rename")
        try:
            try:
                return self._moved(path, self.project / TRASH)
            except OSError as refused:
                if refused.errno != errno.EXDEV:
                    raise
                return self._moved(path, path.parent / BESIDE)
        except OSError as refused:
            self.refused[path] = refused
            return False

    def _moved(self, path: Path, folder: Path) -> bool:
        if not is_own(self.project, folder):
            raise OSError(errno.ELOOP, "a link is in the way", str(folder))
        folder.mkdir(parents=True, exist_ok=True)
        self._folders.add(folder)
        try:
            status = path.lstat()
            if stat.S_ISDIR(status.st_mode) and not status.st_mode & stat.S_IWUSR:
                path.chmod(stat.S_IMODE(status.st_mode) | stat.S_IWUSR)  # else it can't get another parent
            os.rename(path, folder / f"{secrets.token_hex(4)}-{path.name}")
        except FileNotFoundError:
            return False
        return True

    def empty(self) -> int:
        """Remove what is in the trash, be it of an earlier call; give how many folders that were."""
        found = 0
        for folder in {*self._folders, *left(self.project)}:
            for path in sorted(folder.iterdir()):
                self._step("remove")
                try:
                    remove(path)
                    found += 1
                except OSError as refused:
                    self.refused[path] = refused
            with suppress(OSError):  # somebody else has put something in
                folder.rmdir()
        return found


def left(project: Path) -> Iterator[Path]:
    """Give the trash folders that there are."""
    for folder in (project / TRASH, *sorted((project / "runs").glob(f"*/{BESIDE}"))):
        if is_own(project, folder) and folder.is_dir():
            yield folder


def is_own(project: Path, path: Path) -> bool:
    """Tell whether no link stands between the project and *path*, and *path* is none."""
    parts = path.relative_to(project).parts
    return not any((project / Path(*parts[:end])).is_symlink() for end in range(1, len(parts) + 1))


def measured(path: Path) -> tuple[int, int]:
    """Give the bytes in a folder, or of a file, and how many files and folders these are; links count as themselves."""
    size, number = 0, 1
    if path.is_symlink() or not path.is_dir():
        return path.lstat().st_size, 1
    for folder, folders, files in os.walk(path):
        number += len(folders) + len(files)
        for name in files:
            try:
                size += os.lstat(os.path.join(folder, name)).st_size
            except FileNotFoundError:
                continue  # a log that has just been turned over
    return size, number
