"""Arrays and what they ask for to upper bounds of what they will use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ..grammar.node import Node
from .plan_resources import Request

FILES_A_RUN: Final = 5  # the run's folder, its journal, its config, its output, its working directory


class Cost(Node):
    """*core_hours* and *gpu_hours* are nothing if a run has no time limit."""

    core_hours: float | None
    gpu_hours: float | None
    inodes: int


def cost(asked: Iterable[tuple[int, Request, int]]) -> Cost:
    """Give the cost of runs: how many, what their first attempt asks for, how many outputs each has."""
    cores = gpus = 0.0
    bounded = True
    inodes = 0
    for runs, request, outputs in asked:
        inodes += runs * (FILES_A_RUN + outputs)
        if request.time is None:
            bounded = bounded and not runs
            continue
        hours = runs * request.nodes * request.time / 3600
        cores += hours * request.tasks * request.cpus
        gpus += hours * request.gpus
    return Cost(round(cores, 3), round(gpus, 3), inodes) if bounded else Cost(None, None, inodes)
