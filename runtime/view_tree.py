"""Runs to a tree of links by the values of some keys, for people who browse: `0.1/seed 3/3fa2c81 -> the run's folder`.

Only links are made, and only what an earlier call made is removed; the list of that lies in the folder itself.
"""

from __future__ import annotations

import contextlib
import os
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..grammar.diagnostic import Diagnostics
from .cell_text import plain
from .schedulers.opening import IGNORE

LIST: Final = ".xpc-view"  # the links that are ours, a line each: path, tab, target
LONGEST: Final = 100  # characters of a folder's name
NOTHING: Final = "none"
SHOWN: Final = 7  # digits of an id


@dataclass(frozen=True, slots=True)
class Linked:
    """What came of it: links made, links that were there already, stale links removed."""

    made: int
    kept: int
    removed: int


def safe_name(value: Any) -> str:
    """Give a value as the name of one folder: no separator, nothing hidden, nothing a terminal would obey."""
    text = unicodedata.normalize("NFC", plain(value))
    kept = "".join("_" if c in '/\\:*?"<>|' or unicodedata.category(c)[0] == "C" else c for c in text).strip(" ")
    if kept.startswith((".", "-")):
        kept = "_" + kept
    return kept[:LONGEST].rstrip(" .") or "_"


def placed(runs: Iterable[tuple[str, str, Sequence[Any]]], *, several: bool) -> dict[str, str]:
    """Give the path of each run's link in the tree, by the run's folder below the project.

    *runs*: experiment, id and the values of the keys. With *several* experiments their names come first.
    """
    runs = list(runs)
    length = _length([id for _, id, _ in runs])
    found = {}
    for experiment, id, values in runs:
        names = [NOTHING if value is None else safe_name(value) for value in values]
        found[f"runs/{experiment}/{id}"] = "/".join([*([experiment] if several else []), *names, id[:length]])
    return found


def _length(ids: Sequence[str]) -> int:
    """Give how many digits tell all runs apart, seven at least."""
    length = SHOWN
    while length < 16 and len({id[:length] for id in ids}) < len(set(ids)):
        length += 1
    return length


def link(project: Path, folder: Path, links: Mapping[str, str], diagnostics: Diagnostics) -> Linked | None:
    """Make the tree in *folder*; *links* has the path of each link by what it leads to, below *project*.

    Nothing is done, and it is reported, where something that no earlier call made is in the way.
    """
    wanted = {path: _target(project / target, folder / path) for target, path in links.items()}
    ours = _ours(folder)
    if not _is_free(folder, wanted, ours, diagnostics):
        return None
    folder.mkdir(parents=True, exist_ok=True)
    stale = [path for path, target in ours.items() if wanted.get(path) != target]
    # What is about to be made is written down first: whatever a cut leaves is known to be ours.
    _write(folder, {**ours, **wanted})
    _hide(folder)
    for path in stale:
        _remove(folder, path, ours[path])
    made = sum(_make(folder / path, target) for path, target in wanted.items())
    _write(folder, wanted)
    return Linked(made, len(wanted) - made, len([path for path in stale if path not in wanted]))


def _target(place: Path, link: Path) -> str:
    return os.path.relpath(os.path.realpath(place), os.path.realpath(link.parent))


def _ours(folder: Path) -> dict[str, str]:
    """Give the links that earlier calls made, by path."""
    try:
        lines = (folder / LIST).read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return {}
    pairs = (line.split("\t") for line in lines)
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2 and _is_inside(pair[0])}


def _is_inside(path: str) -> bool:
    """Tell whether a path of the list leads to a place in the folder: the list may have been written by anybody."""
    return not os.path.isabs(path) and ".." not in path.split("/")


def _is_free(folder: Path, wanted: Mapping[str, str], ours: Mapping[str, str], diagnostics: Diagnostics) -> bool:
    if os.path.lexists(folder) and not folder.is_dir():
        diagnostics.error("XR010", None, f"`{folder}` is there, and no folder", help="name another one")
        return False
    if folder.is_dir() and not (folder / LIST).is_file() and any(folder.iterdir()):
        help = "name a folder that is empty or not there, or one that `xpc view` has made"
        diagnostics.error("XR010", None, f"`{folder}` has something in it that `xpc view` did not make", help=help)
        return False
    for path in wanted:
        for part in (path, *(str(parent) for parent in Path(path).parents)):
            place = folder / part
            foreign = place.is_symlink() or (part == path or not place.is_dir())
            if part != "." and os.path.lexists(place) and foreign and not _is_our_link(place, part, ours):
                message = f"`{place}` is in the way, and `xpc view` did not make it"
                diagnostics.error("XR010", None, message, help="move it away, or name another folder")
                return False
    return True


def _is_our_link(place: Path, path: str, ours: Mapping[str, str]) -> bool:
    return place.is_symlink() and path in ours and os.readlink(place) == ours[path]


def _make(link: Path, target: str) -> bool:
    """Make one link; false if it was there."""
    link.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.symlink(target, link)
    except FileExistsError:
        return False
    return True


def _remove(folder: Path, path: str, target: str) -> None:
    """Remove a link of ours, and the folders above it that are empty then."""
    place = folder / path
    if place.is_symlink() and os.readlink(place) == target:
        place.unlink()
        for parent in place.relative_to(folder).parents:
            if parent != Path("."):
                with contextlib.suppress(OSError):
                    (folder / parent).rmdir()


def _hide(folder: Path) -> None:
    """Keep the tree out of the user's repository, where it would count as code, and make every run stale."""
    # Not through a link that lies there already, as `exists` and `write_text` would.
    with contextlib.suppress(FileExistsError), open(folder / ".gitignore", "x") as ignore:
        ignore.write(IGNORE)


def _write(folder: Path, links: Mapping[str, str]) -> None:
    """Note which links are ours, in one step."""
    aside = folder / f"{LIST}.{os.getpid()}"
    text = "".join(f"{path}\t{target}\n" for path, target in sorted(links.items()))
    aside.write_text(text, "utf-8", "surrogateescape")
    os.replace(aside, folder / LIST)
