"""Where the index of a project lies: on a local disk that this user may write to, never shared between hosts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Final

REMOTE: Final = (
    "nfs",
    "lustre",
    "gpfs",
    "beegfs",
    "cifs",
    "smb",
    "ceph",
    "afs",
    "9p",
    "fuse.sshfs",
    "panfs",
    "orangefs",
)
MEMORY: Final = ":memory:"


def index_place(project: Path, environ: Mapping[str, str], mounts: Path = Path("/proc/self/mountinfo")) -> str:
    """Give the path of the index; ``:memory:`` where no folder can be written.

    First ``XPC_CACHE_DIR``, then ``.xpc`` of the project if its file system is local, then the user's cache folder. An
    index is of one user: it holds what that one may read. Another user's is left to them.
    """
    named = f"{blake2b(os.fsencode(os.path.realpath(project)), digest_size=8).hexdigest()}.sqlite"
    if chosen := environ.get("XPC_CACHE_DIR"):
        return _usable(Path(chosen), named) or MEMORY
    own = project / ".xpc"
    if own.is_dir() and os.access(own, os.W_OK) and is_local(own, mounts):
        existing = own / "index.sqlite"
        if _is_ours(existing):
            return str(existing)
    home = environ.get("XDG_CACHE_HOME") or os.path.join(environ.get("HOME") or "~", ".cache")
    return _usable(Path(os.path.expanduser(home)) / "xpc", named) or MEMORY


def _is_ours(index: Path) -> bool:
    """Tell whether an index belongs to this user, or to nobody yet."""
    try:
        return os.stat(index).st_uid == os.geteuid() and os.access(index, os.W_OK)
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _usable(folder: Path, name: str) -> str | None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return None
    return str(folder / name) if os.access(folder, os.W_OK) else None


def is_local(folder: Path, mounts: Path) -> bool:
    """Say whether *folder* is on a file system of this host, going by the mounts that the kernel lists."""
    try:
        lines = mounts.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return True  # a system without such a list
    real = os.path.realpath(folder) + "/"
    best, kind = "", ""
    for line in lines:
        left, _, right = line.partition(" - ")
        point = left.split(" ")[4].replace("\\040", " ").rstrip("/") + "/"
        if real.startswith(point) and len(point) >= len(best):
            best, kind = point, right.split(" ")[0]
    return not kind.startswith(REMOTE)
