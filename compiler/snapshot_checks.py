"""What a tree holds that an export can't give: links that lead outside, absent submodules, large files not fetched."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Collection, Sequence

from ..grammar.diagnostic import Diagnostics
from .git_calls import GitError, Repository
from .snapshot_lfs import find_pointers, has_content
from .snapshot_tree import SYMLINK, Listing


def check_tree(
    repository: Repository,
    extent: str,
    listing: Listing,
    diagnostics: Diagnostics,
    untracked: Collection[str] = (),
) -> bool:
    """Add an error for each file that can't be exported; tell whether there is none.

    *untracked* are the paths (relative to the repository) that git does not know yet.
    """
    special = list(listing.special())
    submodules = [(path, blob) for mode, blob, path in special if mode != SYMLINK]
    fit = check_submodules(repository, extent, submodules, diagnostics)
    links = {path: blob for mode, blob, path in special if mode == SYMLINK}
    fit &= _check_links(repository, extent, links, untracked, diagnostics)
    fit &= _check_large(repository, extent, listing, diagnostics)
    return fit


def check_submodules(
    repository: Repository, extent: str, submodules: Sequence[tuple[str, str]], diagnostics: Diagnostics
) -> bool:
    """Add an error for each submodule (path, recorded commit) that lacks its commit; tell whether there is none."""
    found = [_check_submodule(repository, posixpath.join(extent, path), c, diagnostics) for path, c in submodules]
    return all(found)


def _check_links(
    repository: Repository,
    extent: str,
    blobs: dict[str, str],
    untracked: Collection[str],
    diagnostics: Diagnostics,
) -> bool:
    contents = repository.read_blobs(list(blobs.values()))
    targets = {path: os.fsdecode(content) for path, content in zip(blobs, contents, strict=True)}
    outside = [path for path in targets if leaves(path, targets)]
    told: set[str] = set()
    for path in outside:
        known = posixpath.join(extent, path) not in untracked
        venv = _virtual_environment(os.path.join(repository.top, extent), path)
        if venv in told:
            continue
        help = _cures(path, targets[path], known)
        if venv is not None:
            told.add(venv)
            cure = f'`{venv}/` is a virtual environment; if a `run` names it, write `link "{venv}"`, too'
            help = (_out_of_git(venv, known, folder=True), cure)
        message = f"the symlink `{path}` leads out of the snapshot, to `{targets[path]}`"
        diagnostics.error("XP128", None, message, help=help)
    return not outside


def _cures(path: str, target: str, known: bool) -> tuple[str, str]:
    name = posixpath.basename(path)
    link = f'link "{target}" as {name}' if name.isidentifier() else f'link "{target}"'
    seen = "" if name.isidentifier() else f"; runs see it as `{posixpath.basename(target)}`"
    return (_out_of_git(path, known), f"then write `{link}` in the Experimentfile{seen}")


def _out_of_git(path: str, known: bool, *, folder: bool = False) -> str:
    """Say how a path comes to be ignored; *known*: git has it already."""
    ignored = f"write `{path}{'/' if folder else ''}` into .gitignore"
    return f"take it out of git: `git rm {'-r ' if folder else ''}--cached {path}`, and {ignored}" if known else ignored


def _virtual_environment(top: str, path: str) -> str | None:
    """Give the folder of Python's that a path is in, if it is in one."""
    parts = path.split("/")
    folders = ("/".join(parts[:length]) for length in range(1, len(parts)))
    return next((folder for folder in folders if os.path.isfile(os.path.join(top, folder, "pyvenv.cfg"))), None)


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


def _check_submodule(repository: Repository, path: str, commit: str, diagnostics: Diagnostics) -> bool:
    inner = repository.inside(path)
    if inner is None:
        diagnostics.error(
            "XP131",
            None,
            f"submodule `{path}` is not checked out",
            help=f"`git submodule update --init {path}`",
        )
        return False
    try:
        inner.run("cat-file", "-e", f"{commit}^{{commit}}")
    except GitError:
        diagnostics.error(
            "XP131",
            None,
            f"submodule `{path}` lacks the commit {commit[:7]} that is recorded for it",
            help=f"`git submodule update --init {path}`",
        )
        return False
    if inner.run("status", "--porcelain", "--ignore-submodules=all"):
        diagnostics.warning(
            "XP132",
            None,
            f"submodule `{path}` has changes, and runs see its recorded commit",
            help=f"commit them there, then `git add {path}`",
        )
    return True


def _check_large(repository: Repository, extent: str, listing: Listing, diagnostics: Diagnostics) -> bool:
    pointers = find_pointers(repository, extent, listing)
    absent = [path for path, oid in pointers if not has_content(repository, oid)]
    for path in absent:
        diagnostics.error(
            "XP130",
            None,
            f"`{path}` is kept by git LFS, and its content is not here",
            help=f"`git lfs fetch --include {path}`, or `git lfs fetch` for all",
        )
    return not absent


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
