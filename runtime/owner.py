"""Which process holds something, named so that no other process is ever taken for it."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import Literal

from .shim import machine


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
        pid, here = os.getpid(), machine.here()
        return cls(here["host"], here["user"], here["boot"], _space(), pid, machine.start_time(pid) or 0)

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
        return "alive" if machine.start_time(self.pid) == self.start else "gone"

    def __str__(self) -> str:
        return f"{self.user} on {self.host}, process {self.pid}"


def _space() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""
