"""Untracked files to findings: what is too much, too large or too secret to go into a snapshot unasked."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final

from ..grammar.diagnostic import Diagnostics

MB: Final = 1_000_000
LARGEST_FILE: Final = 10 * MB
LARGEST_SUM: Final = 100 * MB
MOST_FILES: Final = 2_000
SECRET_NAMES: Final = (".env*", "*.pem", "*.key", ".netrc", "*credentials*")
SHOWN: Final = 5


def check_untracked(top: str, paths: Sequence[str], diagnostics: Diagnostics) -> bool:
    """Add an error for each rule that the untracked *paths* (relative to *top*) break; tell whether there is none."""
    before = len(diagnostics.found)
    sizes = {path: _size(os.path.join(top, path)) for path in paths}
    for path, size in sizes.items():
        if size > LARGEST_FILE:
            diagnostics.error(
                "XP125",
                None,
                f"untracked `{path}` is {_megabytes(size)}, and a snapshot takes up to {LARGEST_FILE // MB} MB each",
                help=_cures(path),
            )
    total = sum(size for size in sizes.values() if size <= LARGEST_FILE)
    if total > LARGEST_SUM:
        _too_many(
            f"untracked files are {_megabytes(total)} together, and a snapshot takes up to {LARGEST_SUM // MB} MB",
            _by_folder(sizes),
            diagnostics,
        )
    if len(paths) > MOST_FILES:
        _too_many(
            f"there are {len(paths):,} untracked files, and a snapshot takes up to {MOST_FILES:,}",
            _by_folder(dict.fromkeys(paths, 1)),
            diagnostics,
        )
    for secret in sorted({found for path in paths if (found := secret_part(path)) is not None}):
        diagnostics.error(
            "XP127",
            None,
            f"untracked `{secret}` looks secret",
            help=f"write `{secret}` into .gitignore, or commit it if it holds no secret",
        )
    return len(diagnostics.found) == before


def secret_part(path: str) -> str | None:
    """Give the part of *path* up to the first segment whose name looks secret."""
    parts = path.split("/")
    for number, part in enumerate(parts, 1):
        if _looks_secret(part):
            return "/".join(parts[:number]) + ("" if number == len(parts) else "/")
    return None


def _looks_secret(name: str) -> bool:
    low = name.lower()
    if low.startswith("id_") and "." not in low:  # private keys have no ending; `id_map.csv` and `id_rsa.pub` are none
        return True
    return any(fnmatchcase(low, pattern) for pattern in SECRET_NAMES)


def _too_many(message: str, folders: Sequence[tuple[str, int]], diagnostics: Diagnostics) -> None:
    names = ", ".join(f"`{name}`" for name, _ in folders[:SHOWN])
    more = f" and {len(folders) - SHOWN} more" if len(folders) > SHOWN else ""
    diagnostics.error(
        "XP126",
        None,
        message,
        help=(f"most are in {names}{more}", *_cures(folders[0][0])),
    )


def _by_folder(weights: dict[str, int]) -> list[tuple[str, int]]:
    """Sum weights by the first folder of each path, the heaviest first."""
    sums: dict[str, int] = {}
    for path, weight in weights.items():
        head, slash, _ = path.partition("/")
        sums[head + slash] = sums.get(head + slash, 0) + weight
    return sorted(sums.items(), key=lambda item: (-item[1], item[0]))


def _cures(path: str) -> tuple[str, ...]:
    folder = path.rstrip("/") if path.endswith("/") else os.path.dirname(path)
    lines = [f"write `{path}` into .gitignore, or commit it"]
    if folder:
        lines.append(f'if runs read it, ignore `{folder}/` and write `link "{folder}"` in the Experimentfile')
    return tuple(lines)


def _size(path: str) -> int:
    try:
        found = os.lstat(path)
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def _megabytes(size: int) -> str:
    return f"{size / MB:,.1f} MB" if size < 100 * MB else f"{size / MB:,.0f} MB"
