"""The processes of a run: its program, what that has started, and what has run away from it."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from typing import Dict, Iterable, List, NamedTuple, Optional, Set

PR_SET_CHILD_SUBREAPER = 36
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


class Process(NamedTuple):
    """One line of /proc: memory in bytes, processor time in seconds, start in clock ticks since boot."""

    parent: int
    session: int
    rss: int
    cpu: float
    start: int


def adopt_orphans() -> None:
    """Make this process the parent of whatever its descendants leave behind (Linux; elsewhere they go to init)."""
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "prctl"):
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def table() -> Dict[int, Process]:
    """Look at all processes once. Zombies are left out."""
    found: Dict[int, Process] = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open("/proc/%s/stat" % name, "rb") as file:
                stat = file.read()
        except OSError:
            continue  # it has ended meanwhile
        f = stat[stat.rindex(b")") + 2 :].split()
        if f[0] not in (b"Z", b"X"):
            cpu = (int(f[11]) + int(f[12])) / TICKS
            found[int(name)] = Process(int(f[1]), int(f[3]), int(f[21]) * PAGE, cpu, int(f[19]))
    return found


def tree(program: int, mark: str, processes: Dict[int, Process]) -> Set[int]:
    """Give the processes that belong to a run: the program's session and descendants, and orphans that we adopted
    whose environment has the entry *mark*.

    *program* is a pid of ours, never 0: session 0 holds the system's own processes, and which are nobody's run.
    """
    if program <= 0:
        raise ValueError("a run's program has no pid %d" % program)
    own = os.getpid()
    children: Dict[int, List[int]] = {}
    for pid, process in processes.items():
        children.setdefault(process.parent, []).append(pid)
    roots = [pid for pid, process in processes.items() if process.session == program or pid == program]
    roots += [pid for pid in children.get(own, ()) if pid != program and _has(pid, mark)]
    return _below(roots, children) - {own}


def descendants(pids: Iterable[int], processes: Dict[int, Process]) -> Set[int]:
    """Give processes and all that they have started, less this one."""
    children: Dict[int, List[int]] = {}
    for pid, process in processes.items():
        children.setdefault(process.parent, []).append(pid)
    return _below(list(pids), children) - {os.getpid()}


def _below(roots: List[int], children: Dict[int, List[int]]) -> Set[int]:
    own = os.getpid()
    found: Set[int] = set()
    while roots:
        pid = roots.pop()
        if pid not in found and pid != own:
            found.add(pid)
            roots.extend(children.get(pid, ()))
    return found


def mark_of(stop_file: str) -> str:
    """Give the entry of the environment that the programs of one attempt have, and nobody else: a run id would not do,
    since the same run in another project has the same."""
    return "XPC_STOP=" + stop_file


def _has(pid: int, entry: str) -> bool:
    try:
        with open("/proc/%d/environ" % pid, "rb") as file:
            return os.fsencode(entry) in file.read().split(b"\0")
    except OSError:
        return False


def marked(mark: str) -> List[int]:
    """Give every process of this machine whose environment has the entry *mark*, but for this one."""
    own = os.getpid()
    return [pid for pid in table() if pid != own and _has(pid, mark)]


def of_run(folder: str) -> List[int]:
    """Give every process of this machine that was started for the run in *folder*, but for this one."""
    own, wanted = os.getpid(), os.path.realpath(folder)
    return [pid for pid in table() if pid != own and _folder_of(pid) == wanted]


def _folder_of(pid: int) -> Optional[str]:
    try:
        with open("/proc/%d/environ" % pid, "rb") as file:
            entries = file.read().split(b"\0")
    except OSError:
        return None  # it has ended, or is somebody else's
    for entry in entries:
        if entry.startswith(b"XPC_RUN_DIR="):
            return os.path.realpath(os.fsdecode(entry[12:]))
    return None


def memory_of(pids: Iterable[int], processes: Dict[int, Process], limit: Optional[int] = None) -> int:
    """Give the bytes that processes use together. Pages that they share count once, once the plain sum is over *limit*:
    a look at each page costs too much to take every second."""
    members = [pid for pid in pids if pid in processes]
    plain = sum(processes[pid].rss for pid in members)
    if limit is None or plain <= limit or len(members) < 2:
        return plain
    used = _shared(members, processes)
    # A look takes its time: who ends meanwhile leaves its share to those that are looked at after it, and a sum may be
    # too large that none of them ever had. The second look finds them gone.
    return used if used <= limit else min(used, _shared(members, processes))


def _shared(members: List[int], processes: Dict[int, Process]) -> int:
    return sum(_own_share(pid, processes[pid].rss) for pid in members)


def _own_share(pid: int, otherwise: int) -> int:
    """Give a process's memory with each shared page divided among those who share it; *otherwise* if nobody tells, and
    nothing once it has ended: what it shared is counted with the others."""
    try:
        with open("/proc/%d/smaps_rollup" % pid, "rb") as file:
            for line in file:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) * 1024
    except ProcessLookupError:
        return 0  # it has given its memory back, though it may still be on its way out
    except FileNotFoundError:
        return 0 if _has_ended(pid) else otherwise
    except (OSError, ValueError):
        return otherwise
    return otherwise


def _has_ended(pid: int) -> bool:
    """Tell whether a process is gone, or no more than an entry, and not on a kernel that has no `smaps_rollup`."""
    try:
        with open("/proc/%d/stat" % pid, "rb") as file:
            stat = file.read()
    except OSError:
        return True
    return stat[stat.rindex(b")") + 2 :][:1] in (b"Z", b"X")


def send(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def signal_tree(program: int, mark: str, number: int) -> None:
    """Send a signal to all processes of a run, to its program first: a script that has a trap for it must not see its
    child die, and leave, before it is told itself."""
    members = tree(program, mark, table())
    send(sorted(members, key=lambda pid: pid != program), number)


def has_children(known: Iterable[int]) -> bool:
    """Tell whether this process has children beside those *known*, such as orphans that an ended program left to it."""
    try:
        with open("/proc/self/task/%d/children" % os.getpid(), "rb") as file:
            return bool({int(pid) for pid in file.read().split()} - set(known))
    except OSError:
        return True  # the kernel does not tell


def kill_strays(program: int, mark: str, patience: float = 5.0) -> int:
    """Kill what a program that has ended left running; give how many processes that were.

    A process that the kernel holds (a dead file server) can't be killed; after *patience* seconds it is left.
    """
    killed: Set[int] = set()
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        strays = tree(program, mark, table()) - {program}
        if not strays:
            break
        killed |= strays
        send(strays, signal.SIGKILL)
        reap_orphans(strays)
    return len(killed)


def reap_orphans(pids: Iterable[int]) -> None:
    """Wait a moment for killed orphans of ours to be gone; those of other parents are theirs to reap."""
    for pid in pids:
        try:
            for _ in range(20):
                if os.waitpid(pid, os.WNOHANG)[0]:
                    break
                time.sleep(0.005)  # the kernel takes its time to end a process; nothing tells when it has
        except ChildProcessError:
            continue
