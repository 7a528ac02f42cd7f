"""Processes named so that no other process is ever taken for one of them: host, boot, pid and start time."""

from __future__ import annotations

import os
from typing import Any, Dict, Mapping, Optional

from .digest import blake2b


def boot_id() -> str:
    """Name this boot of this machine; empty where the system does not tell."""
    return _text("/proc/sys/kernel/random/boot_id")


def start_time(pid: int) -> Optional[int]:
    """Give when a process started, in clock ticks since boot; nothing if it has ended (a zombie has)."""
    try:
        with open("/proc/%d/stat" % pid, "rb") as file:
            stat = file.read()
    except OSError:
        return None
    fields = stat[stat.rindex(b")") + 2 :].split()  # the name before it may hold anything
    return None if fields[0] in (b"Z", b"X") else int(fields[19])


def process(pid: int) -> Dict[str, Any]:
    """Give what a record says of a process."""
    return {"pid": pid, "start": start_time(pid)}


def is_alive(recorded: Any) -> bool:
    """Tell whether the very process of a record is still there. For records of this host and boot only."""
    if not isinstance(recorded, Mapping):
        return False
    pid, start = recorded.get("pid"), recorded.get("start")
    return isinstance(pid, int) and start is not None and start_time(pid) == start


def here(node: Optional[str] = None) -> Dict[str, str]:
    """Name the host (*node*, if a scheduler has a name for it), its boot and the user; *machine* outlives a boot,
    *space* is the pid namespace: pids mean nothing outside of it."""
    return {
        "host": node or os.uname().nodename,
        "boot": boot_id(),
        "machine": machine(),
        "space": space(),
        "user": user(),
    }


def machine() -> str:
    """Name this machine; by a hash, since the id itself is not for showing around. Empty where there is none."""
    known = _text("/etc/machine-id")
    return blake2b(known.encode(), digest_size=8, person=b"xpc").hexdigest() if known else ""


def space() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def sees(recorded: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Tell of the processes of a claim: ``here`` (they can be looked up), ``rebooted`` (gone with an earlier boot of
    this machine) or ``elsewhere`` (nobody can say from here). *now* is what ``here`` gives."""
    if recorded.get("host") != now["host"]:
        return "elsewhere"
    if recorded.get("boot") == now["boot"]:
        return "here" if recorded.get("space", now["space"]) == now["space"] else "elsewhere"
    return "rebooted" if now["machine"] and recorded.get("machine") == now["machine"] else "elsewhere"


def user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())  # a user without an entry, as in some containers


def oom_kills() -> int:
    """Give how many processes the kernel has killed for memory since boot; 0 where it does not tell."""
    for line in _text("/proc/vmstat").splitlines():
        if line.startswith("oom_kill "):
            return int(line.split()[1])
    return 0


def _text(path: str) -> str:
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:
        return ""
