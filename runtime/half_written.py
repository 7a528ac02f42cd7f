"""What tasks leave of files that they share, when they are killed while they write them: swept by the next submit."""

from __future__ import annotations

import os
import re
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

HALVES: Final = (
    (".xpc/shim", re.compile(r".+\.zip\.(?P<host>.+)-(?P<pid>\d+)")),
    (".xpc/environments", re.compile(r".+\.json\.(?P<host>.+)-(?P<pid>\d+)-\d+")),
)
ABANDONED_AFTER: Final = 3600.0  # seconds: writing one takes a moment


def sweep_halves(project: Path) -> None:
    """Remove half-written files of processes that have ended, by the host and the number in their names."""
    for folder, pattern in HALVES:
        for path in (project / folder).glob("*-*"):
            found = pattern.fullmatch(path.name)
            if found is None:
                continue
            with suppress(OSError):  # another user's, or gone meanwhile
                if _is_gone(found["pid"]) if found["host"] == socket.gethostname() else _is_old(path):
                    path.unlink()


def _is_gone(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False  # it is another user's
    return False


def _is_old(path: Path) -> bool:
    return path.stat().st_mtime < time.time() - ABANDONED_AFTER
