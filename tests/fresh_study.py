"""A project with two experiments, submitted for real: for tests about what changes afterwards."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from console import run
from repository import Repo

STUDY = """\
grid seeds:
    seed in range(2)

experiment train:
    grid seeds
    code "train.py", "src/**"
    output model = "model.txt"
    run "python3 train.py {seed} {output.model}"

experiment evaluate:
    after train
    code "evaluate.py"
    run "python3 evaluate.py {train.model}"
"""
TRAIN = "import sys\nopen(sys.argv[2], 'w').write(sys.argv[1])\n"
EVALUATE = "import sys\nprint('got', open(sys.argv[1]).read())\n"


class Study:
    """The project in *folder*."""

    def __init__(self, folder: Path, text: str = STUDY, files: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.repo = Repo(
            folder,
            {"Experimentfile": text, "train.py": TRAIN, "evaluate.py": EVALUATE, "README": "", **(files or {})},
        )

    @classmethod
    def opened(cls, folder: Path, repo: Repo | None = None) -> Study:
        """Give a study that is there already, in a repository of its own or in *repo*."""
        found = cls.__new__(cls)
        found.folder, found.repo = folder, repo or Repo(folder)
        return found

    def write(self, name: str, text: str) -> None:
        self.repo.write({name: text})

    def edit(self, old: str, new: str, name: str = "Experimentfile") -> None:
        text = (self.folder / name).read_text()
        assert old in text
        self.write(name, text.replace(old, new))

    def xpc(self, command: str, status: int = 0) -> str:
        """Type a command; give what it prints, and the error stream where that is all."""
        done = run(f"xpc {command}", self.folder)
        assert done.returncode == status, (command, done.stdout, done.stderr)
        return done.stdout or done.stderr

    def said(self, command: str) -> str:
        """Give what a command prints on the error stream."""
        done = run(f"xpc {command}", self.folder)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stderr

    def json(self, command: str) -> Any:
        return json.loads(self.xpc(f"{command} --json"))

    def why(self, of: str = "") -> dict[str, list[str | None]]:
        """Give why each run is stale, by experiment."""
        found: dict[str, list[str | None]] = {}
        for each in self.json(f"list {of}"):
            found.setdefault(each["experiment"], []).append(each["why"])
        return found

    def ids(self, experiment: str) -> list[str]:
        return [each["id"] for each in self.json(f"list {experiment}")]

    def stale_lines(self, command: str = "build --dry-run") -> list[str]:
        """Give the lines below the table of `xpc build`, with contents' ids and run ids out of sight."""
        text = self.xpc(command)
        block = text.split("\n\n")[2] if text.count("\n\n") > 2 else ""
        return [masked(line) for line in block.split("\n")]


def masked(text: str) -> str:
    """Put numbers that differ from one project to the next out of sight."""
    text = re.sub(r"\b[0-9a-f]{6,} → [0-9a-f]{6,}\b", "OLD → NEW", text)
    return re.sub(r"\b(?=[0-9a-f]*[0-9])[0-9a-f]{6,16}\b", "ID", text)


def content(folder: Path) -> dict[str, str]:
    """Give a hash of every file below *folder*, by its path there."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
