"""A path that this user may not use to what stands in the way: which file or folder, whose it is, and the cure."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from dataclasses import dataclass
from typing import Final

PAGE: Final = "docs/groups.md tells how several people share a project"


@dataclass(frozen=True, slots=True)
class Denied:
    """*path* is what stands in the way, *wish* what this user may not do with it."""

    path: str
    wish: str
    owner: str
    group: str
    mode: str
    mine: bool
    member: bool

    @property
    def message(self) -> str:
        whose = "your own" if self.mine else f"{self.owner}'s"
        return f"you may not {self.wish} `{self.path}`, which is {whose} ({self.mode}, group {self.group})"

    @property
    def help(self) -> tuple[str, ...]:
        if self.mine:
            return (f"`chmod u+rwX {self.path}`",)
        what = ".xpc runs" if self.path.split("/")[0] in (".xpc", "runs") else self.path
        if self.path.startswith(".xpc/snapshots/"):
            return (f"{self.owner} types `chmod -R g+rX .xpc/snapshots`, and has `umask 002` from then on", PAGE)
        if not self.member:
            return (f"{self.owner} types `chgrp -R GROUP {what}` for a group that you share", PAGE)
        return (f"{self.owner} types `chmod -R g+rwX {what}`, and has `umask 002` from then on", PAGE)


def denied(path: str | bytes | os.PathLike[str]) -> Denied | None:
    """Find what keeps this user from *path*: a folder above it, or itself; nothing if that can't be seen."""
    whole = os.path.abspath(os.fsdecode(path))
    for folder in _folders(whole):
        if not os.access(folder, os.X_OK, effective_ids=True):
            return _found(folder, "look into")
    if not os.path.lexists(whole):
        return _unwritable(os.path.dirname(whole), "make anything in")
    if not os.access(whole, os.R_OK, effective_ids=True):
        return _found(whole, "look into" if os.path.isdir(whole) else "read")
    if os.path.isdir(whole):
        return _unwritable(whole, "make anything in") or _unwritable(os.path.dirname(whole), "rename anything in")
    return _unwritable(whole, "write to") or _unwritable(os.path.dirname(whole), "rename anything in") or _other(whole)


def whose(error: OSError) -> str | None:
    """Say whose a file is that could not be used, and how it can be: a short text after the fact."""
    found = denied(error.filename) if isinstance(error, PermissionError) and error.filename else None
    return None if found is None else found.message


def _folders(path: str) -> list[str]:
    """Give the folders above a path, outermost first."""
    found: list[str] = []
    while (above := os.path.dirname(path)) != path:
        found.append(above)
        path = above
    return found[::-1]


def _unwritable(path: str, wish: str) -> Denied | None:
    return None if os.access(path, os.W_OK, effective_ids=True) else _found(path, wish)


def _other(path: str) -> Denied | None:
    """What only the owner may do: change a mode, a time, or a file behind a link."""
    found = _found(path, "change")
    return found if found is not None and not found.mine else None


def _found(path: str, wish: str) -> Denied | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    groups = {os.getegid(), *os.getgroups()}
    return Denied(
        _shown(path),
        wish,
        _user(status.st_uid),
        _group(status.st_gid),
        stat.filemode(status.st_mode),
        status.st_uid == os.geteuid(),
        status.st_gid in groups,
    )


def _shown(path: str) -> str:
    """Give a path below the current folder as people write it there."""
    try:
        here = os.getcwd()
    except OSError:
        return path
    return os.path.relpath(path, here) if path.startswith(here + "/") else path


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
