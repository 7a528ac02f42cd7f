"""What is free on the machine just now, and whether a run's request fits into it."""

from __future__ import annotations

from dataclasses import dataclass

from .limits import Limits


@dataclass(frozen=True, slots=True)
class Need:
    """What one attempt uses on this machine; *alone*: nothing else may run beside it."""

    cpus: int
    memory: int
    gpus: int
    alone: bool = False


@dataclass(slots=True)
class Room:
    """The free part of the machine. *slots* is how many more runs may start at all."""

    slots: int
    cpus: int
    memory: int | None
    gpus: int
    running: int = 0
    alone: bool = False

    @classmethod
    def of(cls, limits: Limits, jobs: int | None) -> Room:
        return cls(jobs or limits.cpus, limits.cpus, limits.memory, len(limits.gpus.devices))

    def fits(self, need: Need) -> bool:
        if need.alone:
            return self.running == 0
        return (
            not self.alone
            and self.slots > 0
            and need.cpus <= self.cpus
            and need.gpus <= self.gpus
            and (self.memory is None or need.memory <= self.memory)
        )

    def take(self, need: Need) -> None:
        self._change(need, 1)

    def give_back(self, need: Need) -> None:
        self._change(need, -1)

    def _change(self, need: Need, by: int) -> None:
        self.running += by
        self.slots -= by
        if need.alone:
            self.alone = by > 0
            return
        self.cpus -= by * need.cpus
        self.gpus -= by * need.gpus
        if self.memory is not None:
            self.memory -= by * need.memory


def need_of(limits: Limits, *, cpus: int, memory: int | None, gpus: int, nodes: int) -> Need:
    """Give what a request needs here; one that asks for more than the whole machine runs alone."""
    too_much = (
        nodes > 1
        or cpus > limits.cpus
        or gpus > len(limits.gpus.devices)
        or (memory is not None and limits.memory is not None and memory > limits.memory)
    )
    return Need(cpus, memory or 0, gpus, alone=too_much)
