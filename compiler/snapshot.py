"""The working tree to a snapshot: a commit object of the code as it is, made beside everything the user has in git."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, Literal

from ..grammar.diagnostic import Diagnostics
from ..grammar.source import Span
from .git_calls import GitError, GitMissingError, Repository, open_repository
from .snapshot_checks import check_submodules, check_tree, warn_filters
from .snapshot_commit import (
    changed_paths,
    keep_commit,
    read_branch,
    read_commit,
    tree_without_records,
    write_commit,
)
from .snapshot_index import PrivateIndex, Status, open_index, start_over
from .snapshot_lfs import add_edited
from .snapshot_policy import check_untracked
from .snapshot_refusal import refuse, refuse_file
from .snapshot_tree import SUBMODULE, Listing, list_tree
from .tree_changes import Change, tree_changes

Mode = Literal["worktree", "head", "clean"]

NAMES_SHOWN: Final = 5


@dataclass(frozen=True)
class Snapshot:
    """The code that runs will see.

    *tree* is the extent's git tree: all that plan and build id know. *commit* is HEAD of a clean tree, else a commit of
    our own with *head* as parent. *prefix* is the Experimentfile's folder inside the tree, *extent* the tree's folder
    inside the repository (``""``: all of it). *changed* and *untracked* are relative to the extent, sorted: what
    differs from *head*, and the files among the rest that git didn't know.
    """

    tree: str
    commit: str
    head: str | None
    branch: str | None
    dirty: bool
    changed: tuple[str, ...]
    untracked: tuple[str, ...]
    prefix: str
    extent: str
    repository: Repository

    @cached_property
    def listing(self) -> Listing:
        """All files of the tree, relative to the extent."""
        return list_tree(self.repository, self.tree)

    def blob_of(self, path: str) -> str | None:
        """Give the id of a file's content, or nothing if the snapshot lacks it; *path* is as the Experimentfile
        says it."""
        return self.listing.blob_of(self._inside(path))

    def code_fingerprint(self, patterns: Sequence[str] = (), exclude: Collection[str] = ()) -> str:
        """Give 32 hex digits over path, mode and content of what *patterns* match (none: all), less *exclude*.

        Both are relative to the Experimentfile's folder.
        """
        return self.listing.fingerprint([self._inside(p) for p in patterns], [self._inside(p) for p in exclude])

    def changes_since(self, tree: str, patterns: Sequence[str] = (), exclude: Collection[str] = ()) -> list[Change]:
        """Give the files that `code_fingerprint` would count and that differ from an earlier snapshot's *tree*.

        Raises `GitError` if git does not have that any more.
        """
        patterns, exclude = [self._inside(p) for p in patterns], [self._inside(p) for p in exclude]
        return tree_changes(self.repository, tree, self.tree, patterns, exclude)

    def shown(self, path: str) -> str:
        """Give a path of the tree as one sees it from the Experimentfile."""
        return posixpath.relpath(path, self.prefix) if self.prefix else path

    def code_files(self, patterns: Sequence[str] = (), exclude: Collection[str] = ()) -> dict[str, tuple[str, str]]:
        """Give mode and id, as git names them, of the files that `code_fingerprint` looks at, by path in the tree."""
        return self.listing.matching([self._inside(p) for p in patterns], [self._inside(p) for p in exclude])

    def _inside(self, path: str) -> str:
        return posixpath.normpath(posixpath.join(self.prefix, path))


def take(
    folder: Path,
    root: str,
    mode: Mode,
    diagnostics: Diagnostics,
    *,
    root_span: Span | None = None,
    scratch: Path | None = None,
) -> Snapshot | None:
    """Make the snapshot of *folder* (the Experimentfile's), widened to folder/*root*; nothing after an error.

    Raises ``PermissionError`` where a file of ours is another user's and closed.

    ``worktree`` takes the working tree as it is, ``head`` the last commit, ``clean`` refuses when the two differ.
    Written are objects and one ref under ``refs/xpc/snapshots/``, and an index of our own in ``.xpc/``; with an empty
    folder *scratch* objects and index in there, and nothing else. They have to stay as long as the snapshot is used.
    """
    try:
        repository = open_repository(folder)
        repository = repository if scratch is None else repository.apart(os.fspath(scratch))
        extent = _extent(repository, root, diagnostics, root_span)
        if extent is None:
            return None
        if mode == "head":
            return _take_head(repository, extent, diagnostics)
        home = folder / ".xpc" if scratch is not None else _home(folder)
        return _take_worktree(repository, extent, home, mode, diagnostics)
    except (GitError, GitMissingError) as error:
        refuse(error, folder, diagnostics)
    except PermissionError:
        raise  # whoever called says whose the file is
    except OSError as error:
        refuse_file(error, diagnostics)
    return None


def _extent(repository: Repository, root: str, diagnostics: Diagnostics, span: Span | None) -> str | None:
    """Give the folder of the snapshot relative to the repository."""
    extent = posixpath.normpath(posixpath.join(repository.folder or ".", root))
    if root.startswith("/") or extent == ".." or extent.startswith("../"):
        depth = repository.folder.count("/") + 1 if repository.folder else 0
        widest = "/".join([".."] * depth) or "."
        diagnostics.error(
            "XP133",
            span,
            f"the root `{root}` is outside the repository",
            "outside",
            help=f'the widest root is the repository itself: `root "{widest}"`; `link` lets runs read other folders',
        )
        return None
    if extent != "." and not f"{repository.folder}/".startswith(f"{extent}/"):
        diagnostics.error(
            "XP133",
            span,
            f"the root `{root}` does not hold the Experimentfile's folder",
            "beside or below it",
            help="a root is `.` or goes up: `..`, `../..`",
        )
        return None
    return "" if extent == "." else extent


def _home(folder: Path) -> Path:
    """Give the .xpc folder, which git never sees."""
    home = folder / ".xpc"
    home.mkdir(exist_ok=True)
    ignore = home / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")
    return home


# ------------------------------------------------------------------ the three modes


def _take_head(repository: Repository, extent: str, diagnostics: Diagnostics) -> Snapshot | None:
    try:
        head = repository.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}").decode().strip()
    except GitError:
        _no_commit("head", diagnostics)
        return None
    branch = read_branch(repository)
    tree = tree_without_records(read_commit(repository, head, extent)[1], repository, extent, diagnostics)
    if tree is None or not check_tree(repository, extent, list_tree(repository, tree), diagnostics):
        return None
    keep_commit(repository, head, needed=False)
    return _snapshot(repository, extent, Status(head=head, branch=branch), tree, head, (), ())


def _take_worktree(
    repository: Repository, extent: str, home: Path, mode: Mode, diagnostics: Diagnostics
) -> Snapshot | None:
    index = open_index(repository, home, extent)
    try:
        try:
            status = index.status()
        except GitError:
            if index.fresh:
                raise
            start_over(index)
            status = index.status()
        if mode == "clean" and status.head is None:
            _no_commit(mode, diagnostics)
            return None
        fit = _bring_up(index, status, diagnostics)
        return _commit(index, status, mode, fit, diagnostics)
    finally:
        index.close()


def _bring_up(index: PrivateIndex, status: Status, diagnostics: Diagnostics) -> bool:
    """Make the index hold the working tree as it is; tell whether all of it may go into a snapshot."""
    repository = index.repository
    index.untracked.difference_update(status.deleted)
    untracked = sorted({*status.untracked, *index.untracked})
    fit = check_untracked(repository.top, untracked, diagnostics)
    for path in status.nested:
        fit = False
        diagnostics.error(
            "XP129",
            None,
            f"`{path}` is a git repository of its own that this one does not know",
            help=(
                f"write `{path}` into .gitignore, and `link` it if runs read it",
                f"or make it a submodule: `git submodule add URL {path.rstrip('/')}`",
            ),
        )
    for path in status.moved:
        diagnostics.warning(
            "XP132",
            None,
            f"submodule `{path}` stands at another commit than the recorded one, and runs see the recorded one",
            help=f"`git add {path}` records the commit that is checked out",
        )
    index.remove(status.deleted)
    edited = [*status.edited, *(status.untracked if fit else ())]
    if edited:
        warn_filters(repository, edited, diagnostics)
        index.add(add_edited(index, edited))
    if fit:
        index.untracked.update(status.untracked)
    return fit


def _commit(index: PrivateIndex, status: Status, mode: Mode, fit: bool, diagnostics: Diagnostics) -> Snapshot | None:
    """Write tree and commit of the index; if it isn't *fit*, look only for more to say about it."""
    repository, extent = index.repository, index.extent
    header, head_tree = read_commit(repository, status.head, extent) if status.head else ("", None)
    tree = tree_without_records(index.write_tree(), repository, extent, diagnostics if fit else None)
    if tree is None:
        return None
    before = tree_without_records(head_tree, repository, extent, None) if head_tree else None
    changed: tuple[str, ...] = ()
    if tree != before:
        changed = changed_paths(repository, before, tree)
        if mode == "clean":
            _not_clean(changed, diagnostics)
            return None
    if not _is_exportable(index, tree, diagnostics) or not fit:
        return None
    commit = status.head
    if commit is None or tree != before:
        commit = write_commit(repository, extent, tree, status.head, header)
    keep_commit(repository, commit, needed=commit != status.head)
    outer = f"{extent}/" if extent else ""
    unknown = {path.removeprefix(outer) for path in index.untracked}
    found = _snapshot(
        repository,
        extent,
        status,
        tree,
        commit,
        tuple(path for path in changed if path not in unknown),
        tuple(path for path in changed if path in unknown),
    )
    index.keep()
    return found


def _is_exportable(index: PrivateIndex, tree: str, diagnostics: Diagnostics) -> bool:
    """Check a tree in full once; later only its submodules, which have a life of their own."""
    repository, extent = index.repository, index.extent
    if tree == index.checked:
        return check_submodules(repository, extent, index.submodules, diagnostics)
    listing = list_tree(repository, tree)
    if not check_tree(repository, extent, listing, diagnostics, index.untracked):
        return False
    index.checked = tree
    index.submodules = [(path, commit) for mode, commit, path in listing.special() if mode == SUBMODULE]
    return True


def _snapshot(
    repository: Repository,
    extent: str,
    status: Status,
    tree: str,
    commit: str,
    changed: tuple[str, ...],
    untracked: tuple[str, ...],
) -> Snapshot:
    return Snapshot(
        tree=tree,
        commit=commit,
        head=status.head,
        branch=status.branch,
        dirty=commit != status.head,
        changed=changed,
        untracked=untracked,
        prefix=repository.folder[len(extent) :].lstrip("/"),
        extent=extent,
        repository=repository,
    )


# ------------------------------------------------------------------ findings


def _no_commit(mode: Mode, diagnostics: Diagnostics) -> None:
    diagnostics.error(
        "XP123",
        None,
        f"the repository has no commit yet, and `--snapshot {mode}` takes one",
        help="make a commit, or leave the option out: the working tree is then taken as it is",
    )


def _not_clean(changed: Sequence[str], diagnostics: Diagnostics) -> None:
    names = ", ".join(f"`{path}`" for path in changed[:NAMES_SHOWN])
    more = f" and {len(changed) - NAMES_SHOWN} more" if len(changed) > NAMES_SHOWN else ""
    diagnostics.error(
        "XP124",
        None,
        "the working tree differs from HEAD, and `--snapshot clean` allows no difference",
        help=(f"{names}{more} differ{'s' if len(changed) == 1 else ''}", "commit or ignore what differs"),
    )
