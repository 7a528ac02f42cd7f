"""What nodes leave of the compiled shim when they are killed while they write it: swept by the next submit."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

FOLDER: Final = ".xpc/shim"
ABANDONED_AFTER: Final = 3600.0  # seconds: writing one takes a moment


def sweep_shims(project: Path) -> None:
    """Remove half-written files of processes that have ended (`<digest>.<python>.zip.<host>-<pid>`)."""
    for path in (project / FOLDER).glob("*.zip.*-*"):
        host, _, pid = path.name.rpartition(".zip.")[2].rpartition("-")
        with suppress(OSError):  # another user's, or gone meanwhile
            if _is_gone(pid) if host == socket.gethostname() else _is_old(path):
                path.unlink()


def _is_gone(pid: str) -> bool:
    if not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False  # it is another user's
    return False


def _is_old(path: Path) -> bool:
    return path.stat().st_mtime < time.time() - ABANDONED_AFTER
