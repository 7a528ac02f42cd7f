"""A git tree to what it holds: its files, its fingerprint, and what of it can't be exported."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Final

from .git_calls import Repository

SYMLINK: Final = "120000"
SUBMODULE: Final = "160000"
_SPECIAL: Final = re.compile(rb"(?:\A|(?<=\0))(120000|160000) (?:blob|commit) ([0-9a-f]+)\t([^\0]+)\0")
_CLASS: Final = re.compile(r"\[([!^]?)([^]/]+)\]")


@dataclass(frozen=True)
class Listing:
    """All files of one tree. *raw* is what `git ls-tree -r -z` prints: `mode type id<TAB>path<NUL>` each, sorted."""

    tree: str
    raw: bytes

    @cached_property
    def entries(self) -> dict[str, tuple[str, str]]:
        """Mode and id of each path."""
        found: dict[str, tuple[str, str]] = {}
        for entry in os.fsdecode(self.raw).split("\0")[:-1]:
            meta, _, path = entry.partition("\t")
            mode, _, blob = meta.split(" ")
            found[path] = (mode, blob)
        return found

    def special(self) -> Iterator[tuple[str, str, str]]:
        """Give mode, id and path of the symlinks and submodules."""
        for mode, blob, path in _SPECIAL.findall(self.raw):
            yield mode.decode(), blob.decode(), os.fsdecode(path)

    def blob_of(self, path: str) -> str | None:
        """Give the id of the content of a file, or nothing if the tree has no such file."""
        entry = self.entries.get(path)
        return None if entry is None else entry[1]

    def fingerprint(self, patterns: Sequence[str] = (), exclude: Collection[str] = ()) -> str:
        """Give 32 hex digits that change with the path, mode or content of any file that *patterns* match.

        `**` stands for any number of folders, `*`, `?` and `[a-z]` stay inside one; a folder's name means all below it.
        No patterns: every file. Files in *exclude* never count. Paths and patterns are relative to the tree.
        """
        excluded = set(exclude)
        if not patterns and not any(path in self.entries for path in excluded):
            return blake2b(self.raw, digest_size=16).hexdigest()
        wanted = globs(patterns)
        digest = blake2b(digest_size=16)
        for entry in self.raw.split(b"\0")[:-1]:
            path = os.fsdecode(entry[entry.index(b"\t") + 1 :])
            if path not in excluded and wanted.match(path):
                digest.update(entry + b"\0")
        return digest.hexdigest()

    def matching(self, patterns: Sequence[str] = (), exclude: Collection[str] = ()) -> dict[str, tuple[str, str]]:
        """Give mode and id of the files that `fingerprint` looks at, by path."""
        wanted = globs(patterns)
        excluded = set(exclude)
        return {path: entry for path, entry in self.entries.items() if path not in excluded and wanted.match(path)}


def globs(patterns: Sequence[str]) -> re.Pattern[str]:
    """Give what matches the paths that any of *patterns* matches; none: all paths."""
    return re.compile("|".join(map(_regex, patterns)) if patterns else "", re.DOTALL)


def list_tree(repository: Repository, tree: str) -> Listing:
    return Listing(tree, repository.run("ls-tree", "-r", "-z", "--full-tree", tree))


def _regex(pattern: str) -> str:
    """Give a glob as a regular expression for whole paths."""
    out = []
    at = 0
    pattern = pattern.removeprefix("./").rstrip("/")
    while at < len(pattern):
        if pattern.startswith("**/", at):
            out.append("(?:[^/]+/)*")
            at += 3
        elif pattern.startswith("**", at):
            out.append(".*")
            at += 2
        elif (found := _CLASS.match(pattern, at)) and (one := _one_of(found[1] != "", found[2])):
            out.append(one)
            at = found.end()
        else:
            char = pattern[at]
            out.append({"*": "[^/]*", "?": "[^/]"}.get(char, re.escape(char)))
            at += 1
    return "(?:" + "".join(out) + r"(?:/.*)?\Z)"


def _one_of(others: bool, letters: str) -> str | None:
    """Give `[a-z]` as a regular expression, or nothing if it isn't one (`[z-a]`)."""
    inside = letters.replace("\\", r"\\").replace("[", r"\[").replace("^", r"\^").replace("&", r"\&")
    pattern = f"[{'^/' if others else ''}{inside}]"
    try:
        re.compile(pattern)
    except re.error:
        return None
    return pattern


def replace_entry(repository: Repository, tree: str | None, path: str, new: str | None) -> str | None:
    """Give *tree* with the folder at *path* replaced by the tree *new*, or taken out; nothing if that is empty."""
    name, _, rest = path.partition("/")
    raw = repository.run("ls-tree", "-z", tree).split(b"\0")[:-1] if tree else []
    entries = {entry[entry.index(b"\t") + 1 :]: entry for entry in raw}
    key = os.fsencode(name)
    if rest:
        old = entries.get(key)
        below = old.split(b"\t")[0].split(b" ")[2].decode() if old is not None and b" tree " in old else None
        new = replace_entry(repository, below, rest, new)
    if new is None:
        entries.pop(key, None)
    else:
        entries[key] = b"040000 tree " + new.encode() + b"\t" + key
    if not entries:
        return None
    return (
        repository.run("mktree", "-z", "--missing", input=b"".join(e + b"\0" for e in entries.values()))
        .decode()
        .strip()
    )
