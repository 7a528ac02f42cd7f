"""Builds, exports and snapshots of a project to those that nobody refers to any more."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from .export import SUFFIXES
from .gc_needs import commit_of, needs_of
from .gc_trash import Trash, is_own, measured
from .store import Store
from .submissions import BUILDS

SNAPSHOTS: Final = ".xpc/snapshots"
REFS: Final = "refs/xpc/snapshots/"
STUDY: Final = "Experimentfile"


class Repository(Protocol):
    """Calls of git that run nothing of the repository's own; `compiler.git_calls.Repository` is one."""

    @property
    def top(self) -> str: ...
    @property
    def common_dir(self) -> str: ...
    def run(self, *arguments: str, input: bytes = b"", cwd: str | None = None) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Unused:
    """A build or an export that may go: its *paths*, the one that makes it count first."""

    name: str
    paths: tuple[Path, ...]
    bytes: int
    files: int


# ------------------------------------------------------------------ builds


def unused_builds(store: Store, *, before: float) -> list[Unused]:
    """Give the builds that no run and no unfinished submit refers to, made before a time (seconds since the epoch)."""
    home = store.project / BUILDS
    needs = needs_of(store)
    found = []
    for folder in _folders(store.project, home):
        if folder.name not in needs.builds and folder.stat().st_mtime < before:
            found.append(Unused(folder.name, (folder,), *measured(folder)))
    return found


def _folders(project: Path, home: Path) -> list[Path]:
    if not home.is_dir() or not is_own(project, home):
        return []
    return sorted(path for path in home.iterdir() if path.is_dir() and not path.is_symlink() and path.name[:1] != ".")


# ------------------------------------------------------------------ exports


def unused_exports(store: Store, *, before: float) -> list[Unused]:
    """Give the exports that no run reads that goes on or waits, last asked for before a time; the newest one stays."""
    home = store.project / SNAPSHOTS
    if not home.is_dir() or not is_own(store.project, home):
        return []
    needs = needs_of(store)
    stamps = sorted(home.glob("[0-9a-f]*.json"), key=lambda path: path.lstat().st_mtime_ns)[:-1]
    found = []
    for stamp in stamps:
        tree = stamp.stem
        if tree in needs.live or stamp.lstat().st_mtime >= before:
            continue
        paths = [home / f"{tree}{suffix}" for suffix in reversed(SUFFIXES)]
        present = tuple(path for path in paths if os.path.lexists(path))
        sizes = [measured(path) for path in present]
        found.append(Unused(tree, present, sum(size for size, _ in sizes), sum(files for _, files in sizes)))
    return found


def remove_unused(unused: Sequence[Unused], trash: Trash) -> list[Unused]:
    """Remove builds or exports, for whoever has the submit lock; give those that are gone.

    The trash notes what is somebody else's to remove.
    """
    gone = [each for each in unused if all(list(map(trash.take, each.paths)))]
    trash.empty()
    return gone


# ------------------------------------------------------------------ snapshots in git


def unused_refs(store: Store, repository: Repository, *, before: float) -> list[str]:
    """Give the commits held by a ref of ours that nothing of any project in the repository refers to.

    All projects of a repository share its refs: those in all its work trees are asked. Raises ``PermissionError``
    where the records of one are not to be read: nobody can say then what it needs.
    """
    here = store.project.resolve()
    commits, trees, folders = set[str](), set[str](), set[str]()
    for project in sorted({here, *projects(repository)}):
        records = store if project == here else Store(project)
        needs = needs_of(records)
        commits |= needs.commits | set(_commits(project))
        trees |= needs.trees
        folders |= _extents(repository, project)
    out = repository.run("for-each-ref", "--format=%(refname)", REFS.rstrip("/"))
    found = [line.removeprefix(REFS) for line in out.decode().splitlines()]
    old = [commit for commit in found if commit not in commits and _is_old(repository, commit, before)]
    holding = _holding(repository, old, trees, sorted(folders))
    return [commit for commit in old if commit not in holding]


def _commits(project: Path) -> Iterator[str]:
    """Give the commits that a project's builds and exports name."""
    builds = project / BUILDS
    for build in builds.iterdir() if builds.is_dir() else ():
        commit = commit_of(build)
        if commit is not None:
            yield commit
    for stamp in (project / SNAPSHOTS).glob("[0-9a-f]*.json"):
        try:
            yield str(json.loads(stamp.read_bytes())["commit"])
        except (ValueError, KeyError, TypeError, RecursionError):
            continue


def _extents(repository: Repository, project: Path) -> set[str]:
    """Give the folders of the repository that may be the extent of a project's snapshots: its own and those above."""
    for top in _tops(repository):
        if project.is_relative_to(top):
            inside = project.relative_to(top)
            return {"" if str(folder) == "." else folder.as_posix() for folder in (inside, *inside.parents)}
    return {""}


def _holding(
    repository: Repository, commits: Sequence[str], trees: Collection[str], folders: Sequence[str]
) -> set[str]:
    """Give those of the commits that have one of *trees* in one of *folders*."""
    asked = [(commit, f"{commit}:{folder}") for commit in commits for folder in folders]
    if not asked:
        return set()
    listing = "".join(f"{name}\n" for _, name in asked)
    out = repository.run("cat-file", "--batch-check=%(objectname)", input=os.fsencode(listing)).decode().splitlines()
    return {commit for (commit, _), tree in zip(asked, out, strict=True) if tree in trees}


def _is_old(repository: Repository, commit: str, before: float) -> bool:
    """Tell whether the ref was made before a time; one that git has packed is as old as git's last pack of refs."""
    for name in (f"{REFS}{commit}", "packed-refs"):
        path = os.path.join(repository.common_dir, name)
        if os.path.exists(path):
            return os.stat(path).st_mtime < before
    return False  # kept in a way that we can't date


def drop_refs(repository: Repository, commits: Sequence[str]) -> None:
    """Let go of snapshots; git's own gc removes what nothing else holds."""
    lines = "".join(f"delete {REFS}{commit}\n" for commit in commits)
    repository.run("update-ref", "--stdin", input=lines.encode())


def projects(repository: Repository) -> Iterator[Path]:
    """Give the folders with records of ours in all work trees of the repository."""
    for top in _tops(repository):
        yield from _projects_in(repository, top)


def _tops(repository: Repository) -> list[Path]:
    """Give the work trees that are there."""
    listing = os.fsdecode(repository.run("worktree", "list", "--porcelain", "-z")).split("\0")
    tops = [line.removeprefix("worktree ") for line in listing if line.startswith("worktree ")]
    return [Path(top).resolve() for top in tops if os.path.isdir(top)]


def _projects_in(repository: Repository, top: Path) -> Iterator[Path]:
    """Look beside each Experimentfile, and in what git ignores: a branch that lacks the file leaves the records."""
    studies = repository.run(
        "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", f":(glob)**/{STUDY}", cwd=str(top)
    )
    hidden = repository.run(
        "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory", cwd=str(top)
    )
    folders = {os.path.dirname(name) for name in os.fsdecode(studies).split("\0") if name}
    for name in os.fsdecode(hidden).split("\0"):
        if name.endswith("/"):
            place = name.rstrip("/")
            folders |= {os.path.dirname(place), place} if os.path.basename(place) == ".xpc" else {place}
    for folder in sorted(folders):
        if (top / folder / ".xpc").is_dir():
            yield top / folder
