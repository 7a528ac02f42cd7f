"""An exported tree to what runs need beside it: a template of links, a git directory, read-only modes."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .export_tree import Repository

UP_FROM_FILES: Final = "../../../../"  # files, run, experiment, runs
PLACEHOLDERS: Final = frozenset({".gitkeep", ".gitignore", ".keep"})
MANY_LINKS: Final = 60
CACHE: Final = "__pycache__"
READ_ONLY: Final = ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)


@dataclass(slots=True)
class Layout:
    """What a tree looks like from a run's folder. Paths are relative to the tree."""

    links: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)  # real ones, parents first
    entries: list[str] = field(default_factory=list)  # names below the prefix
    empty: list[str] = field(default_factory=list)  # below the prefix, relative to it
    python_roots: list[str] = field(default_factory=list)


def lay_out(tree: Path, prefix: str) -> Layout:
    """Decide what is a link and what a real folder in a run's working directory.

    Real are the folders on the way to *prefix*, and those in which results are waited for: they hold a placeholder and
    nothing else. Folders that are deeper than the top are left alone where they would cost too many links.
    """
    layout = _lay_out(tree, prefix, deep=True)
    return layout if len(layout.links) <= MANY_LINKS else _lay_out(tree, prefix, deep=False)


def _lay_out(tree: Path, prefix: str, *, deep: bool) -> Layout:
    layout = Layout()
    parts = prefix.split("/") if prefix else []
    for depth in range(len(parts)):
        above, on_way = "/".join(parts[:depth]), "/".join(parts[: depth + 1])
        layout.links += [path for path in _children(tree, above) if path != on_way]
        layout.folders.append(on_way)
    layout.entries = sorted(os.listdir(tree / prefix))
    for path in _children(tree, prefix):
        _place(tree, path, layout, deep)
    below = len(prefix) + 1 if prefix else 0
    layout.empty = sorted(path[below:] for path in layout.empty)
    roots = [prefix or ".", f"{prefix}/src" if prefix else "src"]
    roots += [".", "src"] if prefix else []
    layout.python_roots = [root for root in roots if (tree / root).is_dir()]
    return layout


def _children(tree: Path, folder: str) -> list[str]:
    return sorted(f"{folder}/{name}" if folder else name for name in os.listdir(tree / folder) if name != ".git")


def _place(tree: Path, path: str, layout: Layout, deep: bool) -> None:
    """Link *path*, or make it a real folder where it or a folder in it waits for results."""
    kept = _waiting(tree, path)
    if path not in kept and not (kept and deep):
        layout.links.append(path)
        return
    layout.folders.append(path)
    if path in kept:
        layout.empty.append(path)
        return
    for child in _children(tree, path):
        _place(tree, child, layout, deep)


def _waiting(tree: Path, path: str) -> set[str]:
    """Give the folders at or below *path* that hold nothing but a placeholder."""
    found: set[str] = set()
    todo = [path] if (tree / path).is_dir() and not (tree / path).is_symlink() else []
    while todo:
        folder = todo.pop()
        names: list[str] = []
        with os.scandir(tree / folder) as entries:
            for entry in entries:
                names.append(entry.name)
                if entry.is_dir(follow_symlinks=False):
                    todo.append(f"{folder}/{entry.name}")
        if names and PLACEHOLDERS.issuperset(names):
            found.add(folder)
    return found


def write_template(layout: Layout, tree: str, into: Path) -> None:
    """Make the links that runs hard-link: relative ones, right for the place that they get in a run's files/."""
    into.mkdir()
    for folder in layout.folders:
        (into / folder).mkdir()
    for path in layout.links:
        up = UP_FROM_FILES + "../" * path.count("/")
        os.symlink(f"{up}.xpc/snapshots/{tree}/{path}", into / path)
    (into / ".git").write_text(f"gitdir: {UP_FROM_FILES}.xpc/snapshots/{tree}.git\n")
    (into / ".git").chmod(stat.S_IMODE((into / ".git").stat().st_mode) & READ_ONLY)


def write_git_dir(repository: Repository, commit: str, home: Path, into: Path) -> None:
    """Make a git directory whose HEAD is *commit*; what it shares with the repository it finds from *home*.

    Its index calls every file unchanged: in a run's folder they are links, and only what the run adds is news.
    """
    into.mkdir()
    (into / "HEAD").write_text(f"{commit}\n")
    (into / "commondir").write_text(os.path.relpath(repository.common_dir, os.path.realpath(home)) + "\n")
    variables = {"GIT_INDEX_FILE": str(into / "index")}
    off = ("-c", "core.sparseCheckout=false")
    repository.run(*off, "read-tree", commit, variables=variables)
    listing = repository.run("ls-files", "-z", variables=variables)
    repository.run("update-index", "--assume-unchanged", "-z", "--stdin", input=listing, variables=variables)


def seal(tree: Path) -> tuple[int, int]:
    """Make all of *tree* read-only but for the folders where Python keeps its bytecode; give files and bytes."""
    files = size = 0
    todo = [str(tree)]
    while todo:
        folder = todo.pop()
        has_python = False
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name != CACHE:
                        todo.append(entry.path)
                    continue
                files += 1
                if entry.is_symlink():
                    continue
                found = entry.stat(follow_symlinks=False)
                size += found.st_size
                os.chmod(entry.path, stat.S_IMODE(found.st_mode) & READ_ONLY)
                has_python = has_python or entry.name.endswith(".py")
        if has_python:
            os.makedirs(os.path.join(folder, CACHE), exist_ok=True)
        os.chmod(folder, stat.S_IMODE(os.stat(folder).st_mode) & READ_ONLY)
    return files, size
