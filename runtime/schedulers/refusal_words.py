"""A scheduler's words for no to what they are about: names as an Experimentfile has them, likeliest first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_SLURM: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (r"submit limit|SubmitJob", ("max_submit", "slurm.qos", "qos")),
    (r"invalid account", ("slurm.account", "account", "slurm.partition", "partition")),
    (r"partition", ("slurm.partition", "partition")),
    (r"time limit", ("time",)),
    (r"qos", ("slurm.qos", "qos")),
    (r"array specification", ("max_array",)),
    (r"CPU count|processors requested", ("cpus", "tasks")),
    (r"memory", ("memory",)),
    (r"feature", ("slurm.constraint",)),
    (r"node count", ("nodes",)),
    (r"generic resource|gres", ("slurm.gres", "gpus")),
    (r"temporary disk", ("disk",)),
    (r"node name", ("slurm.nodelist", "slurm.exclude")),
    (
        r"node configuration",
        ("slurm.gres", "gpus", "slurm.constraint", "nodes", "disk", "slurm.exclude", "cpus", "memory"),
    ),
    (r"reservation", ("slurm.reservation",)),
    (r"licen[cs]e", ("slurm.licenses",)),
    (r"cluster", ("slurm.clusters",)),
)
_OAR: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (r"queue", ("oar.queue", "queue")),
    (r"job type", ("oar.type",)),
    (r"project", ("oar.project", "project")),
    (r"walltime", ("time",)),
    (r"column|resource request|property", ("oar.property",)),
    (r"enough resources", ("gpus", "cpus", "nodes", "tasks", "oar.property")),
    (r"notify", ("oar.notify",)),
)
_ASIDE: Final = re.compile(
    r"^.*\[ADMISSION RULE\] (Set|Modify|Automatically|Redirect).*$", re.MULTILINE | re.IGNORECASE
)
"""What OAR's rules did to a request that gave no word for it, which is never why it was refused."""
_OPTION: Final = re.compile(r"(?:invalid|unrecognized option|ambiguous option:?)\s*'?--([a-z-]+)", re.IGNORECASE)


_NOISE: Final = re.compile(r"^OAR_(JOB|ARRAY)_ID=|verify your request syntax|^#+$", re.IGNORECASE)
"""Lines that OAR prints with each refusal."""


def headline(kind: str, lines: Sequence[str]) -> tuple[str, list[str]]:
    """Give the line that says why something was refused, and the others that may help.

    SLURM says it last, after what its plugins say; OAR between what its rules set and what it always says.
    """
    if kind == "slurm":
        return lines[-1], list(lines[:-1])
    telling = [line for line in lines if not _NOISE.search(line) and not _ASIDE.match(line)]
    if not telling:
        return lines[-1], []
    return telling[0], telling[1:]


def about(kind: str, said: str) -> tuple[str, ...]:
    """Give what a refusal may be about: `time`, `slurm.partition`, a target's `account`; nothing if nobody can tell."""
    said = _ASIDE.sub("", said)
    option = _OPTION.search(said)
    if option is not None:
        return (f"{kind}.{option[1]}", f"{kind}.{option[1].replace('-', '_')}", option[1])
    for words, names in _SLURM if kind == "slurm" else _OAR:
        if re.search(words, said, re.IGNORECASE):
            return names
    return ()
