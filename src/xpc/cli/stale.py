"""A stale run: why it is, in words, and what there is to know to accept it all the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Stale:
    """*why* a run is stale, and of which *kind* that is: the same for all runs of which there is no more to tell.

    *recorded* is the fingerprint that it ran with, *lineage* tells the parents' attempts that it should have read, if
    these are others.
    """

    why: str
    kind: str
    recorded: Any = None
    lineage: str = ""


def together(own: str, parent: Stale | None, recorded: Any) -> Stale:
    """Put what has changed for a run and for its parents into one."""
    if parent is None:
        return Stale(own, own, recorded)
    join = "; ".join
    texts, kinds = filter(None, (own, parent.why)), filter(None, (own, parent.kind))
    return Stale(join(texts), join(kinds), recorded, parent.lineage)
