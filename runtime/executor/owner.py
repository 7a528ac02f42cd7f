"""Which process holds something, named so that no other process is ever taken for it."""

from __future__ import annotations

import getpass
import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class Owner:
    """A process of a host. *start* is in clock ticks since *boot*; *space* is its pid namespace, if known."""

    host: str
    user: str
    boot: str
    space: str
    pid: int
    start: int

    @classmethod
    def here(cls) -> Owner:
        pid = os.getpid()
        return cls(socket.gethostname(), _user(), _boot(), _space(), pid, start_of(pid) or 0)

    @classmethod
    def read(cls, fields: object) -> Owner | None:
        """Read what ``fields()`` gave; nothing if it is something else."""
        if not isinstance(fields, dict):
            return None
        process = fields.get("process")
        pid, start = (process.get("pid"), process.get("start")) if isinstance(process, dict) else (None, None)
        if not isinstance(pid, int) or not isinstance(start, int):
            return None
        texts = [str(fields.get(name, "")) for name in ("host", "user", "boot", "space")]
        return cls(texts[0], texts[1], texts[2], texts[3], pid, start)

    def fields(self) -> dict[str, object]:
        """Give the fields that a JSON record has for it."""
        named = {name: value for name, value in asdict(self).items() if name not in ("pid", "start")}
        return {**named, "process": {"pid": self.pid, "start": self.start}}

    def seen_from(self, here: Owner) -> Literal["alive", "gone", "unknown"]:
        """Say whether it lives; from another host, boot or container nobody can see that."""
        if (self.host, self.boot, self.space) != (here.host, here.boot, here.space):
            return "unknown"
        return "alive" if start_of(self.pid) == self.start else "gone"

    def __str__(self) -> str:
        return f"{self.user} on {self.host}, process {self.pid}"


def start_of(pid: int) -> int | None:
    """Give the start time of a process in clock ticks since boot; nothing if there is none, or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    fields = stat[stat.rindex(b")") + 2 :].split()  # the name before it may hold anything
    return None if fields[0] in (b"Z", b"X") else int(fields[19])


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _space() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())  # a user without an entry, as in some containers
