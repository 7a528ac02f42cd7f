"""Numbers to the texts that people read: durations, sizes, counts of runs by state."""

from __future__ import annotations

from collections.abc import Mapping

MINUTE, HOUR, DAY = 60, 3600, 86400


def size(amount: float) -> str:
    """Give a number of bytes as `8 GiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(amount) < 1024:
            return f"{amount:.1f} {unit}".replace(".0 ", " ")
        amount /= 1024
    return f"{amount:,.1f} TiB".replace(".0 ", " ")


def duration(seconds: float) -> str:
    """Give a number of seconds as `12.5 s`, `4 min 12 s`, `1 h 30 min`, `2 d 4 h`."""
    if seconds < MINUTE:
        return f"{seconds:.3g} s"
    if seconds < HOUR:
        whole, rest = divmod(round(seconds), MINUTE)
        return _two(whole, "min", rest, "s")
    if seconds < DAY:
        whole, rest = divmod(round(seconds / MINUTE), 60)
        return _two(whole, "h", rest, "min")
    whole, rest = divmod(round(seconds / HOUR), 24)
    return _two(whole, "d", rest, "h")


def _two(whole: int, unit: str, rest: int, smaller: str) -> str:
    return f"{whole} {unit} {rest} {smaller}" if rest else f"{whole} {unit}"


def states(counted: Mapping[str, int]) -> str:
    """Give `1 running, 2 failed`."""
    return ", ".join(f"{number:,} {state}" for state, number in counted.items() if number)


def runs(number: int) -> str:
    return f"{number:,} run{'' if number == 1 else 's'}"
