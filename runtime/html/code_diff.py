"""Two snapshots to what changed between them, as `git diff` tells it, cut to a size that a page can carry."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from subprocess import CalledProcessError
from typing import Any, Final, Protocol

from ...grammar.screen import visible

LINES: Final = 1_500  # of one difference
BYTES: Final = 64 << 10
ALL_BYTES: Final = 2 << 20  # of all texts of a page; then only the files are listed
FILES: Final = 200
WIDTH: Final = 400  # characters of a line
PAIRS: Final = 100  # differences of a page, the newest of each experiment
_TREE: Final = re.compile(r"[0-9a-f]{7,64}")
_CALL: Final = (
    *("-c", "core.quotePath=false", "diff-tree"),
    "-r",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--diff-algorithm=histogram",
    "--indent-heuristic",
    "--find-renames=50%",
    "--submodule=short",
)
_TEXT: Final = ("-p", "-U3", "--inter-hunk-context=0", "--full-index", "--src-prefix=a/", "--dst-prefix=b/")


class Git(Protocol):
    """A repository in which nothing of its own is run; `compiler.git_calls.Repository` is one."""

    def run(
        self, *arguments: str, input: bytes = b"", cwd: str | None = None, variables: Mapping[str, str] | None = None
    ) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed from one tree to another. *files* are path, lines added and lines removed (null: no text).

    *missing*: the repository has not both trees. *left*: how many lines of the text were left out.
    """

    before: str
    after: str
    files: Sequence[tuple[str, int | None, int | None]] = ()
    more_files: int = 0
    lines: Sequence[str] = ()
    left: int = 0
    missing: bool = False

    def shown(self) -> dict[str, Any]:
        """Give what the page's script gets."""
        return {name: getattr(self, name) for name in self.__slots__}

    @property
    def bytes(self) -> int:
        return sum(map(len, self.lines))


def difference(git: Git | None, before: str, after: str, room: int = BYTES) -> Difference:
    """Compare two trees; of the text at most *room* bytes are kept."""
    if git is None or not (_TREE.fullmatch(before) and _TREE.fullmatch(after)):
        return Difference(before, after, missing=True)
    try:
        counted = git.run(*_CALL, "--numstat", "-z", before, after)
        text = git.run(*_CALL, *_TEXT, before, after) if room > 0 else b""
    except CalledProcessError:
        return Difference(before, after, missing=True)
    files = _files(counted)
    lines = [line for line in text.decode("utf-8", "replace").split("\n")[:-1] if not line.startswith("index ")]
    kept = _kept(lines, room)
    return Difference(before, after, files[:FILES], max(0, len(files) - FILES), kept, len(lines) - len(kept))


def _files(counted: bytes) -> list[tuple[str, int | None, int | None]]:
    """Read `--numstat -z`: `added TAB removed TAB path NUL`; of a renamed file no path, but `NUL old NUL new NUL`."""
    fields = iter(os.fsdecode(counted).split("\0")[:-1])
    found = []
    for field in fields:
        added, removed, path = field.split("\t", 2)
        if not path:
            path = f"{next(fields)} → {next(fields)}"
        found.append((visible(path), _count(added), _count(removed)))
    return found


def _count(text: str) -> int | None:
    return int(text) if text.isdecimal() else None  # `-`: a file that is no text


def _kept(lines: Sequence[str], room: int) -> list[str]:
    kept = []
    for line in lines[:LINES]:
        short = visible(line if len(line) <= WIDTH else line[: WIDTH - 1] + "…")
        room -= len(short) + 1
        if room < 0:
            break
        kept.append(short)
    return kept
