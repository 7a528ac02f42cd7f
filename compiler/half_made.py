"""Folders that are being made beside the true ones: named by who makes them, and swept once that one is gone."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

PREFIX: Final = ".new-"
ABANDONED_AFTER: Final = 86_400  # seconds, for what another host left


def new_folder(home: Path) -> Path:
    """Make an empty folder in *home* that nobody takes for a whole one."""
    return Path(tempfile.mkdtemp(prefix=f"{_ours()}{os.getpid()}-", dir=home))


def sweep(home: Path) -> None:
    """Remove what processes left half-made that were killed. What is another user's stays."""
    for path in home.glob(f"{PREFIX}*"):
        if _is_left(path):
            shutil.rmtree(path, ignore_errors=True)


def _ours() -> str:
    return f"{PREFIX}{socket.gethostname()}-"


def _is_left(path: Path) -> bool:
    if path.name.startswith(_ours()):
        pid = path.name.removeprefix(_ours()).partition("-")[0]
        return pid.isdecimal() and not _is_alive(int(pid))
    with suppress(FileNotFoundError):
        return path.lstat().st_mtime < time.time() - ABANDONED_AFTER
    return False


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
