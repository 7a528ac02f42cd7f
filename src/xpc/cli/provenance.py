"""When, who, where, from which commit: what a build tells of its making, beside what is hashed."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from xpc.runtime.shim.machine import user

if TYPE_CHECKING:
    from .session import Session


def provenance(session: Session) -> dict[str, object]:
    """Give the fields of ``provenance.json``."""
    snapshot = session.snapshot
    return {
        "schema": "xpc.provenance/1",
        "time": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "user": user(),
        "host": socket.gethostname(),
        "commit": snapshot.commit,
        "head": snapshot.head,
        "branch": snapshot.branch,
        "dirty": snapshot.dirty,
        "changed": list(snapshot.changed),
        "untracked": list(snapshot.untracked),
        "settings": list(session.settings),
        "xpc": version("xpc"),
    }
