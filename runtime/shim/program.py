"""Starts the program of an attempt: its own session, no standard input, its output straight into files."""

from __future__ import annotations

import subprocess
from typing import BinaryIO

from .attempt import Launch


def start(launch: Launch) -> "subprocess.Popen[bytes]":
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
