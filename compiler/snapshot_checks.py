"""What a tree holds that an export can't give: links that lead outside, absent submodules, large files not fetched."""

from __future__ import annotations

import os
import posixpath

from ..grammar.diagnostic import Diagnostics
from .git_calls import GitError, Repository
from .snapshot_lfs import find_pointers, object_path
from .snapshot_tree import SYMLINK, Listing


def check_tree(repository: Repository, extent: str, listing: Listing, diagnostics: Diagnostics) -> bool:
    """Add an error for each file that can't be exported; tell whether there is none."""
    before = len([d for d in diagnostics.found if d.severity == "error"])
    links: dict[str, str] = {}
    for mode, blob, path in listing.special():
        if mode == SYMLINK:
            links[path] = blob
        else:
            _check_submodule(repository, posixpath.join(extent, path), blob, diagnostics)
    _check_links(repository, links, diagnostics)
    _check_large(repository, extent, listing, diagnostics)
    return len([d for d in diagnostics.found if d.severity == "error"]) == before


def _check_links(repository: Repository, blobs: dict[str, str], diagnostics: Diagnostics) -> None:
    if not blobs:
        return
    contents = repository.read_blobs(list(blobs.values()))
    targets = {path: os.fsdecode(content) for path, content in zip(blobs, contents, strict=True)}
    for path, target in targets.items():
        if leaves(path, targets):
            diagnostics.error(
                "XP128",
                None,
                f"the symlink `{path}` leads out of the snapshot, to `{target}`",
                help=(
                    f'write `{path}` into .gitignore, take it out of git, and write `link "{target}" as {path}`',
                    'a `root ".."` after the name of the project widens the snapshot',
                ),
            )


def leaves(path: str, targets: dict[str, str]) -> bool:
    """Tell whether the symlink at *path* leads out of the tree whose symlinks are *targets*, by whatever way."""
    place: list[str] = []
    todo = path.split("/")[::-1]
    for _ in range(10_000):  # a loop of links leads nowhere, so it stays inside
        if not todo:
            return False
        step = todo.pop()
        if step in ("", "."):
            continue
        if step == "..":
            if not place:
                return True
            place.pop()
            continue
        target = targets.get("/".join([*place, step]))
        if target is None:
            place.append(step)
        elif target.startswith("/"):
            return True
        else:
            todo += target.split("/")[::-1]
    return False


def _check_submodule(repository: Repository, path: str, commit: str, diagnostics: Diagnostics) -> None:
    inner = repository.inside(path)
    if inner is None:
        diagnostics.error(
            "XP131",
            None,
            f"submodule `{path}` is not checked out",
            help=f"`git submodule update --init {path}`",
        )
        return
    try:
        inner.run("cat-file", "-e", f"{commit}^{{commit}}")
    except GitError:
        diagnostics.error(
            "XP131",
            None,
            f"submodule `{path}` lacks the commit {commit[:7]} that is recorded for it",
            help=f"`git submodule update --init {path}`",
        )
        return
    if inner.run("status", "--porcelain", "--ignore-submodules=all"):
        diagnostics.warning(
            "XP132",
            None,
            f"submodule `{path}` has changes, and runs see its recorded commit",
            help=f"commit them there, then `git add {path}`",
        )


def _check_large(repository: Repository, extent: str, listing: Listing, diagnostics: Diagnostics) -> None:
    for path, pointer in find_pointers(repository, extent, listing):
        if not os.path.exists(object_path(repository.lfs_dir, pointer)):
            diagnostics.error(
                "XP130",
                None,
                f"`{path}` is kept by git LFS, and its content is not here",
                help=f"`git lfs fetch --include {path}`, or `git lfs fetch` for all",
            )


def warn_filters(repository: Repository, paths: list[str], diagnostics: Diagnostics) -> None:
    """Warn of filters that only the repository's own configuration defines: they are not run."""
    if not repository.silenced:
        return
    attributes = repository.attributes("filter", paths)
    for name in sorted(set(attributes.values()) & set(repository.silenced)):
        diagnostics.warning(
            "XP138",
            None,
            f"the filter `{name}` is defined by this repository alone, and was not run",
            help=f"if you trust it, define it for yourself: `git config --global filter.{name}.clean COMMAND`",
        )
