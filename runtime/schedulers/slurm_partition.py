"""How long a job may run in a partition, as `scontrol` tells it."""

from __future__ import annotations

import re
from typing import Final

from .ask import ask

_FIELD: Final = re.compile(r"(\w+)=(\S*)")
_TIME: Final = re.compile(r"(?:(\d+)-)?(\d+):(\d\d):(\d\d)")


def longest_time(partition: str | None) -> tuple[str, int] | None:
    """Give a partition (none: the one that jobs go to by default) and its time limit in seconds, if it has one."""
    answer = ask(["scontrol", "-o", "show", "partition", *([partition] if partition else [])])
    return read_partition(answer.out, partition) if answer.fine else None


def read_partition(text: str, partition: str | None) -> tuple[str, int] | None:
    for line in text.splitlines():
        fields = dict(_FIELD.findall(line))
        if partition is None and fields.get("Default") != "YES":
            continue
        limit = _TIME.fullmatch(fields.get("MaxTime", ""))
        if limit is not None:
            days, hours, minutes, seconds = (int(part or 0) for part in limit.groups())
            return fields.get("PartitionName", ""), ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    return None
