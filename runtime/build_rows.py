"""A build folder to its columns: the ids of all rows at once, and which rows each task of an array holds."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, chain
from pathlib import Path
from typing import Any, Final

from .shim.regular import open_regular, read_regular

_ID: Final = re.compile(rb'\[\s*"([^"\\]+)"')


def read_plan(build: Path) -> Mapping[str, Any] | None:
    """Give the build's plan; nothing if the build is gone or damaged."""
    try:
        plan = json.loads(read_regular(str(build / "plan.json")))
    except PermissionError:
        raise
    except (OSError, ValueError, RecursionError):
        return None
    return plan if isinstance(plan, dict) and plan.get("schema") == "xpc.plan/1" else None


def row_ids(build: Path) -> list[str]:
    """Give the id of each row's run, in order; none if the build is gone."""
    try:
        with open_regular(str(build / "points.jsonl")) as file:
            lines = file.read().split(b"\n")
    except PermissionError:
        raise
    except OSError:
        return []
    found = (_ID.match(line) for line in lines[1:-1])
    return [match[1].decode() if match is not None else "" for match in found]


class Rows:
    """All rows of a build: their ids and experiments, and which rows each one waits for."""

    def __init__(self, build: Path, plan: Mapping[str, Any]) -> None:
        self._lines = (build / "points.jsonl").read_bytes().split(b"\n")[1:-1]
        found = [_ID.match(line) for line in self._lines]
        self.ids = [match[1].decode() if match is not None else "" for match in found]
        self._plan: Mapping[str, Any] = plan["experiments"]
        firsts = sorted((experiment["first"], name) for name, experiment in self._plan.items())
        self._firsts = [first for first, _ in firsts]
        self._names = [name for _, name in firsts]
        self._parents: dict[str, tuple[int, ...]] = {}  # by the text of their ids
        self._of_row: dict[int, tuple[int, ...]] = {}
        self._places: dict[str, dict[str, int]] = {}

    @property
    def count(self) -> int:
        return len(self.ids)

    @property
    def experiments(self) -> Sequence[str]:
        return self._names

    def experiment(self, row: int) -> str:
        name: str = self._names[bisect_right(self._firsts, row) - 1]
        return name

    def of(self, experiment: str) -> range:
        """Give the rows of an experiment."""
        found = self._plan[experiment]
        return range(found["first"], found["first"] + found["runs"])

    def find(self, experiment: str, id: str) -> int | None:
        """Give the row of a run; nothing if the build has no such run."""
        if experiment not in self._places:
            rows = self.of(experiment) if experiment in self._plan else range(0)
            self._places[experiment] = {self.ids[row]: row for row in rows}
        return self._places[experiment].get(id)

    def parents(self, row: int) -> tuple[int, ...]:
        """Give the rows that a row waits for, `-1` for one that the build lacks; the same ones as one tuple."""
        if row not in self._of_row:
            after = self._plan[self.experiment(row)]["after"]
            self._of_row[row] = self._read_parents(row, [above["experiment"] for above in after]) if after else ()
        return self._of_row[row]

    def _read_parents(self, row: int, experiments: Sequence[str]) -> tuple[int, ...]:
        ids = json.loads(self._lines[row])[5]
        text = json.dumps([experiments, ids])
        if text not in self._parents:
            found = [
                self.find(name, id) for name, above in zip(experiments, ids, strict=True) for id in dict.fromkeys(above)
            ]
            self._parents[text] = tuple(-1 if parent is None else parent for parent in found)
        return self._parents[text]


class Tasks:
    """The tasks of an array of a plan: their indices, ascending, and the rows that each one holds."""

    def __init__(self, array: Mapping[str, Any]) -> None:
        self.name: str = array["name"]
        self.experiment: str = array["experiment"]
        self.indices: Sequence[int] = expand(array.get("indices") or [[0, array["tasks"]]])
        self._rows: Sequence[int] = expand(array["rows"])
        sizes = array.get("sizes") or [[1, array["tasks"]]]
        self._ends = list(accumulate(chain.from_iterable([size] * times for size, times in sizes)))
        self._at = None if self._is_dense() else {index: at for at, index in enumerate(self.indices)}

    def _is_dense(self) -> bool:
        return isinstance(self.indices, range)

    def __len__(self) -> int:
        return len(self._ends)

    def position(self, index: int) -> int | None:
        """Give the place of a task among the tasks; nothing if the array has no such index."""
        if self._at is not None:
            return self._at.get(index)
        at = index - (self.indices[0] if self.indices else 0)
        return at if 0 <= at < len(self.indices) else None

    def rows(self, index: int) -> Sequence[int]:
        """Give the rows of the task that has the index; none if there is no such task."""
        at = self.position(index)
        if at is None or at >= len(self._ends):
            return ()
        return self._rows[self._ends[at - 1] if at else 0 : self._ends[at]]

    def each(self) -> Iterator[tuple[int, Sequence[int]]]:
        """Give each index with the task's rows."""
        start = 0
        for index, end in zip(self.indices, self._ends, strict=False):
            yield index, self._rows[start:end]
            start = end


def expand(ranges: Sequence[Sequence[int]]) -> Sequence[int]:
    """Give what ranges of first and count hold; one range stays one."""
    if len(ranges) == 1:
        return range(ranges[0][0], ranges[0][0] + ranges[0][1])
    return list(chain.from_iterable(range(first, first + count) for first, count in ranges))
