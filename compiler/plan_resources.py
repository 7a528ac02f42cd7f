"""What an experiment asks for to resource classes: requests that are equal share a class, and so an array."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Final, cast

from ..grammar.node import Node
from .fault import EvaluationError
from .plan_distinct import Call, Cell, distinct
from .study import Code, Resources
from .table import Table
from .values import Path, Value

MINUTE: Final = 60
CHUNK: Final = 64 * 2**20
ATTEMPTS: Final = 4  # how many requests a class has at least, where they depend on the attempt

_ATTEMPT: Final[Path] = ("attempt",)
Fields = tuple[int, int | None, int, int, int, int | None, int | None]
_FIELDS: Final = ("cpus", "memory", "gpus", "nodes", "tasks", "time", "disk")


class Request(Node):
    """What one attempt asks for, rounded: bytes and seconds."""

    cpus: int
    memory: int | None
    gpus: int
    nodes: int
    tasks: int
    time: int | None
    disk: int | None
    options: Mapping[str, Mapping[str, Value]]

    def json(self) -> dict[str, Value]:
        found = {name: cast("Value", getattr(self, name)) for name in _FIELDS}
        return {**found, "options": {name: dict(options) for name, options in self.options.items()}}


Requests = tuple[Request, ...]
"""By attempt, the last one for all later attempts."""


def packed(requests: Requests, runs: int, side_by_side: bool) -> Requests:
    """Give what a task asks for that has so many runs: as long as all of them, or as much as all of them."""
    return tuple(_packed(request, runs, side_by_side) for request in requests)


def _packed(request: Request, runs: int, side_by_side: bool) -> Request:
    if not side_by_side:
        return request.replace(time=None if request.time is None else request.time * runs)
    memory = None if request.memory is None else request.memory * runs
    return request.replace(cpus=request.cpus * runs, memory=memory, gpus=request.gpus * runs)


class Classes:
    """The resource classes of a plan, each once."""

    def __init__(self) -> None:
        self.all: list[Requests] = []
        self._known: dict[str, int] = {}

    def number(self, requests: Requests) -> int:
        text = json.dumps([request.json() for request in requests])
        if text not in self._known:
            self._known[text] = len(self.all)
            self.all.append(requests)
        return self._known[text]


def classify(
    resources: Resources,
    table: Table,
    retries: int,
    labels: Container[Path],
    classes: Classes,
    report: Callable[[EvaluationError, Sequence[Path], Sequence[Cell]], None],
) -> Sequence[int] | int:
    """Give the class of each row, or the one of all. Evaluated once for each combination of the keys it depends on;
    what goes wrong is given to *report* with the keys and values at which it did."""
    asked = _Asked(resources, table, labels)
    attempts = max(retries + 1, ATTEMPTS) if asked.by_attempt else 1
    found = distinct(table, asked.keys)
    numbers: dict[int, int] = {}
    for number, cells in found.cells.items():
        try:
            numbers[number] = classes.number(asked.requests(cells, attempts))
        except EvaluationError as error:
            report(error, asked.keys, cells)
            return 0
    if found.codes is None or len(set(numbers.values())) == 1:
        return next(iter(numbers.values()), 0)
    return list(map(numbers.__getitem__, found.codes))


class _Asked:
    """The fields and options of a resources block, ready to be called."""

    def __init__(self, resources: Resources, table: Table, labels: Container[Path]) -> None:
        self.fields = {name: self._call(getattr(resources, name), table, labels) for name in _FIELDS}
        self.options = {
            scheduler: {name: self._call(value, table, labels) for name, value in options.items()}
            for scheduler, options in resources.options.items()
        }
        calls = [*self.fields.values(), *(call for options in self.options.values() for call in options.values())]
        named = dict.fromkeys(key for call in calls if isinstance(call, Call) for key in call.keys)
        self.by_attempt = _ATTEMPT in named
        self.keys = tuple(key for key in named if key != _ATTEMPT)

    @staticmethod
    def _call(value: Value | Code, table: Table, labels: Container[Path]) -> Value | Call:
        return Call(value, table, labels, (_ATTEMPT,)) if isinstance(value, Code) else value

    def requests(self, cells: Sequence[Cell], attempts: int) -> Requests:
        values = dict(zip(self.keys, cells, strict=True))
        found = [self._request({**values, _ATTEMPT: attempt}) for attempt in range(1, attempts + 1)]
        while len(found) > 1 and found[-1] == found[-2]:
            found.pop()
        return tuple(found)

    def _request(self, values: Mapping[Path, Cell]) -> Request:
        def value(given: Value | Call) -> Value:
            return given.value([values[key] for key in given.keys]) if isinstance(given, Call) else given

        fields = {name: value(call) for name, call in self.fields.items()}
        options = {
            scheduler: {name: value(call) for name, call in options.items()}
            for scheduler, options in self.options.items()
        }
        fields["time"] = _rounded(fields["time"], MINUTE)
        fields["memory"] = _rounded(fields["memory"], CHUNK)
        return Request(*cast("Fields", tuple(fields[name] for name in _FIELDS)), options)


def _rounded(value: Value, step: int) -> int | None:
    return None if value is None else math.ceil(cast("float", value) / step) * step
