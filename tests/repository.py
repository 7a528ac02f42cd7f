"""A git repository for tests to work in, and what the passes make of it."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path

from xpc.compiler.snapshot import Mode, Snapshot, take
from xpc.grammar.diagnostic import Diagnostic, Diagnostics
from xpc.runtime.export import Export, export

IDENTITY = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "protocol.file.allow=always")


class Repo:
    """A repository at *path*; the calls are those of a user at a terminal."""

    def __init__(self, path: Path, files: Mapping[str, str] | None = None) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        if not (path / ".git").exists():
            self.git("init", "-q", "-b", "main")
        if files is not None:
            self.write(files)
            self.commit("Begin")

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        done = subprocess.run(
            ["git", *IDENTITY, *arguments], cwd=cwd or self.path, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            place = self.path / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)

    def commit(self, message: str = "Go on") -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def files(self, tree: str) -> dict[str, str]:
        """Give the texts of all files of a tree or commit."""
        names = [n for n in self.git("ls-tree", "-r", "-z", "--name-only", tree).split("\0") if n]
        return {name: self.git("cat-file", "blob", f"{tree}:{name}") for name in names}

    def state(self) -> dict[str, bytes]:
        """Give what a snapshot must not touch: HEAD, index, branches, stash, reflogs."""
        kept = {}
        for path in sorted((self.path / ".git").rglob("*")):
            inside = path.relative_to(self.path / ".git").as_posix()
            if path.is_file() and not inside.startswith(("objects/", "refs/xpc/", "lfs/", "modules/")):
                kept[inside] = path.read_bytes()
        return kept

    def look(
        self, mode: Mode = "worktree", *, folder: str = ".", root: str = "."
    ) -> tuple[Snapshot | None, list[Diagnostic]]:
        diagnostics = Diagnostics()
        return take(self.path / folder, root, mode, diagnostics), diagnostics.found

    def take(self, mode: Mode = "worktree", *, folder: str = ".", root: str = ".") -> Snapshot:
        snapshot, found = self.look(mode, folder=folder, root=root)
        assert found == []
        assert snapshot is not None
        return snapshot

    def export(self, snapshot: Snapshot, *, folder: str = ".") -> Export:
        diagnostics = Diagnostics()
        made = export(
            self.path / folder, snapshot.tree, snapshot.commit, snapshot.prefix, snapshot.repository, diagnostics
        )
        assert diagnostics.found == []
        assert made is not None
        return made


def mode_of(path: Path) -> str:
    """Give permissions as octal digits."""
    return format(stat.S_IMODE(os.lstat(path).st_mode), "o")
