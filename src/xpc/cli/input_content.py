"""The files that inputs name to hashes of what is in them: of the snapshot, or of folders that are linked.

What lies in a linked folder is read once and remembered by its place, size, time of change and inode.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import posixpath
import re
import time
from collections.abc import Iterator, Mapping
from hashlib import blake2b, file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from xpc.compiler.snapshot import Snapshot

LARGEST: Final = 1 << 30  # bytes; of what is larger, size and time of change stand for the content
FRESH: Final = 2.0  # seconds in which a file may change once more without another time of change
MOST: Final = 20_000  # files that are remembered
NAME: Final = "contents.json"
SCHEMA: Final = "xpc.contents/1"

_ESCAPED: Final = re.compile(r"\[([*?[])\]")


class InputContent:
    """Knows the contents of inputs of the project in *folder*; *links* are the paths of linked folders by name."""

    def __init__(self, folder: Path, snapshot: Snapshot, links: Mapping[str, str]) -> None:
        self._folder = folder
        self._snapshot = snapshot
        self._links = links
        self._memory = Memory(folder / ".xpc" / NAME)

    def of(self, pattern: str) -> str | None:
        """Give a hash over the files that *pattern* matches; nothing if there are none.

        A `*` stands for a placeholder; a folder means all that is in it. Where no file matches, a placeholder's value
        may be a path of several folders.
        """
        first, _, rest = posixpath.normpath(pattern).partition("/")
        name = _ESCAPED.sub(r"\1", first)
        if name in self._links:
            return self._on_disk(os.path.join(glob.escape(self._links[name]), rest))
        plain = _ESCAPED.sub(r"\1", pattern)
        if not glob.has_magic(pattern) or glob.escape(plain) == pattern:
            blob = self._snapshot.blob_of(plain)
            if blob is not None:
                return blob
        deeper = pattern if "**" in pattern else re.sub(r"(?<!\[)\*", "**", pattern)
        return self._in_snapshot(pattern) or self._in_snapshot(deeper) or self._on_disk(pattern)

    def keep(self) -> None:
        """Remember what was read."""
        self._memory.save()

    def _in_snapshot(self, pattern: str) -> str | None:
        found = self._snapshot.code_files([pattern])
        if not found:
            return None
        lines = (f"{mode} {blob}\t{path}\0" for path, (mode, blob) in sorted(found.items()))
        return _hash("".join(lines))

    def _on_disk(self, pattern: str) -> str | None:
        """Hash what lies beside the snapshot: linked folders, and what a program in the live project reads."""
        lines: list[str] = []
        for path in sorted(glob.glob(pattern, root_dir=self._folder)):
            content = self._content(os.path.join(self._folder, path))
            if content is not None:
                lines.append(f"{content}\t{path}\0")
        if len(lines) == 1 and not glob.has_magic(pattern):
            return lines[0].partition("\t")[0]
        return _hash("".join(lines)) if lines else None

    def _content(self, path: str) -> str | None:
        if os.path.isdir(path):
            return _hash("".join(f"{line}\0" for line in sorted(_names(path))))
        try:
            return self._memory.content(os.path.realpath(path))
        except OSError:
            return None  # gone, or not ours to read: its run will say so


def _names(folder: str) -> Iterator[str]:
    """Give name, size and time of change of each file in a folder, however deep: of many files nobody reads all."""
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                found = os.stat(os.path.join(place, name))
                yield f"{os.path.relpath(os.path.join(place, name), folder)}\t{found.st_size}\t{found.st_mtime_ns}"


class Memory:
    """The contents of files, by their places; at *path* it outlives a command. To lose it costs time alone."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, tuple[int, int, int, str]] | None = None
        self._new = False

    def content(self, path: str) -> str:
        """Give the hash of a file. Raises ``OSError`` where it can't be read."""
        known = self._read()
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            found = os.fstat(file.fileno())
            stamp = (found.st_size, found.st_mtime_ns, found.st_ino)
            if found.st_size > LARGEST:
                return f"{found.st_size}-{found.st_mtime_ns}"
            if path in known and known[path][:3] == stamp:
                return known[path][3]
            content = file_digest(file, lambda: blake2b(digest_size=16)).hexdigest()
        if time.time() - found.st_mtime > FRESH:
            known.pop(path, None)
            known[path] = (*stamp, content)
            self._new = True
        return content

    def _read(self) -> dict[str, tuple[int, int, int, str]]:
        if self._known is None:
            self._known = {}
            try:
                said: Any = json.loads(self._path.read_bytes())
            except (OSError, ValueError, RecursionError):
                return self._known
            match said:
                case {"schema": "xpc.contents/1", "files": dict(files)}:
                    for path, stamp in files.items():
                        match stamp:
                            case [int(size), int(changed), int(inode), str(content)]:
                                self._known[path] = (size, changed, inode, content)
        return self._known

    def save(self) -> None:
        """Write down what is new, the newest last; where that can't be, it is read again next time."""
        if not self._new or self._known is None:
            return
        kept = dict(list(self._known.items())[-MOST:])
        aside = self._path.with_name(f"{NAME}.{os.getpid()}")
        try:
            aside.write_text(json.dumps({"schema": SCHEMA, "files": kept}, separators=(",", ":")))
            os.replace(aside, self._path)
        except OSError:
            with contextlib.suppress(OSError):
                aside.unlink()
        self._new = False


def _hash(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
