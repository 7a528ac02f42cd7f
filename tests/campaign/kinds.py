"""The kinds of faults by target: what each does to a study, and how often it is drawn."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass

from .faketime import library

Strike = Callable[..., bool]  # of a project, its oracle, and a source of chance


@dataclass(frozen=True, slots=True)
class Kind:
    """*strike* disturbs the study and says whether the fault came to pass; what it leaves is looked at afterwards.

    *may*: states that it may bring about; *cold*: how often in a project that was never built;
    *overlaps*: a program may begin beside one that has been given up; *needs*: what the machine must have for it;
    *alone*: it changes a cluster under the jobs of others.
    """

    name: str
    target: str
    strike: Strike
    weight: int
    may: frozenset[str]
    cold: float
    overlaps: bool
    needs: str
    alone: bool


KINDS: dict[tuple[str, str], Kind] = {}


def kind(
    target: str,
    weight: int = 1,
    *,
    may: tuple[str, ...] = (),
    cold: float = 0.0,
    overlaps: bool = False,
    needs: str = "",
    alone: bool = False,
) -> Callable[[Strike], Strike]:
    """Register a function as a kind of fault; its name is the kind's."""

    def register(strike: Strike) -> Strike:
        name = strike.__name__.replace("_", "-")  # type: ignore[attr-defined]
        KINDS[target, name] = Kind(name, target, strike, weight, frozenset(may), cold, overlaps, needs, alone)
        return strike

    return register


def lacks(chosen: Kind) -> str:
    """Say what this machine lacks for a kind of fault; nothing if it can be had here."""
    if chosen.needs == "mount" and (os.geteuid() != 0 or shutil.which("mount") is None):
        return "only root may mount a small disk"
    if chosen.needs == "faketime" and library() is None:
        return "libfaketime is not installed"
    return ""


def known() -> dict[tuple[str, str], Kind]:
    """Give all kinds."""
    from . import (  # noqa: F401  # each registers its kinds
        cluster_disks,
        cluster_kills,
        cluster_limits,
        cluster_nodes,
        cluster_schedulers,
        local_clock,
        local_disk,
        local_kills,
        local_limits,
        local_moved,
        local_races,
        local_torn,
    )

    return KINDS
