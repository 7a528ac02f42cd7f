"""`.xpc/submit.lock`: one submit a project at a time, on whatever host; a dead one's lock is taken over."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .owner import Owner

NAME: Final = ".xpc/submit.lock"
LEASE: Final = 10.0  # seconds between two touches of its holder
LEASES: Final = 3  # as many without a touch, watched by ourselves, and the holder counts as dead


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody else submits just now: *owner*, if the lock could be read."""

    owner: Owner | None


@dataclass(slots=True)
class _Found:
    """A lock as it was read: its file, and whose it is if its text is whole."""

    inode: int
    touched: int  # nanoseconds; compared with itself alone, never with a clock
    nonce: str
    owner: Owner | None


class SubmitLock:
    """The lock, held. ``touch`` it at least every `LEASE` seconds; ``release`` it at the end."""

    def __init__(self, path: Path, nonce: str) -> None:
        self.path = path
        self._nonce = nonce
        self._touched = time.monotonic()

    def touch(self) -> bool:
        """Renew the lease if that is due; say whether the lock is still ours."""
        now = time.monotonic()
        if now - self._touched < LEASE:
            return True
        self._touched = now
        if not self.held():
            return False
        os.utime(self.path)
        return True

    def held(self) -> bool:
        found = _read(self.path)
        return found is not None and found.nonce == self._nonce

    def release(self) -> None:
        """Remove the lock if it is still ours."""
        if self.held():
            self.path.unlink(missing_ok=True)

    def __enter__(self) -> SubmitLock:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class Keeper:
    """Touches a lock in the background, for whoever has to wait for others meanwhile."""

    def __init__(self, lock: SubmitLock, every: float = LEASE / 4) -> None:
        self._lock = lock
        self._every = every
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True)

    def _keep(self) -> None:
        while not self._over.wait(self._every):
            try:
                if not self._lock.touch():
                    return
            except OSError:
                continue  # a file system that is away for a moment; whoever needs the lock asks whether it is held

    def __enter__(self) -> Keeper:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def take_lock(
    project: Path,
    *,
    watching: Callable[[Owner | None], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
    lease: float = LEASE,
) -> SubmitLock | Held:
    """Take the lock of *project*, or say who has it.

    A holder that can't be seen from here is watched for up to three leases, after *watching* was told of it.
    """
    path = project / NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    here = Owner.here()
    nonce = secrets.token_hex(8)
    text = json.dumps({"schema": "xpc.lock/1", "nonce": nonce, **here.fields()}) + "\n"
    while True:
        if _create(path, text):
            return SubmitLock(path, nonce)
        found = _read(path)
        if found is None:
            continue  # released between the two
        seen = found.owner.seen_from(here) if found.owner else "unknown"
        if seen == "alive":
            return Held(found.owner)
        if seen == "unknown":
            watching(found.owner)
            if not _silent(path, found, sleep, lease):
                return Held(found.owner)
        stolen = _steal(path, found, text)
        if stolen is None:
            return Held(found.owner)
        if stolen:
            return SubmitLock(path, nonce)


def holder(project: Path) -> Owner | None:
    """Give whose lock there is, dead or alive; nothing if there is none."""
    found = _read(project / NAME)
    return found.owner if found else None


def _create(path: Path, text: str) -> bool:
    """Make the lock with its text in it, in one step where the file system has hard links."""
    aside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        aside.write_text(text)
        os.link(aside, path)
    except FileExistsError:
        return False
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise
        return False  # whoever has the lock now took ours for one that a killed submit left
    except OSError as refused:
        if refused.errno not in (errno.EPERM, errno.ENOTSUP, errno.EXDEV, errno.EMLINK):
            raise
        return _create_plainly(path, text)
    finally:
        aside.unlink(missing_ok=True)
    _sweep(path)
    return True


def _sweep(path: Path) -> None:
    """Remove what submits left that were killed while they made a lock; for whoever has it."""
    for aside in path.parent.glob(f"{path.name}.*"):
        aside.unlink(missing_ok=True)


def _create_plainly(path: Path, text: str) -> bool:
    try:
        with path.open("x") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True


def _read(path: Path) -> _Found | None:
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            text = file.read()
    except FileNotFoundError:
        return None
    try:
        fields = json.loads(text) if text.endswith(b"\n") else None
    except ValueError:
        fields = None
    nonce = str(fields.get("nonce", "")) if isinstance(fields, dict) else ""
    return _Found(status.st_ino, status.st_mtime_ns, nonce, Owner.read(fields))


def _silent(path: Path, found: _Found, sleep: Callable[[float], None], lease: float) -> bool:
    """Watch the lock for three leases; say whether it stayed as it was, untouched."""
    for _ in range(LEASES * 4):
        sleep(lease / 4)
        again = _read(path)
        if again is None:
            return True  # released; the next round makes a new one
        if (again.inode, again.touched, again.nonce) != (found.inode, found.touched, found.nonce):
            return False
    return True


def _open_dead(path: Path) -> int:
    """Open a dead one's lock; another user's may be there to be read alone, which is enough where locks are local."""
    try:
        return os.open(path, os.O_RDWR)
    except PermissionError:
        return os.open(path, os.O_RDONLY)


def _steal(path: Path, found: _Found, text: str) -> bool | None:
    """Put our lock in the place of the dead one; of two that try, the kernel lets one at a time look again.

    Give whether it is ours now; None on a file system that can't keep two apart.
    """
    try:
        dead = _open_dead(path)
    except FileNotFoundError:
        return False
    try:
        try:
            fcntl.flock(dead, fcntl.LOCK_EX)
        except OSError:
            return None
        again = _read(path)
        if again is None or (again.inode, again.nonce) != (found.inode, found.nonce):
            return False
        aside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        try:
            aside.write_text(text)
            os.replace(aside, path)
        finally:
            aside.unlink(missing_ok=True)
        _sweep(path)
        return True
    finally:
        os.close(dead)
