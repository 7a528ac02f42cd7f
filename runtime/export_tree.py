"""A git tree to files in a folder, each compared with its blob; submodules and LFS files included."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final, Protocol

POINTER: Final = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:ext-[^\n]*\n)*oid sha256:([0-9a-f]{64})\nsize ([0-9]+)\n"
)
LONGEST_POINTER: Final = 1024


class ExportError(Exception):
    """Inside the export only: it can't be made. The text is the fact, *help* the cure."""

    def __init__(self, text: str, help: str) -> None:
        super().__init__(text)
        self.help = help


class Repository(Protocol):
    """Calls of git that run nothing of the repository's own; `compiler.git_calls.Repository` is one."""

    @property
    def top(self) -> str: ...
    @property
    def folder(self) -> str: ...
    @property
    def git_dir(self) -> str: ...
    @property
    def common_dir(self) -> str: ...
    @property
    def lfs_dir(self) -> str: ...
    def run(
        self, *arguments: str, input: bytes = b"", cwd: str | None = None, variables: Mapping[str, str] | None = None
    ) -> bytes: ...
    def inside(self, path: str) -> Repository | None: ...


def check_out(repository: Repository, tree: str, extent: str, into: Path, index: Path) -> None:
    """Write all files of *tree* (the folder *extent* of the repository) into the new folder *into*, and compare them.

    *index* is a file for git's notes. Raises `ExportError`; `CalledProcessError` when git fails.
    """
    into.mkdir()
    variables = {"GIT_DIR": repository.git_dir, "GIT_WORK_TREE": str(into), "GIT_INDEX_FILE": str(index)}

    def git(*arguments: str, input: bytes = b"") -> bytes:
        whole = ("-c", "core.sparseCheckout=false", "-c", "core.bare=false", *arguments)
        return repository.run(*whole, input=input, cwd=str(into), variables=variables)

    git("read-tree", tree)
    git("checkout-index", "--all", "--quiet")
    # The index knows no sizes or times, so this reads every file and compares it with its blob.
    git("update-index", "-q", "--refresh")
    if other := os.fsdecode(git("diff-files", "--name-only", "-z", "--ignore-submodules=all")).split("\0")[0]:
        raise ExportError(f"`{other}` comes out of git other than it went in", "do the clean and smudge filters agree?")
    listing = os.fsdecode(git("ls-files", "--stage", "-z"))
    for entry in listing.split("\0"):
        if entry.startswith("160000 "):
            meta, _, path = entry.partition("\t")
            _check_out_submodule(repository, extent, path, meta.split(" ")[1], into, index)
    for pointer in _pointers(into, listing, git):
        _resolve(pointer, into, repository.lfs_dir)
    index.unlink()


def _check_out_submodule(repository: Repository, extent: str, path: str, commit: str, into: Path, index: Path) -> None:
    inner = repository.inside(os.path.join(extent, path))
    if inner is None:
        raise ExportError(f"submodule `{path}` is not checked out", f"`git submodule update --init {path}`")
    (into / path).rmdir()  # git leaves an empty folder in its place
    check_out(inner, commit, "", into / path, index.with_name(index.name + ".sub"))


class _Git(Protocol):
    def __call__(self, *arguments: str, input: bytes = b"") -> bytes: ...


def _pointers(into: Path, listing: str, git: _Git) -> Iterator[Path]:
    """Give the files of *into* that stand for files which git LFS keeps."""
    paths = [entry.partition("\t")[2] for entry in listing.split("\0") if entry.startswith("100")]
    rules = [into / path for path in paths if path == ".gitattributes" or path.endswith("/.gitattributes")]
    if not any(b"filter=lfs" in rule.read_bytes() for rule in rules):
        return
    small = [path for path in paths if _is_pointer(into / path)]
    for path, value in _attributes(small, git):
        if value == "lfs":
            yield into / path


def _is_pointer(file: Path) -> bool:
    return file.stat().st_size <= LONGEST_POINTER and POINTER.fullmatch(file.read_bytes()) is not None


def _attributes(paths: Sequence[str], git: _Git) -> Iterator[tuple[str, str]]:
    listing = b"".join(os.fsencode(path) + b"\0" for path in paths)
    fields = os.fsdecode(git("check-attr", "-z", "--stdin", "filter", input=listing)).split("\0")
    return zip(fields[::3], fields[2::3], strict=False)


def _resolve(file: Path, into: Path, lfs_dir: str) -> None:
    """Put the content in the place of its pointer; the file keeps its mode."""
    match = POINTER.fullmatch(file.read_bytes())
    if match is None:
        raise AssertionError("a pointer that was there a moment ago")
    oid = match[1].decode()
    name = file.relative_to(into)
    digest = sha256()
    try:
        with open(os.path.join(lfs_dir, "objects", oid[:2], oid[2:4], oid), "rb") as source, open(file, "wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
    except FileNotFoundError:
        raise ExportError(
            f"`{name}` is kept by git LFS, and its content is not here", f"`git lfs fetch --include {name}`"
        ) from None
    with open(file, "rb") as copy:
        while block := copy.read(1 << 20):
            digest.update(block)
    if digest.hexdigest() != oid:
        raise ExportError(f"the content that git LFS keeps for `{name}` is damaged", "`git lfs fsck`")
