"""A run's folder to its series: what it logged, and what the Experimentfile says to find in its files and output."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final, Literal, Protocol

from .metric_files import read_file, read_json_lines
from .metric_patterns import search
from .names import split_key

Direction = Literal["minimize", "maximize"]
NUMBERS: Final = {int, float}


@dataclass(frozen=True, slots=True)
class Metric:
    """One declared metric. *source*: stdout, stderr, a file's path in the working directory, or none (it is logged)."""

    name: str
    direction: Direction | None = None
    source: str | None = None
    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class Declarations:
    """What an experiment says of its metrics. *home* is the working directory's place inside files/ (`` or `lab/a`)."""

    metrics: tuple[Metric, ...] = ()
    files: tuple[str, ...] = ()
    home: str = ""

    @property
    def digest(self) -> str:
        """Tell declarations apart that could give other series."""
        sources = [(m.name, m.source, m.pattern) for m in self.metrics if m.source is not None]
        return blake2b(repr((sources, self.files, self.home)).encode(), digest_size=8).hexdigest()


class DeclaredMetric(Protocol):
    """What the compiled study says of a metric."""

    @property
    def path(self) -> tuple[str, ...]: ...
    @property
    def direction(self) -> Direction | None: ...
    @property
    def source(self) -> str | None: ...
    @property
    def pattern(self) -> str | None: ...


class DeclaringExperiment(Protocol):
    """What the compiled study says of an experiment's metrics."""

    @property
    def metrics(self) -> Sequence[DeclaredMetric]: ...
    @property
    def metrics_files(self) -> Sequence[str]: ...


def declarations_of(experiment: DeclaringExperiment, home: str = "") -> Declarations:
    """Take the declarations out of an experiment of the study as it stands now."""
    metrics = (Metric(".".join(m.path), m.direction, m.source, m.pattern) for m in experiment.metrics)
    return Declarations(tuple(metrics), tuple(experiment.metrics_files), home)


def planned_declarations(plan: Mapping[str, Any], experiment: str) -> Declarations:
    """Take the declarations out of ``plan.json``; empty if it knows no such experiment."""
    found = plan.get("experiments", {}).get(experiment)
    if not isinstance(found, dict):
        return Declarations()
    metrics = tuple(
        Metric(".".join(split_key(m["name"])), m["direction"], m["source"], m["pattern"]) for m in found["metrics"]
    )
    return Declarations(metrics, tuple(found["metrics_files"]), plan["snapshot"]["prefix"])


@dataclass(slots=True)
class Series:
    """The values of a metric, in order, and the step of each. NaN stays NaN here; who reduces leaves it out."""

    steps: array[float] = field(default_factory=lambda: array("d"))
    values: array[float] = field(default_factory=lambda: array("d"))

    def add(self, step: float | None, value: float) -> None:
        """Append a value; without a step it is its place in the series, from 0."""
        self.steps.append(float(len(self.values)) if step is None else step)
        self.values.append(value)


def read_metrics(folder: str, attempt: int, declared: Declarations) -> dict[str, Series]:
    """Give all series of the last attempt of the run in *folder*; what can't be read is not there, and no error."""
    found: dict[str, Series] = {}
    home = f"{folder}/files/{declared.home}" if declared.home else f"{folder}/files"
    collect(found, read_json_lines(numbered(folder, "metrics", ".jsonl", attempt)))
    for name in declared.files:
        collect(found, read_file(f"{home}/{name}"))
    for path, metrics in _by_source(declared.metrics, folder, home, attempt):
        for name in metrics:
            found.pop(name, None)
        for name, value in search(path, metrics):
            found.setdefault(name, Series()).add(None, value)
    return found


def collect(found: dict[str, Series], blocks: Iterable[Sequence[Mapping[str, object]]]) -> None:
    """Add the numbers of each line to their series. Names of xpc's own, times and what is no number are passed over."""
    for lines in blocks:
        names = lines[0].keys()
        if all(line.keys() == names for line in lines):
            _add_columns(found, lines)
        else:
            _add_lines(found, lines)


def _add_columns(found: dict[str, Series], lines: Sequence[Mapping[str, object]]) -> None:
    """Add lines that all have the same names, column by column; which is how a program that logs in a loop logs."""
    columns = {name: [line[name] for line in lines] for name in lines[0] if _is_metric(name) or name == "step"}
    steps = columns.pop("step", None)
    plain = all(set(map(type, column)) <= NUMBERS for column in columns.values())
    if not plain or (steps is not None and not set(map(type, steps)) <= NUMBERS):
        _add_lines(found, lines)
        return
    for name, column in columns.items():
        series = found.setdefault(name, Series())
        before = len(series.values)
        try:
            series.values.extend(column)  # type: ignore[arg-type]  # numbers, as just seen
            series.steps.extend(range(before, before + len(column)) if steps is None else steps)  # type: ignore[arg-type]
        except OverflowError:  # an integer that no float holds
            del series.values[before:], series.steps[before:]
            _add_lines({name: series}, [{"step": line.get("step"), name: line[name]} for line in lines])


def _add_lines(found: dict[str, Series], lines: Sequence[Mapping[str, object]]) -> None:
    for line in lines:
        step = to_number(line.get("step"))
        for name, value in line.items():
            number = to_number(value) if _is_metric(name) else None
            if number is not None:
                found.setdefault(name, Series()).add(step, number)


def _is_metric(name: str) -> bool:
    return name not in ("step", "time") and not name.startswith("xpc.")


def to_number(value: object) -> float | None:
    """Give a logged value as a number. Texts that JSON has no number for (`NaN`, `Infinity`) are numbers too."""
    if type(value) is float:
        return value
    if type(value) is int:
        try:
            return float(value)
        except OverflowError:
            return None
    if type(value) is str and value.lower().lstrip("+-") in ("nan", "inf", "infinity"):
        return float(value)
    return None


def numbered(folder: str, stem: str, suffix: str, attempt: int) -> str:
    """Give the path of an attempt's file: `stdout.log`, then `stdout.2.log`."""
    return f"{folder}/{stem}{suffix}" if attempt == 1 else f"{folder}/{stem}.{attempt}{suffix}"


def _by_source(metrics: Iterable[Metric], folder: str, home: str, attempt: int) -> Iterator[tuple[str, dict[str, str]]]:
    """Give each file to search once, with the patterns of the metrics that are found in it."""
    sources: dict[str, dict[str, str]] = {}
    for metric in metrics:
        if metric.source is not None and metric.pattern is not None:
            sources.setdefault(metric.source, {})[metric.name] = metric.pattern
    for source, patterns in sources.items():
        own = source in ("stdout", "stderr")
        yield numbered(folder, source, ".log", attempt) if own else os.path.join(home, source), patterns
