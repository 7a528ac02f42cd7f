"""An export to whether it still is what git holds: every file is read and compared, in full."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal, Protocol

from .export_tree import LONGEST_POINTER, POINTER, Repository

CACHE: Final = "__pycache__"
How = Literal["changed", "missing", "added", "unknown"]


class GitRepository(Repository, Protocol):
    """A repository that also tells of a call how it ended."""

    def start(
        self, *arguments: str, cwd: str | None = None, variables: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]: ...


@dataclass(frozen=True, slots=True)
class Difference:
    """A file that is not as git has it; *unknown*: nobody can tell, its submodule is not checked out."""

    path: str
    how: How


@dataclass(frozen=True, slots=True)
class Verified:
    """How many files were compared, and those that differ."""

    tree: str
    files: int
    different: tuple[Difference, ...]

    @property
    def equal(self) -> bool:
        return not self.different

    def text(self) -> str:
        """Give `120 files, equal`, or what differs."""
        many = "1 file" if self.files == 1 else f"{self.files:,} files"
        if self.equal:
            return f"{many}, equal"
        named = ", ".join(f"{one.path} {one.how}" for one in self.different[:3])
        more = len(self.different) - 3
        return f"{many}, and {len(self.different):,} {'differs' if len(self.different) == 1 else 'differ'}: {named}" + (
            f" and {more:,} more" if more > 0 else ""
        )


def verify(repository: GitRepository, tree: str, prefix: str, folder: Path) -> Verified:
    """Compare the export in *folder* with *tree*; *prefix* is the project's folder inside it.

    Raises ``CalledProcessError`` where git fails (the tree is not there), ``OSError`` where a file can't be read.
    """
    extent = repository.folder[: len(repository.folder) - len(prefix)].rstrip("/")
    with tempfile.TemporaryDirectory(prefix="xpc-verify-") as aside:
        known, found = _compare(repository, tree, extent, folder, Path(aside), "")
    added = [Difference(path, "added") for path in sorted(_files(folder) - known)]
    return Verified(tree, len(known), (*sorted(found, key=lambda one: one.path), *added))


def _compare(
    repository: GitRepository, tree: str, extent: str, folder: Path, aside: Path, within: str
) -> tuple[set[str], list[Difference]]:
    """Give the files that there should be, and those that differ; *within* is the submodule's path, with a slash."""
    index = aside / f"index-{len(os.listdir(aside))}"
    variables = {"GIT_DIR": repository.git_dir, "GIT_WORK_TREE": str(folder), "GIT_INDEX_FILE": str(index)}
    whole = ("-c", "core.sparseCheckout=false", "-c", "core.bare=false")

    def git(*arguments: str) -> bytes:
        return repository.run(*whole, *arguments, cwd=str(folder), variables=variables)

    git("read-tree", tree)
    # The index knows no sizes or times, so this reads every file and compares it with its blob. It says by its exit
    # status that some differ; which ones says `diff-files`.
    process = repository.start(*whole, "update-index", "-q", "--refresh", cwd=str(folder), variables=variables)
    process.communicate()
    entries = dict(_entries(git("ls-files", "--stage", "-z")))
    different = []
    for status, path in _pairs(git("diff-files", "--name-status", "-z", "--ignore-submodules=all")):
        mode, blob = entries[path]
        if mode == "160000" or (status != "D" and _is_resolved(repository, blob, folder / path)):
            continue
        different.append(Difference(within + path, "missing" if status == "D" else "changed"))
    known = {within + path for path, (mode, _) in entries.items() if mode != "160000"}
    for path, (mode, commit) in entries.items():
        if mode != "160000":
            continue
        try:
            inner = _inside(repository, os.path.join(extent, path))
            place = folder / path
            compared = None if inner is None else _compare(inner, commit, "", place, aside, f"{within}{path}/")
        except subprocess.CalledProcessError:
            compared = None  # it has no such commit any more
        if compared is None:
            different.append(Difference(within + path, "unknown"))
            known |= {f"{within}{path}/{name}" for name in _files(folder / path)}
            continue
        more, found = compared
        known |= more
        different += found
    return known, different


def _inside(repository: GitRepository, path: str) -> GitRepository | None:
    return repository.inside(path)  # type: ignore[return-value]  # a submodule's repository can do the same


def _entries(listing: bytes) -> Iterator[tuple[str, tuple[str, str]]]:
    for entry in os.fsdecode(listing).split("\0")[:-1]:
        meta, _, path = entry.partition("\t")
        mode, blob, _ = meta.split(" ")
        yield path, (mode, blob)


def _pairs(listing: bytes) -> Iterator[tuple[str, str]]:
    fields: Sequence[str] = os.fsdecode(listing).split("\0")[:-1]
    return zip(fields[::2], fields[1::2], strict=True)


def _is_resolved(repository: Repository, blob: str, file: Path) -> bool:
    """Tell whether a blob stands for a file that git LFS keeps, and *file* is that one."""
    if int(repository.run("cat-file", "-s", blob)) > LONGEST_POINTER:
        return False
    match = POINTER.fullmatch(repository.run("cat-file", "blob", blob))
    if match is None or not file.is_file() or file.is_symlink():
        return False
    digest = sha256()
    with file.open("rb") as content:
        while block := content.read(1 << 20):
            digest.update(block)
    return digest.hexdigest() == match[1].decode()


def _files(folder: Path) -> set[str]:
    """Give all files below *folder*, bytecode and the pointer to git aside."""
    found: set[str] = set()
    for place, folders, names in os.walk(folder):
        inside = os.path.relpath(place, folder)
        inside = "" if inside == "." else inside + "/"
        linked = [name for name in folders if os.path.islink(os.path.join(place, name))]
        folders[:] = [name for name in folders if name != CACHE and name not in linked]
        found.update(inside + name for name in (*names, *linked))
    found.discard(".git")
    return found
