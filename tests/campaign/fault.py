"""A seed to faults: each is a pure function of the seed, the target, the kind and its number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

TARGETS: Final = ("local", "slurm", "oar")


@dataclass(frozen=True, slots=True)
class Fault:
    """The *nth* fault of its kind on a target."""

    seed: int
    target: str
    kind: str
    nth: int

    def random(self) -> Random:
        """Give the source of everything about it that is left to chance."""
        return Random(f"{self.seed}/{self.target}/{self.kind}/{self.nth}")  # noqa: S311  # repeatable, not secret

    def __str__(self) -> str:
        return f"--seed {self.seed} --on {self.target} --only {self.kind} --nth {self.nth}"


def shares(total: int, targets: Sequence[str]) -> dict[str, int]:
    """Share the number of faults out: 16 local ones to 3 of SLURM and 1 of OAR, whose runs take longer to begin."""
    weights = {"local": 16, "slurm": 3, "oar": 1}
    whole = sum(weights[target] for target in targets)
    found = {target: max(1, total * weights[target] // whole) for target in targets}
    found[targets[0]] += max(0, total - sum(found.values()))
    return found


def draw(seed: int, total: int, weights: Mapping[str, Mapping[str, int]]) -> list[Fault]:
    """Give *total* faults; *weights* says how often each kind of each target comes."""
    found: list[Fault] = []
    for target, number in shares(total, list(weights)).items():
        kinds = [kind for kind, weight in weights[target].items() for _ in range(weight)]
        Random(f"{seed}/{target}").shuffle(kinds)  # noqa: S311
        counts: dict[str, int] = {}
        for place in range(number):
            kind = kinds[place % len(kinds)]
            found.append(Fault(seed, target, kind, counts.get(kind, 0)))
            counts[kind] = counts.get(kind, 0) + 1
    return found
