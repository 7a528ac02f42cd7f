"""An unknown name to the help line that offers the known name which was probably meant."""

from __future__ import annotations

from collections.abc import Iterable

from ..grammar.nearest import nearest


def did_you_mean(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Give the help line for *name*, or none; a key's last segments alone are offered the whole key."""
    names = list(known)
    found = nearest(name, names)
    if found is None:
        found = min((other for other in names if other.endswith("." + name)), default=None)
    return (f"did you mean `{found}`?",) if found is not None else ()
