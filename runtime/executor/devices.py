"""One lock a GPU and user on a local disk, so that two executors never give the same device to two runs."""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from .gpus import Device


def lock_folder(environ: Mapping[str, str]) -> Path:
    """Give this user's folder for locks: the runtime directory of the session, else a private temporary one."""
    runtime = environ.get("XDG_RUNTIME_DIR")
    if runtime and os.access(runtime, os.W_OK):
        return Path(runtime) / "xpc"
    return Path(tempfile.gettempdir()) / f"xpc-{os.getuid()}"


class Devices:
    """The devices that may be given to runs. A lock is the kernel's: it ends with the process that has it."""

    def __init__(self, devices: Sequence[Device], folder: Path) -> None:
        self._free = list(devices)
        self._order = {device: place for place, device in enumerate(devices)}
        self._folder = folder
        self._locks: dict[Device, int] = {}

    def reserve(self, names: Sequence[str]) -> tuple[Device, ...]:
        """Take the named ones as far as they are free: those of a program that runs without us."""
        wanted = [device for device in self._free if device.name in names]
        return self._take(wanted, len(wanted))

    def take(self, count: int) -> tuple[Device, ...] | None:
        """Take *count* devices that nobody has, in order; None if other executors leave too few."""
        taken = self._take(self._free, count)
        if len(taken) < count:
            self.give_back(taken)
            return None
        return taken

    def _take(self, wanted: Sequence[Device], count: int) -> tuple[Device, ...]:
        taken: list[Device] = []
        for device in wanted:
            if len(taken) == count:
                break
            lock = self._lock(device)
            if lock is not None:
                self._locks[device] = lock
                taken.append(device)
        self._free = [device for device in self._free if device not in self._locks]
        return tuple(taken)

    def give_back(self, devices: Sequence[Device]) -> None:
        for device in devices:
            os.close(self._locks.pop(device))
        self._free = sorted([*self._free, *devices], key=self._order.__getitem__)

    def _lock(self, device: Device) -> int | None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = re.sub(r"[^\w-]", "_", device.key)
        file = os.open(self._folder / f"gpu-{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            return None
        return file
