"""Files that git LFS keeps, found and made by us: `git-lfs` itself would run what a repository's config says."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from .git_calls import Repository
from .snapshot_index import PrivateIndex
from .snapshot_tree import Listing

POINTER: Final = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:ext-[^\n]*\n)*oid sha256:([0-9a-f]{64})\nsize ([0-9]+)\n"
)
LONGEST_POINTER: Final = 1024


def object_path(lfs_dir: str, oid: str) -> str:
    """Give the place of the content whose SHA-256 is *oid*."""
    return os.path.join(lfs_dir, "objects", oid[:2], oid[2:4], oid)


def find_pointers(repository: Repository, extent: str, listing: Listing) -> list[tuple[str, str]]:
    """Give path and SHA-256 of the files of a tree that are LFS pointers."""
    if not _uses_lfs(repository, listing):
        return []
    outer = f"{extent}/" if extent else ""
    marked = repository.attributes("filter", [outer + path for path in listing.entries])
    paths = [path.removeprefix(outer) for path, value in marked.items() if value == "lfs"]
    blobs = [listing.entries[path][1] for path in paths]
    small = [n for n, size in enumerate(repository.blob_sizes(blobs)) if size <= LONGEST_POINTER]
    contents = repository.read_blobs([blobs[n] for n in small])
    found = []
    for n, content in zip(small, contents, strict=True):
        match = POINTER.fullmatch(content)
        if match is not None:
            found.append((paths[n], match[1].decode()))
    return found


def _uses_lfs(repository: Repository, listing: Listing) -> bool:
    found = re.findall(rb"blob ([0-9a-f]+)\t(?:[^\0]*/)?\.gitattributes\0", listing.raw)
    return any(b"filter=lfs" in content for content in repository.read_blobs([blob.decode() for blob in found]))


def add_edited(index: PrivateIndex, paths: Sequence[str]) -> list[str]:
    """Put the edited files that belong to LFS into the index, as `git add` with LFS would; give the others."""
    repository = index.repository
    marked = repository.attributes("filter", paths) if repository.has_lfs() else {}
    large = [path for path in paths if marked.get(path) == "lfs" and os.path.isfile(os.path.join(repository.top, path))]
    if not large:
        return list(paths)
    entries = []
    for path in large:
        file = os.path.join(repository.top, path)
        pointer = _pointer_of(file, repository)
        blob = repository.run("hash-object", "-w", "--stdin", input=pointer).decode().strip()
        entries.append(("100755" if os.access(file, os.X_OK) else "100644", blob, path))
    index.set(entries)
    chosen = set(large)
    return [path for path in paths if path not in chosen]


def has_content(repository: Repository, oid: str) -> bool:
    """Tell whether the content whose SHA-256 is *oid* is here."""
    places = (repository.lfs_dir, repository.scratch) if repository.scratch else (repository.lfs_dir,)
    return any(os.path.exists(object_path(place, oid)) for place in places)


def _pointer_of(file: str, repository: Repository) -> bytes:
    """Store the content of *file* where LFS keeps it, and give its pointer; a pointer is its own."""
    digest = sha256()
    size = 0
    with open(file, "rb") as source:
        start = source.read(LONGEST_POINTER)
        if POINTER.fullmatch(start):
            return start
        source.seek(0)
        while block := source.read(1 << 20):
            digest.update(block)
            size += len(block)
    oid = digest.hexdigest()
    if not has_content(repository, oid):
        place = object_path(repository.scratch or repository.lfs_dir, oid)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        aside = f"{place}.{os.getpid()}"
        if repository.scratch:
            os.symlink(file, aside)  # it may be large, and is only looked for
        else:
            shutil.copyfile(file, aside)
        os.replace(aside, place)
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n".encode()
