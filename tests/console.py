"""Runs the `console` blocks of a Markdown page: a line `$ command` is typed, what follows is compared."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import prefork

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^```(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Step:
    """One command of a page and the output that the page shows for it."""

    command: str
    shown: str


def steps(page: str) -> list[Step]:
    """Give the commands of all `console` blocks; output lines belong to the command above them."""
    found: list[Step] = []
    for match in BLOCK.finditer(page):
        if match["info"].strip() != "console":
            continue
        for part in re.split(r"^\$ ", match["body"], flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            found.append(Step(command.split("   #")[0].strip(), shown.rstrip()))
    return found


def matches(shown: str, got: str) -> bool:
    """Compare, with `…` in the page standing for anything on that line, and a line `…` for any lines."""
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "…" else re.escape(line).replace("…", ".*") + r"[ ]*\n"
        for line in shown.splitlines()
    )
    return re.fullmatch(pattern, got.rstrip() + "\n" if got.strip() else "") is not None


def fresh_project(source: Path, target: Path) -> Path:
    """Copy an example and make it a git repository with one commit, as a user would have it."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(".xpc", "runs", "__pycache__"))
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    for arguments in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "Begin")):
        subprocess.run(["git", *identity, *arguments], cwd=target, check=True)
    return target


def _environment() -> dict[str, str]:
    """This environment, with its programs first on the path."""
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "NO_COLOR": "1",
        "COLUMNS": "100",
    }


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Type one command in *folder*; an `xpc` command alone needs no shell, and no xpc that is loaded anew."""
    words, environment = prefork.words_of(command), _environment()
    if words is None or not prefork.can_run(environment):
        return shell(command, folder)
    return prefork.run(words, folder, environment)


def xpc(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Type `xpc` with these words in *folder*, with *variables* besides those of this process."""
    environment = {**os.environ, **variables}
    if prefork.can_run(environment):
        return prefork.run(list(words), folder, environment)
    command = [sys.executable, "-m", "xpc", *words]
    return subprocess.run(command, cwd=folder, env=environment, text=True, capture_output=True, check=False)


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Type one command in *folder*, in a shell."""
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env=_environment(), text=True, capture_output=True, check=False
    )
