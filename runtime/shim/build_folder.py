"""A build folder to the run that one task is: the plan, one row of its points, the row's values by key."""

from __future__ import annotations

import json
import os
import struct
from typing import Any, Dict, List, Tuple

QUOTED = json.JSONDecoder()
SCHEMAS = ("xpc.plan/1", "xpc.points/1")


class BuildError(Exception):
    """A build folder that can't be read; the text is for people."""


class Run:
    """One row of the points. *values* has every key in config order; *parents* a list of ids for each `after`;
    *labels* are the keys that name what a group of the config was chosen to be."""

    __slots__ = (
        "ancestors", "experiment", "id", "labels", "parents", "plan", "request_class", "row", "texts", "values",
    )  # fmt: skip

    def __init__(self, row: int, fields: List[Any], shape: Dict[str, Any], plan: Dict[str, Any]) -> None:
        fields = fields + [[]] * (7 - len(fields))
        self.row = row
        self.id: str = fields[0]
        self.request_class: int = fields[2]
        self.experiment: str = shape["experiment"]
        self.plan: Dict[str, Any] = plan["experiments"][self.experiment]
        own = fields[3]
        self.values: Dict[str, Any] = {
            key: own[source] if isinstance(source, int) else source["value"] for key, source in shape["config"]
        }
        self.labels: List[str] = shape.get("labels", [])
        self.texts: List[Any] = fields[4]
        self.parents: List[List[str]] = fields[5]
        self.ancestors: Dict[str, List[str]] = dict(zip(shape["ancestors"], fields[6]))

    @property
    def config(self) -> Dict[str, Any]:
        """The values that are keys of the config; the name of a group's choice stands beside it, not in it."""
        return {key: value for key, value in self.values.items() if key not in self.labels}


class Build:
    """A build folder, opened once; rows are read where they stand."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        try:
            with open(os.path.join(folder, "plan.json"), "rb") as file:
                self.plan: Dict[str, Any] = json.loads(file.read().decode("utf-8"))
            self._points = open(os.path.join(folder, "points.jsonl"), "rb")  # noqa: SIM115  # open as long as the build
            with open(os.path.join(folder, "points.idx"), "rb") as file:
                self._index = file.read()
            header = json.loads(self._points.readline().decode("utf-8"))
            schemas = (self.plan["schema"], header["schema"])
            self._shapes: List[Dict[str, Any]] = header["shapes"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BuildError("the build in %s can't be read: %s" % (folder, error)) from error
        if schemas != SCHEMAS:
            raise BuildError("the build in %s is of %s and %s: made by another xpc" % (folder, *schemas))
        self.id = os.path.basename(os.path.normpath(folder))

    def close(self) -> None:
        self._points.close()

    @property
    def count(self) -> int:
        return len(self._index) // 8 - 1

    def run(self, row: int) -> Run:
        """Read one row, counted from 0."""
        if not 0 <= row < self.count:
            raise BuildError("the build has %d runs, and no row %d" % (self.count, row))
        start, end = struct.unpack_from("<QQ", self._index, 8 * row)
        self._points.seek(start)
        fields = json.loads(self._points.read(end - start).decode("utf-8"))
        return Run(row, fields, self._shapes[fields[1]], self.plan)

    def array(self, name: str) -> Dict[str, Any]:
        """Give what the plan says of an array."""
        for candidate in self.plan["arrays"]:
            if candidate["name"] == name:
                found: Dict[str, Any] = candidate
                return found
        raise BuildError("the build has no array %s" % name)

    def rows_of_task(self, array: str, index: int) -> List[int]:
        """Give the rows of the task of an array that has this index: more than one where runs are packed."""
        found = self.array(array)
        task = _place_of(found.get("indices") or [[0, found["tasks"]]], index, array)
        first, count = _rows_of(found.get("sizes") or [[1, found["tasks"]]], task, array)
        return [_nth(found["rows"], first + step, array) for step in range(count)]

    def indices(self, array: str) -> List[int]:
        """Give the indices of an array's tasks, in their order."""
        found = self.array(array)
        ranges = found.get("indices") or [[0, found["tasks"]]]
        return [index for first, count in ranges for index in range(first, first + count)]

    def task_request(self, array: str, attempt: int = 1) -> Dict[str, Any]:
        """Give what a task of an array asks for; of a packed one, for all its runs."""
        requests: List[Dict[str, Any]] = self.plan["resources"][self.array(array)["resources"]]
        return requests[min(attempt, len(requests)) - 1]

    def request(self, run: Run, attempt: int) -> Dict[str, Any]:
        """Give what an attempt of a run asks for."""
        requests: List[Dict[str, Any]] = self.plan["resources"][run.request_class]
        return requests[min(attempt, len(requests)) - 1]


def _place_of(ranges: List[Tuple[int, int]], index: int, array: str) -> int:
    """Give which of an array's tasks has an index, counted from 0."""
    before = 0
    for first, count in ranges:
        if first <= index < first + count:
            return before + index - first
        before += count
    raise BuildError("array %s has no task %d" % (array, index))


def _rows_of(sizes: List[Tuple[int, int]], task: int, array: str) -> Tuple[int, int]:
    """Give where a task's rows begin among those of its array, and how many they are; *sizes* are run lengths."""
    before = 0
    for rows, tasks in sizes:
        if task < tasks:
            return before + task * rows, rows
        before += rows * tasks
        task -= tasks
    raise BuildError("array %s has no sizes for all its tasks" % array)


def _nth(ranges: List[Tuple[int, int]], place: int, array: str) -> int:
    for first, count in ranges:
        if place < count:
            return first + place
        place -= count
    raise BuildError("array %s has not as many rows as its tasks want" % array)


def nested(values: Dict[str, Any]) -> Dict[str, Any]:
    """Give dotted keys as maps in maps, in their order."""
    whole: Dict[str, Any] = {}
    for key, value in values.items():
        *groups, last = segments(key)
        place = whole
        for name in groups:
            inner = place.get(name)
            if not isinstance(inner, dict):  # the bare key of a config group holds its label: its keys win
                inner = place[name] = {}
            place = inner
        if not isinstance(place.get(last), dict):
            place[last] = value
    return whole


def segments(key: str) -> List[str]:
    """Give the segments of a dotted key; one that is no identifier is quoted as in JSON."""
    if '"' not in key:
        return key.split(".")
    found: List[str] = []
    at = 0
    while at < len(key):
        if key[at] == '"':
            segment, end = QUOTED.raw_decode(key, at)
        else:
            end = key.find(".", at) % (len(key) + 1)  # none: the key's end
            segment = key[at:end]
        found.append(segment)
        at = end + 1
    return found
