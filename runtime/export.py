"""A snapshot to files: one read-only export for each tree, made once and shared by all its runs."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
import socket
import stat
import subprocess
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from ..grammar.diagnostic import Diagnostics
from .export_layout import lay_out, seal, write_git_dir, write_template
from .export_tree import ExportError, Repository, check_out
from .shim.workdir import last_write

SCHEMA: Final = "xpc.snapshot/1"
MOST_LINKS: Final = 200
KEPT: Final = 3
SUFFIXES: Final = ("", ".links", ".git", ".json")  # the stamp last
ABANDONED_AFTER: Final = 86_400  # seconds, for what another host left half-made


@dataclass(frozen=True, slots=True)
class Export:
    """Where a snapshot stands on disk. *links* is how many a run's folder gets, *made* whether this call made it."""

    tree: str
    folder: Path
    stamp: Path
    files: int
    bytes: int
    links: int
    made: bool


def export(
    project: Path,
    tree: str,
    commit: str,
    prefix: str,
    repository: Repository,
    diagnostics: Diagnostics,
    *,
    linked: bool = True,
) -> Export | None:
    """Make `.xpc/snapshots/<tree>` of *project* with what belongs to it, unless it is there, whole, and as it was made.

    *prefix* is the Experimentfile's folder inside the tree. *linked*: runs get links to its top-level entries (so there
    must not be too many). Two processes may do this at once. Nothing after an error.

    Raises ``PermissionError`` where another user's folder is in the way.
    """
    home = project.absolute() / ".xpc" / "snapshots"
    try:
        home.mkdir(parents=True, exist_ok=True)
        with _lock(home):
            made = _bring_up(home, tree, commit, prefix, repository)
            found = _found(home, tree, made=made)
    except ExportError as error:
        diagnostics.error("XP136", None, str(error), help=error.help)
    except subprocess.CalledProcessError as error:
        said = str(error.stderr).strip().rpartition("\n")[2].removeprefix("fatal: ").removeprefix("error: ")
        help = "is the snapshot's commit still in the repository? `xpc build` makes it again"
        diagnostics.error("XP136", None, f"snapshot {tree[:7]} can't be exported: {said}", help=help)
    except PermissionError:
        raise  # whoever called says whose the file is
    except OSError as error:
        said = (error.strerror or "it failed").lower()
        help = "an export needs room and inodes for all files of the snapshot"
        diagnostics.error("XP136", None, f"snapshot {tree[:7]} can't be exported: {said}", help=help)
    else:
        if not linked or found.links <= MOST_LINKS:
            return found
        diagnostics.error(
            "XP135",
            None,
            f"the snapshot has {found.links:,} entries to link, and a run's folder gets up to {MOST_LINKS}",
            help="write `workdir snapshot` in the experiment, or put files into folders",
        )
    return None


def _bring_up(home: Path, tree: str, commit: str, prefix: str, repository: Repository) -> bool:
    """Make what is missing; tell whether the whole export was."""
    _clean(home)
    _require_readable(home, tree)
    stamp = _read_stamp(home, tree)
    if stamp is None or stamp.get("written", -1) not in (-1, last_write(str(home / tree))):
        _make(home, tree, commit, prefix, repository)
        return True
    if _is_open(home / tree):  # somebody who opened the project to others has opened this as well
        seal(home / tree)
    if stamp["commit"] != commit:
        _name_commit(home, tree, commit, repository, stamp)
    with contextlib.suppress(PermissionError):  # another user's export
        os.utime(home / f"{tree}.json")  # the newest ones are kept
    return False


def prune(project: Path, in_use: Collection[str]) -> list[str]:
    """Drop the exports that no run in *in_use* (trees) needs, but for the newest three; give the trees dropped."""
    home = project.absolute() / ".xpc" / "snapshots"
    if not home.is_dir():
        return []
    with _lock(home):
        _clean(home)
        stamps = sorted(home.glob("[0-9a-f]*.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        mine = [stamp for stamp in stamps[KEPT:] if _may_remove(stamp.with_suffix(""))]
        dropped = [stamp.stem for stamp in mine if stamp.stem not in in_use]
        for tree in dropped:
            _drop(home, tree)
    return dropped


def _make(home: Path, tree: str, commit: str, prefix: str, repository: Repository) -> None:
    """Make everything under temporary names, then give the true ones; the stamp comes last."""
    token = _token()
    parts = {suffix: home / f"{token}{suffix or '.tree'}" for suffix in SUFFIXES}
    extent = repository.folder[: len(repository.folder) - len(prefix)].rstrip("/")
    folder = parts[""]
    check_out(repository, tree, extent, folder, home / f"{token}.index")
    layout = lay_out(folder, prefix)
    write_template(layout, tree, parts[".links"])
    write_git_dir(repository, commit, home / f"{tree}.git", parts[".git"])
    pointer = f"gitdir: ../{tree}.git\n"
    (folder / ".git").write_text(pointer)
    files, size = seal(folder)
    seal(parts[".git"])
    stamp: dict[str, object] = {
        "schema": SCHEMA,
        "tree": tree,
        "commit": commit,
        "prefix": prefix,
        "files": files - 1,
        "bytes": size - len(pointer),
        "links": len(layout.links),
        "entries": layout.entries,
        "empty": layout.empty,
        "python_roots": layout.python_roots,
        "written": last_write(str(folder)),
    }
    _write_stamp(parts[".json"], stamp)
    _drop(home, tree)  # what a cut export may have left
    for suffix, part in parts.items():
        os.rename(part, home / f"{tree}{suffix}")


def _name_commit(home: Path, tree: str, commit: str, repository: Repository, stamp: dict[str, object]) -> None:
    """Let an export tell another commit that has the same tree."""
    token = _token()
    write_git_dir(repository, commit, home / f"{tree}.git", home / f"{token}.git")
    seal(home / f"{token}.git")
    _write_stamp(home / f"{token}.json", {**stamp, "commit": commit})
    os.rename(home / f"{tree}.git", home / f"{token}.old")
    os.rename(home / f"{token}.git", home / f"{tree}.git")
    os.rename(home / f"{token}.json", home / f"{tree}.json")
    _remove_ours(home / f"{token}.old")


def _found(home: Path, tree: str, *, made: bool) -> Export:
    stamp = _read_stamp(home, tree)
    if stamp is None:
        raise ExportError(f"the export of snapshot {tree[:7]} is not whole", "submit again")
    files, size, links = (stamp[key] for key in ("files", "bytes", "links"))
    if not isinstance(files, int) or not isinstance(size, int) or not isinstance(links, int):
        raise ExportError(f"the stamp of snapshot {tree[:7]} is damaged", f"remove .xpc/snapshots/{tree}.json")
    return Export(tree, home / tree, home / f"{tree}.json", files, size, links, made)


# ------------------------------------------------------------------ files


def _read_stamp(home: Path, tree: str) -> dict[str, object] | None:
    """Give the stamp of an export that is whole."""
    if not all((home / f"{tree}{suffix}").is_dir() for suffix in ("", ".links", ".git")):
        return None
    try:
        stamp = json.loads((home / f"{tree}.json").read_text())
    except PermissionError:
        raise
    except (OSError, ValueError):
        return None
    return stamp if isinstance(stamp, dict) and stamp.get("tree") == tree else None


def _may_remove(export: Path) -> bool:
    """Tell whether an export is this user's, to be removed for good; root may remove all."""
    with contextlib.suppress(FileNotFoundError):
        return os.geteuid() in (0, export.stat().st_uid)
    return True


def _is_open(export: Path) -> bool:
    """Tell whether others may write to an export of this user's."""
    status = export.stat()
    return bool(status.st_mode & 0o022) and status.st_uid == os.geteuid()


def _require_readable(home: Path, tree: str) -> None:
    """Raise ``PermissionError`` where another user keeps an export closed: no run of this one could read its code."""
    for suffix in SUFFIXES:
        path = home / f"{tree}{suffix}"
        if path.exists() and not os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0), effective_ids=True):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


def _drop(home: Path, tree: str) -> None:
    """Give up the name of an export, the stamp first; what another user has sealed, only that one can remove."""
    for suffix in reversed(SUFFIXES):
        aside = home / f"{_token()}.old-{tree}{suffix.replace('.', '-')}"
        with contextlib.suppress(FileNotFoundError):
            os.rename(home / f"{tree}{suffix}", aside)
            _remove_ours(aside)


def _write_stamp(path: Path, stamp: dict[str, object]) -> None:
    path.write_text(
        json.dumps(stamp, separators=(",", ":"), ensure_ascii=True) + "\n"
    )  # names may hold bytes that are no UTF-8


def remove(path: Path) -> None:
    """Remove a file or a folder, read-only ones included."""
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
        return
    for folder, _, _ in os.walk(path):
        mode = stat.S_IMODE(os.stat(folder).st_mode)
        if mode & stat.S_IRWXU != stat.S_IRWXU:  # only its owner may change it; in an open one others may remove, too
            os.chmod(folder, mode | stat.S_IRWXU)
    shutil.rmtree(path)


def _remove_ours(path: Path) -> None:
    """Remove what is only in the way; what another user has sealed is left to them."""
    with contextlib.suppress(PermissionError):
        remove(path)


# ------------------------------------------------------------------ processes beside this one


def _token() -> str:
    """Give the start of all temporary names of this process."""
    return f".{socket.gethostname()}-{os.getpid()}"


def _clean(home: Path) -> None:
    """Remove what ended processes left half-made."""
    host = f".{socket.gethostname()}-"
    for path in home.glob(".*-*"):
        owner = path.name.rpartition(".")[0]
        if owner.startswith(host):
            gone = owner == _token() or not _is_alive(owner.removeprefix(host))
        else:
            gone = path.lstat().st_mtime < time.time() - ABANDONED_AFTER
        if gone:
            _remove_ours(path)


def _is_alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, ValueError):
        return True
    return True


def _open_lock(path: Path) -> IO[str]:
    try:
        return open(path, "a")
    except PermissionError:  # another user's; to be locked it need not be written to
        return open(path)


@contextlib.contextmanager
def _lock(home: Path) -> Iterator[None]:
    """Let one process at a time make or drop exports, where the file system knows locks."""
    with _open_lock(home / ".lock") as file:
        # Without locks two processes make the same export, and the later one's takes the place.
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
