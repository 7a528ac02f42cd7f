"""A batch script to what SLURM would say to it (`sbatch --test-only`): nothing is submitted."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from typing import Final

from .ask import ask

# What SLURM's words are about: the resources and options that may have asked for it, likeliest first.
ABOUT: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (r"time.?limit", ("time", "slurm.time-min", "partition")),
    (r"CPU count|[Pp]rocessors", ("cpus", "tasks")),
    (r"Memory specification", ("memory",)),
    (r"Temporary disk|tmp", ("disk", "slurm.tmp")),
    (r"invalid partition|Invalid partition", ("slurm.partition", "partition")),
    (r"account", ("slurm.account", "account", "slurm.partition", "partition")),
    (r"qos", ("slurm.qos", "qos")),
    (r"feature", ("slurm.constraint", "slurm.prefer")),
    (r"[Nn]ode count", ("nodes",)),
    (r"reservation", ("slurm.reservation",)),
    (r"[Ll]icense", ("slurm.licenses",)),
    (r"[Gg]eneric resource|gres", ("gpus", "slurm.gres")),
    (r"node name|nodelist", ("slurm.nodelist", "slurm.exclude")),
    (r"array", ("max_array",)),
    (
        r"node configuration",
        ("gpus", "slurm.gres", "cpus", "memory", "tasks", "nodes", "slurm.nodelist", "slurm.exclude"),
    ),
    (r"submit limit|AssocMax|QOSMax", ("max_submit",)),
)
OPTION: Final = re.compile(r"(?:Invalid|invalid|unrecognized option) '?--([\w-]+)")


@dataclass(frozen=True, slots=True)
class Reply:
    """*granted*: SLURM would take it; *asked*: it could be asked at all. *said* are its words, *about* the names of
    resources, target options or native options (`slurm.NAME`) that these may mean."""

    asked: bool
    granted: bool
    said: tuple[str, ...]
    about: tuple[str, ...] = ()


def ask_slurm(script: str) -> Reply:
    """Let SLURM look at a batch script, by its own headers alone, in a clean environment."""
    with tempfile.NamedTemporaryFile("w", suffix=".sbatch", encoding="utf-8") as file:
        file.write(script)
        file.flush()
        answer = ask(["sbatch", "--test-only", file.name, "build"])
    if answer.code is None:
        return Reply(False, False, (answer.err,))
    said = tuple(line.strip() for line in answer.err.splitlines() if line.strip())
    if answer.fine:
        return Reply(True, True, said)
    reached = not any("Unable to contact" in line or "Connection refused" in line for line in said)
    return Reply(reached, False, said, about(said))


def about(said: tuple[str, ...]) -> tuple[str, ...]:
    """Give what a refusal may be about, likeliest first."""
    found: dict[str, None] = {}
    for line in said:
        option = OPTION.search(line)
        if option is not None:
            found[f"slurm.{option[1]}"] = None
            continue
        for pattern, names in ABOUT:
            if re.search(pattern, line):
                found.update(dict.fromkeys(names))
                break
    return tuple(found)


def time_limit(partition: str | None) -> tuple[str, str] | None:
    """Give a partition's name (the default one's, if none is named) and its time limit in SLURM's words; nothing where
    there is no limit or no answer."""
    answer = ask(["sinfo", "-h", "-o", "%P %l", *(["-p", partition] if partition else [])])
    for line in answer.out.splitlines() if answer.fine else ():
        name, _, limit = line.strip().partition(" ")
        if limit not in ("", "infinite", "n/a") and (partition is not None or name.endswith("*")):
            return name.rstrip("*"), limit
    return None
