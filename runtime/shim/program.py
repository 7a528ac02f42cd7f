"""Starts the program of an attempt: its own session, no standard input, its output straight into files."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, BinaryIO, List, Optional

from .said import tell

if TYPE_CHECKING:
    from .attempt import Launch


def start(launch: "Launch") -> "subprocess.Popen[bytes]":
    """Start it; raises ``OSError`` when that can't be done. The caller waits for it by pid (``os.wait4``)."""
    with _log(launch.stdout) as out, _log(launch.stderr) as err:
        return subprocess.Popen(
            launch.argv,
            env=launch.env,
            cwd=launch.cwd,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )


def _log(path: str) -> BinaryIO:
    return open(path, "ab", buffering=0)


def run_quietly(command: List[str]) -> None:
    """Run a small command of ours to its end; what it says where it fails goes into the task's log."""
    failure = _failure(command)
    if failure is not None:
        tell("%s: %s" % (" ".join(command), failure))


def succeeds(command: List[str]) -> bool:
    """Tell whether a small command of ours, which may fail, does what it is asked for."""
    return _failure(command) is None


def _failure(command: List[str], patience: float = 20.0) -> Optional[str]:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=patience
        )
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode else None
