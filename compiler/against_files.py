"""The files of a git tree, as the passes ask for them: read from git's objects, nothing is checked out.

What git never knew (data that is ignored, folders outside the repository) is read where it lies.
"""

from __future__ import annotations

import errno
import os
import posixpath
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Final

from .files import LARGEST, DiskFiles
from .git_calls import GitError, Repository
from .snapshot_tree import SUBMODULE, SYMLINK, Listing

MOST_LINKS: Final = 40  # followed for one path, as the kernel does


class TreeFiles:
    """The files below *folder* of a tree; paths are relative to *folder*, and may leave it."""

    def __init__(self, repository: Repository, listing: Listing, folder: str) -> None:
        self._repository = repository
        self._entries = listing.entries
        self._folder = folder
        # Of a bare snapshot the tree may be a part of the repository: what is above it then is as it is on disk.
        self._top = os.path.normpath(os.path.join(repository.top, repository.folder, *[".."] * _depth(folder)))
        self._disk = DiskFiles(os.path.join(repository.top, repository.folder))

    def read(self, path: str) -> bytes:
        """Give the content of a file; raises ``OSError``."""
        place = self._place(path)
        if place is None:
            return self._disk.read(self._real(path))
        found = self._entries.get(place)
        if found is None:
            return self._disk.read(path) if self._unknown_to_git(path) else self._in_submodule(place)
        blob = found[1]
        if found[0] == SUBMODULE:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        if self._repository.blob_sizes([blob])[0] > LARGEST:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), path)
        return self._repository.read_blobs([blob])[0]

    def holds(self, path: str) -> bool:
        """Tell whether the tree has such a file."""
        return self._is_file(path)

    def glob(self, pattern: str) -> list[str]:
        """Give the files that *pattern* matches, sorted, as the disk would have done."""
        if "\0" in pattern:
            return []
        found = {path for path in self._matches("", pattern.split("/")) if self._is_file(path)}
        others = [path for path in self._disk.glob(pattern) if path not in found]
        return sorted({*found, *(path for path in others if self._place(path) is None or self._unknown_to_git(path))})

    def is_inside(self, path: str, roots: Sequence[str] = (".",)) -> bool:
        """Tell whether *path*, with every link of the tree followed, is one of *roots* or below one."""
        place = self._place(path)
        if place is not None and place not in self._entries and place not in self._folders:
            return self._disk.is_inside(path, roots)  # it is read from there, through the links that are there
        real = self._real(path)
        for root in roots:
            base = self._real(root)
            if real == base or real.startswith(base.rstrip("/") + "/"):
                return True
        return False

    # ------------------------------------------------------------------ places

    @cached_property
    def _folders(self) -> dict[str, set[str]]:
        """What each folder of the tree holds."""
        found: dict[str, set[str]] = {"": set()}
        for path in self._entries:
            while path:
                path, name = posixpath.split(path)
                known = found.setdefault(path, set())
                if name in known:
                    break
                known.add(name)
        return found

    def _place(self, path: str) -> str | None:
        """Give where a path leads in the tree; nothing if that is outside."""
        real = self._real(path)
        if real == self._top:
            return ""
        return real[len(self._top) + 1 :] if real.startswith(self._top.rstrip("/") + "/") else None

    def _real(self, path: str) -> str:
        """Give the absolute place that a path leads to, links in the tree followed as they were in it."""
        place = posixpath.join(self._top, self._folder, path)
        for _ in range(MOST_LINKS):
            followed = self._follow(place)
            if followed is None:
                break
            place = followed
        place = posixpath.normpath(place)
        inside = place == self._top or place.startswith(self._top.rstrip("/") + "/")
        return place if inside else os.path.realpath(place)

    def _follow(self, place: str) -> str | None:
        """Follow the first link in a path; give nothing if there is none."""
        done = "/"
        segments = place.split("/")
        for number, name in enumerate(segments):
            done = posixpath.normpath(posixpath.join(done, name))
            entry = self._entries.get(done[len(self._top) + 1 :]) if done.startswith(self._top) else None
            if entry is not None and entry[0] == SYMLINK:
                target = os.fsdecode(self._repository.read_blobs([entry[1]])[0])
                return posixpath.join(posixpath.dirname(done), target, *segments[number + 1 :])
        return None

    def _is_file(self, path: str) -> bool:
        entry = self._entries.get(self._place(path) or "")
        return entry is not None and entry[0] not in (SYMLINK, SUBMODULE)

    def _unknown_to_git(self, path: str) -> bool:
        """Tell whether git is told to ignore the path: it was never part of any commit."""
        try:
            self._repository.run("check-ignore", "--quiet", "--", posixpath.join(self._top, self._folder, path))
        except GitError:
            return False
        return True

    def _in_submodule(self, place: str) -> bytes:
        """Read a file of a submodule at the commit that the tree names."""
        for folder in _above(place):
            mode, commit = self._entries.get(folder, ("", ""))
            module = self._repository.inside(folder) if mode == SUBMODULE else None
            if module is not None:
                try:
                    return module.run("cat-file", "blob", f"{commit}:{place[len(folder) + 1 :]}")
                except GitError:
                    break
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), place)

    # ------------------------------------------------------------------ patterns

    def _matches(self, shown: str, segments: Sequence[str]) -> Iterator[str]:
        """Give what the rest of a pattern matches below *shown*, as Python's ``glob`` reads it."""
        if not segments:
            yield shown.rstrip("/")
            return
        first, rest = segments[0], segments[1:]
        if first == "**":
            yield from self._matches(shown, rest)
            for name in self._names(shown):
                if not name.startswith("."):
                    yield from self._matches(f"{shown}{name}/", segments)
        elif any(c in first for c in "*?["):
            for name in self._names(shown):
                if fnmatchcase(name, first) and (first.startswith(".") or not name.startswith(".")):
                    yield from self._matches(f"{shown}{name}/", rest)
        else:
            yield from self._matches(f"{shown}{first}/", rest)

    def _names(self, shown: str) -> list[str]:
        place = self._place(shown or ".")
        return sorted(self._folders.get(place, ())) if place is not None else []


def _depth(folder: str) -> int:
    return folder.count("/") + 1 if folder else 0


def _above(place: str) -> Iterator[str]:
    """Give the folders that hold a place, the nearest first."""
    while place:
        place = posixpath.dirname(place)
        if place:
            yield place
