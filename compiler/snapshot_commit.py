"""A tree to a commit that depends on nothing but HEAD and the tree, and what is asked of commits on the way."""

from __future__ import annotations

import os
import posixpath
from typing import Final

from ..grammar.diagnostic import Diagnostics
from .git_calls import GitError, Repository
from .snapshot_index import OWN_FOLDERS
from .snapshot_tree import list_tree, replace_entry

IDENTITY: Final = "xpc <xpc@localhost>"
MESSAGE: Final = "Snapshot of the working tree\n"
EMPTY_TREES: Final = frozenset(
    {  # by SHA-1 and by SHA-256
        "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
        "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
    }
)


def read_commit(repository: Repository, commit: str, extent: str) -> tuple[str, str | None]:
    """Give the header of a commit, and the tree of the extent in it."""
    names = f"{commit}\n{commit}:{extent}\n"
    out = repository.run("cat-file", "--batch", input=os.fsencode(names))
    first, _, rest = out.partition(b"\n")
    size = int(first.split(b" ")[2])
    header = rest[:size].partition(b"\n\n")[0].decode("utf-8", "replace")
    second = rest[size + 1 :].partition(b"\n")[0].split(b" ")
    tree = second[0].decode() if len(second) == 3 and second[1] == b"tree" else None
    return header, tree


def tree_without_records(
    tree: str | None, repository: Repository, extent: str, diagnostics: Diagnostics | None
) -> str | None:
    """Give the extent's tree without what xpc itself writes; an empty one is an error."""
    inside = repository.folder[len(extent) :].lstrip("/")
    if tree is not None:
        place = f"{tree}:{inside}" if inside else tree
        try:
            names = repository.run("ls-tree", "-z", "--name-only", place, *OWN_FOLDERS).decode().split("\0")[:-1]
        except GitError:
            names = []
        for name in names:
            path = posixpath.join(inside, name)
            tree = replace_entry(repository, tree, path, None)
            if diagnostics is not None:
                diagnostics.warning(
                    "XP134",
                    None,
                    f"`{path}/` is tracked by git, and no part of a snapshot",
                    help=f"xpc writes there; `git rm -r --cached {path}` leaves it to xpc",
                )
    if tree in EMPTY_TREES:
        tree = None
    if tree is None and diagnostics is not None:
        diagnostics.error(
            "XP139",
            None,
            "the snapshot would be empty",
            help="git ignores this folder: write `git init` here, or take it out of .gitignore",
        )
    return tree


def write_commit(repository: Repository, extent: str, tree: str, head: str | None, header: str) -> str:
    """Write a commit whose id depends on HEAD and the tree alone."""
    when = "0 +0000"
    whole: str | None = tree
    if head is not None:
        lines = dict(line.split(" ", 1) for line in header.split("\n") if " " in line)
        when = " ".join(lines["committer"].rsplit(" ", 2)[1:])
        if extent:
            whole = replace_entry(repository, lines["tree"], extent, tree)
    elif extent:
        whole = replace_entry(repository, None, extent, tree)
    parent = f"parent {head}\n" if head else ""
    text = f"tree {whole}\n{parent}author {IDENTITY} {when}\ncommitter {IDENTITY} {when}\n\n{MESSAGE}"
    return repository.run("hash-object", "-t", "commit", "-w", "--stdin", input=text.encode()).decode().strip()


def keep_commit(repository: Repository, commit: str, *, needed: bool) -> None:
    """Hold the commit by a ref, so that gc can't drop it; HEAD itself may stay without where nobody can write."""
    if repository.scratch:
        return
    ref = f"refs/xpc/snapshots/{commit}"
    if os.path.exists(os.path.join(repository.common_dir, ref)):
        return
    try:
        repository.run("update-ref", ref, commit)
    except GitError:
        if needed:
            raise


def changed_paths(repository: Repository, before: str | None, tree: str) -> tuple[str, ...]:
    """Give the paths in which two trees differ, sorted."""
    if before is None:
        return tuple(sorted(list_tree(repository, tree).entries))
    out = repository.run("diff-tree", "-r", "-z", "--name-only", "--no-renames", before, tree)
    return tuple(sorted(os.fsdecode(out).split("\0")[:-1]))


def read_branch(repository: Repository) -> str | None:
    try:
        return os.fsdecode(repository.run("symbolic-ref", "--quiet", "--short", "HEAD")).strip()
    except GitError:
        return None
