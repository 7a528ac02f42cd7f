"""What the pure passes may ask of the disk, and two answers: the disk itself, and a mapping for tests."""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

LARGEST: Final = 1 << 28  # bytes


class Files(Protocol):
    """Files by their path relative to the Experimentfile's folder, with ``/`` between segments."""

    def read(self, path: str) -> bytes:
        """Give the content of a file; raises ``OSError``."""
        ...

    def glob(self, pattern: str) -> list[str]:
        """Give the files that *pattern* matches (``**`` any depth), sorted, relative."""
        ...

    def is_inside(self, path: str, roots: Sequence[str] = (".",)) -> bool:
        """Tell whether *path*, with every symlink followed, is one of *roots* or below one."""
        ...


class DiskFiles:
    """The files below one folder of the disk."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = os.path.abspath(folder)

    def read(self, path: str) -> bytes:
        place = os.path.join(self._folder, path)
        # A pipe is no file to read, and would keep us waiting; nor is what fills the memory.
        with open(place, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise OSError(errno.EINVAL, "Not a regular file", place)
            if found.st_size > LARGEST:
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), place)
            return file.read(LARGEST)

    def glob(self, pattern: str) -> list[str]:
        import glob

        if "\0" in pattern:  # no file has such a name, and the disk refuses to be asked
            return []
        found = glob.glob(pattern, root_dir=self._folder, recursive=True)
        return sorted(name.replace(os.sep, "/") for name in found if os.path.isfile(os.path.join(self._folder, name)))

    def is_inside(self, path: str, roots: Sequence[str] = (".",)) -> bool:
        real = os.path.realpath(os.path.join(self._folder, path))
        for root in roots:
            base = os.path.realpath(os.path.join(self._folder, root))
            if real == base or real.startswith(base.rstrip(os.sep) + os.sep):
                return True
        return False


class MemoryFiles:
    """Files that are given as a mapping from path to content; there are no symlinks among them."""

    def __init__(self, files: Mapping[str, str | bytes] | None = None) -> None:
        self._files = {
            path: content.encode() if isinstance(content, str) else content for path, content in (files or {}).items()
        }

    def read(self, path: str) -> bytes:
        try:
            return self._files[posixpath.normpath(path)]
        except KeyError:
            raise FileNotFoundError(2, "No such file or directory", path) from None

    def glob(self, pattern: str) -> list[str]:
        import re

        shape = re.escape(pattern).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
        return sorted(path for path in self._files if re.fullmatch(shape, path))

    def is_inside(self, path: str, roots: Sequence[str] = (".",)) -> bool:
        place = posixpath.normpath(posixpath.join("/project/folder", path)) + "/"
        return any(
            place.startswith(posixpath.normpath(posixpath.join("/project/folder", root)).rstrip("/") + "/")
            for root in roots
        )
