"""The working tree to a git tree, by an index of our own that starts as a copy of the user's."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .git_calls import GitError, Repository

KEPT_INDEX: Final = "snapshot.index"
KEPT_STATE: Final = "snapshot.json"
OWN_FOLDERS: Final = (".xpc", "runs")


@dataclass(slots=True)
class PrivateIndex:
    """An index file of this process alone. *untracked* are the paths in it that the user's index lacks."""

    repository: Repository
    home: Path  # the .xpc folder
    extent: str  # of the snapshot, relative to the repository
    path: Path
    fresh: bool = True
    untracked: set[str] = field(default_factory=set)
    checked: str = ""  # the last tree that was found fit for export
    submodules: list[tuple[str, str]] = field(default_factory=list)  # of that tree: path and commit

    def git(self, *arguments: str, input: bytes = b"") -> bytes:
        return self.repository.run(*arguments, input=input, variables={"GIT_INDEX_FILE": str(self.path)})

    def scope(self) -> list[str]:
        """Give the pathspecs of the extent without what xpc itself writes."""
        inside = self.repository.folder
        own = [f"{inside}/{name}" if inside else name for name in OWN_FOLDERS]
        return ["--", f":(top,literal){self.extent}", *(f":(top,exclude,literal){path}" for path in own)]

    def status(self) -> Status:
        """Compare the working tree with the index; stat data are refreshed in it."""
        question = ("status", "--porcelain=v2", "-z", "--branch", "--no-ahead-behind", "--untracked-files=all")
        # This index is ours: what the call learns of sizes and times may be written down.
        variables = {"GIT_INDEX_FILE": str(self.path), "GIT_OPTIONAL_LOCKS": "1"}
        options = ("--no-renames", "--ignore-submodules=dirty")
        return read_status(os.fsdecode(self.repository.run(*question, *options, *self.scope(), variables=variables)))

    def remove(self, paths: Iterable[str]) -> None:
        listing = _nul(paths)
        if listing:
            self.git("update-index", "--force-remove", "-z", "--stdin", input=listing)

    def add(self, paths: Iterable[str]) -> None:
        listing = _nul(paths)
        if listing:
            self.git("update-index", "--add", "--remove", "--replace", "-z", "--stdin", input=listing)

    def set(self, entries: Iterable[tuple[str, str, str]]) -> None:
        """Put (mode, blob, path) into the index as they are."""
        listing = b"".join(os.fsencode(f"{mode} {blob}\t{path}") + b"\0" for mode, blob, path in entries)
        if listing:
            self.git("update-index", "-z", "--index-info", input=listing)

    def write_tree(self) -> str | None:
        """Give the tree of the extent; nothing if it is empty."""
        if not self.extent:
            return self.git("write-tree").decode().strip()
        try:
            return self.git("write-tree", f"--prefix={self.extent}/").decode().strip()
        except GitError as error:
            if "not found" in error.text:
                return None
            raise

    def keep(self) -> None:
        """Leave the index for the next snapshot, which then needs to look at stat data only."""
        if self.repository.scratch:
            return
        state = {
            "seed": _seed(self.repository),
            "extent": self.extent,
            "index": _trailer(self.path),
            "untracked": sorted(self.untracked),
            "checked": self.checked,
            "submodules": self.submodules,
        }
        aside = self.path.with_suffix(".json")
        aside.write_text(json.dumps(state))
        os.replace(self.path, self.home / KEPT_INDEX)
        os.replace(aside, self.home / KEPT_STATE)

    def close(self) -> None:
        self.path.unlink(missing_ok=True)
        self.path.with_name(self.path.name + ".lock").unlink(missing_ok=True)


@dataclass(slots=True)
class Status:
    """What differs: *edited* and *deleted* between index and working tree, *staged* between HEAD and index."""

    head: str | None = None
    branch: str | None = None
    edited: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    staged: bool = False
    untracked: list[str] = field(default_factory=list)
    nested: list[str] = field(default_factory=list)  # untracked repositories
    moved: list[str] = field(default_factory=list)  # submodules at another commit than the recorded one


def read_status(text: str) -> Status:
    """Read what `git status --porcelain=v2 -z --branch --no-renames` prints."""
    status = Status()
    for entry in text.split("\0"):
        match entry[:2]:
            case "# ":
                _, key, value = entry.split(" ", 2)
                if key == "branch.oid" and value != "(initial)":
                    status.head = value
                elif key == "branch.head" and value != "(detached)":
                    status.branch = value
            case "1 ":
                _, xy, sub, *_, path = entry.split(" ", 8)
                status.staged |= xy[0] != "."
                if xy[1] == ".":
                    continue
                if sub[0] == "S":
                    status.moved.append(path)
                else:
                    (status.deleted if xy[1] == "D" else status.edited).append(path)
            case "u ":
                status.staged = True
                status.edited.append(entry.split(" ", 10)[10])
            case "? ":
                path = entry[2:]
                if path.endswith("/"):
                    status.nested.append(path)
                elif "__pycache__" not in path.split("/"):  # bytecode follows from the code, and changes without it
                    status.untracked.append(path)
    return status


def open_index(repository: Repository, home: Path, extent: str) -> PrivateIndex:
    """Take up the index that the last snapshot kept if it still fits the user's, else a copy of the user's."""
    if not repository.scratch:
        _clean(home)
    work = Path(repository.scratch or home) / f"{_owner()}{os.getpid()}.index"
    index = PrivateIndex(repository, home, extent, work)
    if not _take_up(index):
        start_over(index)
    return index


def _take_up(index: PrivateIndex) -> bool:
    try:
        state = json.loads((index.home / KEPT_STATE).read_text())
        if state["seed"] != _seed(index.repository) or state["extent"] != index.extent:
            return False
        shutil.copy2(index.home / KEPT_INDEX, index.path)
        if state["index"] != _trailer(index.path):
            return False
        index.untracked = {str(path) for path in state["untracked"]}
        index.checked = str(state["checked"])
        index.submodules = [(str(path), str(commit)) for path, commit in state["submodules"]]
        _forget_ignored(index)
    except (OSError, ValueError, KeyError, TypeError, GitError):
        return False  # it is a cache: whatever is wrong with it, the user's index is there
    index.fresh = False
    return True


def start_over(index: PrivateIndex) -> None:
    """Copy the user's index and make it tell the truth: its hints to look away are cleared."""
    index.close()
    index.fresh = True
    index.untracked.clear()
    index.checked = ""
    try:
        # The time of the copy matters: git re-reads files that are not older than their index.
        shutil.copy2(os.path.join(index.repository.git_dir, "index"), index.path)
    except FileNotFoundError:
        # The branch may have no commit yet while others, or our own refs, have some.
        if _has_commit(index.repository):
            index.git("read-tree", "HEAD")
        return
    listing = os.fsdecode(index.git("ls-files", "-v", "-z"))
    odd = [entry for entry in listing.split("\0") if entry and entry[0] != "H"]
    assumed = [entry[2:] for entry in odd if entry[0].islower()]
    # A path that a sparse checkout left out is taken from the commit: it stays marked.
    skipped = [e[2:] for e in odd if e[0] in "Ss" and os.path.lexists(os.path.join(index.repository.top, e[2:]))]
    outside = [e[2:] for e in odd if e[0] == "M" and index.extent and not e[2:].startswith(index.extent + "/")]
    for option, paths in (("--no-assume-unchanged", assumed), ("--no-skip-worktree", skipped)):
        if paths:
            index.git("update-index", option, "-z", "--stdin", input=_nul(paths))
    index.remove(outside)


def _has_commit(repository: Repository) -> bool:
    try:
        repository.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    except GitError:
        return False
    return True


def _forget_ignored(index: PrivateIndex) -> None:
    """Take out what was untracked when it was added and is ignored by now."""
    if not index.untracked:
        return
    try:
        out = index.git("check-ignore", "--no-index", "-z", "--stdin", input=_nul(index.untracked))
    except GitError as error:
        if error.returncode != 1:  # 1: none of them is ignored
            raise
        return
    ignored = [path for path in os.fsdecode(out).split("\0") if path]
    index.remove(ignored)
    index.untracked.difference_update(ignored)


def _owner() -> str:
    return f"snapshot-{socket.gethostname()}-"


def _clean(home: Path) -> None:
    """Remove the index files of processes of this host that are gone."""
    for path in home.glob(f"{_owner()}*"):
        pid = path.name.removeprefix(_owner()).partition(".")[0]
        if not pid.isdigit() or not os.path.exists(f"/proc/{pid}"):
            path.unlink(missing_ok=True)


def _seed(repository: Repository) -> str:
    """Tell which index of the user's this is; it changes whenever git writes it."""
    path = os.path.join(repository.git_dir, "index")
    try:
        stat = os.stat(path)
    except FileNotFoundError:
        return ""
    return f"{stat.st_mtime_ns}-{stat.st_size}-{stat.st_ino}"


def _trailer(path: Path) -> str:
    """Give the checksum that ends an index file."""
    try:
        with open(path, "rb") as file:
            file.seek(-20, os.SEEK_END)
            return file.read().hex()
    except OSError:
        return ""


def _nul(paths: Iterable[str]) -> bytes:
    return b"".join(os.fsencode(path) + b"\0" for path in paths)
