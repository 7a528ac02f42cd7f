"""The rows of a build that are to be run: their experiments, what they need here, and which wait for which."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count
from os.path import exists, join
from typing import Any

from ..shim import packs
from ..shim.build_folder import Run
from ..shim.guard import is_done
from ..shim.place import Place
from .graph import Graph
from .limits import Limits
from .room import Need, need_of


class Work:
    """*rows* of a place's build, in order. A row costs nothing more here until it starts."""

    def __init__(self, place: Place, rows: Sequence[int], limits: Limits) -> None:
        self.place = place
        self.rows = rows
        self.limits = limits
        plan = place.build.plan
        starts = sorted((experiment["first"], name) for name, experiment in plan["experiments"].items())
        self._firsts = [first for first, _ in starts]
        self._names = [name for _, name in starts]
        ranges = sorted((first, array["resources"]) for array in plan["arrays"] for first, _ in array["rows"])
        self._array_firsts = [first for first, _ in ranges]
        self._classes = [number for _, number in ranges]
        self._needs: dict[tuple[int, int], Need] = {}

    def run(self, row: int) -> Run:
        return self.place.build.run(row)

    def experiment(self, row: int) -> str:
        name: str = self._names[bisect_right(self._firsts, row) - 1]
        return name

    def totals(self) -> dict[str, int]:
        """Give how many rows each experiment has among them, in the order of the build."""
        counted = Counter(map(self.experiment, self.rows))
        return {name: counted[name] for name in self._names if counted[name]}

    def retries(self, row: int) -> int:
        found = self.place.build.plan["experiments"][self.experiment(row)]["retries"]
        assert isinstance(found, int)
        return found

    def need(self, row: int) -> Need:
        """Give what the next attempt of a row needs; the attempts that there were are counted only if it matters."""
        number = self._classes[bisect_right(self._array_firsts, row) - 1]
        requests: list[dict[str, Any]] = self.place.build.plan["resources"][number]
        attempt = 1 if len(requests) == 1 else min(next_attempt(self.place.run_folder(self.run(row))), len(requests))
        if (number, attempt) not in self._needs:
            asked = requests[attempt - 1]
            cpus, memory = asked["cpus"] * asked["tasks"], asked["memory"]
            need = need_of(self.limits, cpus=cpus, memory=memory, gpus=asked["gpus"], nodes=asked["nodes"])
            self._needs[number, attempt] = need
        return self._needs[number, attempt]

    def graph(self) -> Graph:
        """Read the parents of the rows; experiments that come after nothing are not read at all."""
        plan = self.place.build.plan["experiments"]
        known = {(self.experiment(row), self.run(row).id): row for row in self._followed()}
        parents = {
            row: self._parents_among(known, row) for row in self.rows if known and plan[self.experiment(row)]["after"]
        }
        return Graph(self.rows, parents)

    def blocked(self) -> set[int]:
        """Give the rows that can't be run: a parent is neither among the rows nor done, or is itself blocked."""
        plan = self.place.build.plan["experiments"]
        ours = {(self.experiment(row), self.run(row).id) for row in self._followed()}
        known: dict[tuple[str, str], bool] = {}
        graph = self.graph()
        blocked: set[int] = set()
        for row in self.rows:
            if plan[self.experiment(row)]["after"] and not self._possible(row, ours, known):
                blocked.update((row, *graph.drop(row)))
        return blocked

    def _possible(self, row: int, ours: set[tuple[str, str]], known: dict[tuple[str, str], bool]) -> bool:
        for parent in set(_parents(self.run(row))) - ours:
            if parent not in known:
                known[parent] = is_done(join(self.place.project, "runs", *parent))
            if not known[parent]:
                return False
        return True

    def _followed(self) -> list[int]:
        """Give the rows of experiments that others among these come after."""
        plan = self.place.build.plan["experiments"]
        followed = {
            after["experiment"] for name in set(map(self.experiment, self.rows)) for after in plan[name]["after"]
        }
        return [row for row in self.rows if self.experiment(row) in followed]

    def _parents_among(self, known: dict[tuple[str, str], int], row: int) -> list[int]:
        return sorted({known[parent] for parent in _parents(self.run(row)) if parent in known})


def _parents(run: Run) -> Iterator[tuple[str, str]]:
    """Give the experiment and id of each parent."""
    for after, parents in zip(run.plan["after"], run.parents, strict=True):
        for parent in parents:
            yield after["experiment"], parent


def next_attempt(folder: str) -> int:
    """Give the number of the attempt that would be claimed next."""
    packed = len(packs.journals(folder))
    return next(n for n in count(packed + 1) if not exists(join(folder, f"run.{n}.jsonl" if n > 1 else "run.jsonl")))
