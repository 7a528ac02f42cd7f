"""What this machine has for runs: processors and memory, as affinity and control groups leave them, and GPUs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .gpus import Gpus, find_gpus

ROOT = Path("/")
UNLIMITED = 1 << 60  # control groups of version 1 write a huge number for "no limit"


@dataclass(frozen=True, slots=True)
class Limits:
    """What all runs together may use: *memory* in bytes (None: unknown, so it limits nothing)."""

    cpus: int
    memory: int | None
    gpus: Gpus


def find_limits(environ: Mapping[str, str], root: Path = ROOT) -> Limits:
    """Look at the machine below *root* (the file system's root, but in tests)."""
    return Limits(find_cpus(root), find_memory(root), find_gpus(environ, root))


def narrowed(limits: Limits, options: Mapping[str, int]) -> Limits:
    """Give what a target's own options leave: `cpus` and `memory` as it says, of the GPUs the first `gpus`."""
    gpus = Gpus(limits.gpus.variable, limits.gpus.devices[: options.get("gpus")])
    return Limits(options.get("cpus", limits.cpus), options.get("memory", limits.memory), gpus)


def find_cpus(root: Path = ROOT) -> int:
    """Give how many processors this process may use; a quota of one and a half counts as two."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quotas = [-(-quota // period) for quota, period in _quotas(root) if quota > 0 and period > 0]
    return max(1, min([allowed, *quotas]))


def find_memory(root: Path = ROOT) -> int | None:
    """Give the bytes of memory that this process may use."""
    found = [
        limit
        for folder in _groups(root, "memory")
        for name in ("memory.max", "memory.limit_in_bytes")
        for limit in _numbers(folder / name)[:1]
        if 0 < limit < UNLIMITED
    ]
    for line in _text(root / "proc/meminfo").splitlines():
        if line.startswith("MemTotal:"):
            found.append(int(line.split()[1]) * 1024)
    return min(found, default=None)


def _quotas(root: Path) -> Iterator[tuple[int, int]]:
    """Give the processor quotas that hold here, each as microseconds allowed out of a period."""
    for folder in _groups(root, "cpu"):
        both = _numbers(folder / "cpu.max")
        if len(both) == 2:
            yield both[0], both[1]
        quota = _numbers(folder / "cpu.cfs_quota_us")
        period = _numbers(folder / "cpu.cfs_period_us")
        if quota and period:
            yield quota[0], period[0]


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """Give the folders of the control groups that this process is in, innermost first, of both versions."""
    member = _memberships(root)
    for line in _text(root / "proc/self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        fields, kinds = before.split(), after.split()
        if len(fields) < 5 or len(kinds) < 3:
            continue
        if kinds[0] == "cgroup2":
            inside = member.get("")
        elif kinds[0] == "cgroup" and controller in kinds[2].split(","):
            inside = member.get(controller)
        else:
            continue
        if inside is not None:
            yield from _upwards(root / fields[4].lstrip("/"), fields[3], inside)


def _memberships(root: Path) -> dict[str, str]:
    """Give the path of this process's group by controller; the one of version 2 has an empty name."""
    found = {}
    for line in _text(root / "proc/self/cgroup").splitlines():
        parts = line.split(":", 2)
        if len(parts) == 3:
            found.update(dict.fromkeys(parts[1].split(","), parts[2]))
    return found


def _upwards(mount: Path, mounted: str, inside: str) -> Iterator[Path]:
    """Give the folders from the group *inside* up to the mount point, which shows the group *mounted*."""
    path = PurePosixPath(inside)
    steps = path.relative_to(mounted).parts if path.is_relative_to(mounted) else ()
    for count in range(len(steps), -1, -1):
        yield mount.joinpath(*[step for step in steps[:count] if step not in ("/", "..")])


def _numbers(path: Path) -> list[int]:
    words = _text(path).split()
    return [int(word) for word in words] if all(word.lstrip("-").isdigit() for word in words) else []


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return ""  # what the machine doesn't show limits nothing
