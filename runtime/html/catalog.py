"""A view to the runs of the page, column by column: a number for each run, and what its tables show of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from ...grammar.screen import visible
from ..cell_text import plain, prefix_length
from ..query.lookup import Config, Field, Metric
from ..query.planned import Value
from ..query.view import Runs, View
from ..states import STATES

LONGEST: Final = 200  # characters of a value
KEYS: Final = 60  # columns of keys that differ
METRICS: Final = 50  # columns of metrics


@dataclass(frozen=True, slots=True)
class ExperimentRuns:
    """The runs of one experiment. Run *i* of its columns has the number *first* + *i* in the page.

    *past* says from which place on the runs are those that the study no longer asks for. *shown* is what the page's
    script gets: columns of texts as pools and codes, of numbers as numbers, times in seconds since the epoch.
    """

    name: str
    first: int
    past: int
    ids: Sequence[str]
    states: Sequence[str]
    snapshots: Sequence[str | None]
    shown: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Catalog:
    """All runs of the page. *numbers* are by id; *digits* is how many of an id's digits tell the runs apart."""

    experiments: tuple[ExperimentRuns, ...]
    numbers: Mapping[str, int]
    digits: int

    def __len__(self) -> int:
        return sum(len(experiment.ids) for experiment in self.experiments)

    def locate(self, number: int) -> tuple[ExperimentRuns, int]:
        """Give the experiment of the run with that number, and its place there."""
        for experiment in self.experiments:
            if number < experiment.first + len(experiment.ids):
                return experiment, number - experiment.first
        raise IndexError(number)

    def attempt(self, number: int) -> int | None:
        """Give the last attempt of the run with that number; nothing if it never began."""
        experiment, place = self.locate(number)
        attempt: int | None = experiment.shown["attempt"][place]
        return attempt

    def config(self, experiment: ExperimentRuns, place: int) -> dict[str, str]:
        """Give what the page's columns tell of the config of a run."""
        shown = experiment.shown
        own = {column["name"]: column["pool"][column["codes"][place]] for column in shown["keys"]}
        return {name: text for name, text in own.items() if text} | dict(shown["constants"])

    @property
    def newest(self) -> int | None:
        """When the newest record was written, in seconds since the epoch."""
        times = (time for experiment in self.experiments for time in _times(experiment.shown))
        return max((time for time in times if time is not None), default=None)


def _times(shown: Mapping[str, Any]) -> Iterable[int | None]:
    yield from shown["started"]
    yield from shown["ended"]


def catalog(view: View, cited: Iterable[str] = ()) -> Catalog:
    """Number the runs of the study, and those past ones among *cited*, the ids that the page's tables name."""
    planned = {id for name in view.experiments() for id in view.ids(name)}
    past = not planned.issuperset(cited)
    found: list[ExperimentRuns] = []
    first = 0
    for name in view.experiments(past=past):
        runs = _experiment(view, name, first, past=past)
        found.append(runs)
        first += len(runs.ids)
    numbers = {id: runs.first + place for runs in found for place, id in enumerate(runs.ids)}
    return Catalog(tuple(found), numbers, prefix_length(list(numbers)))


def _experiment(view: View, name: str, first: int, *, past: bool) -> ExperimentRuns:
    runs = Runs(view, [name], past=past)
    ids = [str(id) for id in runs.column(Field("id"))]
    states = [str(state) for state in runs.column(Field("status"))]
    keys = {key: runs.column(Config(key)) for key in _keys(view, name, past=past)}
    differing, constants = _part(keys)
    directions = view.directions(name)
    metrics = view.metrics(name)
    snapshots = runs.column(Field("snapshot"))
    shown = {
        "name": visible(name),
        "first": first,
        "past": len(view.ids(name)),
        "ids": ids,
        "states": [STATES.index(state) for state in states],
        "order": [visible(key) for key in keys],
        "keys": [{"name": visible(key), **pooled(column)} for key, column in list(differing.items())[:KEYS]],
        "constants": [[visible(key), shorten(value)] for key, value in constants.items()],
        "metrics": [
            {
                "name": visible(metric),
                "direction": directions.get(metric),
                "values": [number(value) for value in runs.column(Metric(metric, "last"))],
            }
            for metric in metrics[:METRICS]
        ],
        "more": {"keys": max(0, len(differing) - KEYS), "metrics": max(0, len(metrics) - METRICS)},
        "attempt": runs.column(Field("attempt")),
        "started": [seconds(time) for time in runs.column(Field("started"))],
        "ended": [seconds(time) for time in runs.column(Field("ended"))],
        "duration": [number(value) for value in runs.column(Field("duration"))],
        "host": pooled(runs.column(Field("host"))),
        "snapshot": pooled(snapshots),
        "code": pooled(runs.column(Field("code"))),
        "witness": pooled(runs.column(Field("witness"))),
    }
    return ExperimentRuns(name, first, len(view.ids(name)), ids, states, snapshots, shown)


def _keys(view: View, name: str, *, past: bool) -> list[str]:
    gone = [key for values in view.past(name).values() for key in values] if past else []
    return list(dict.fromkeys((*view.keys(name), *gone)))


def _part(keys: Mapping[str, Sequence[Value]]) -> tuple[dict[str, Sequence[Value]], dict[str, Value]]:
    """Part keys into those that differ between the runs and those that are the same in all."""
    differing: dict[str, Sequence[Value]] = {}
    constants: dict[str, Value] = {}
    for key, column in keys.items():
        texts = {_text_key(value) for value in column}
        if len(texts) > 1:
            differing[key] = column
        elif column:
            constants[key] = column[0]
    return differing, constants


def _text_key(value: Value) -> tuple[type, str]:
    return type(value), repr(value)


# ------------------------------------------------------------------ values for the script


def pooled(column: Sequence[Value]) -> dict[str, Any]:
    """Give a column as a pool of texts and a code a row; *order* ranks the pool, numbers by size and before texts."""
    pool: dict[tuple[type, str], int] = {}
    values: list[Value] = []
    codes: list[int] = []
    for value in column:
        key = _text_key(value)
        if key not in pool:
            pool[key] = len(values)
            values.append(value)
        codes.append(pool[key])
    ranks = [0] * len(values)
    for rank, at in enumerate(sorted(range(len(values)), key=lambda at: _sort_key(values[at]))):
        ranks[at] = rank
    numeric = all(value is None or _is_number(value) for value in values) and any(map(_is_number, values))
    texts = ["" if value is None else shorten(value) for value in values]
    return {"pool": texts, "codes": codes, "order": ranks, "numeric": numeric}


def shorten(value: Value) -> str:
    text = plain(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _is_number(value: Value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _sort_key(value: Value) -> tuple[int, float, str]:
    """Rank numbers before texts, and no value last."""
    if value is None:
        return 2, 0.0, ""
    if not _is_number(value) or value != value:
        return 1, 0.0, plain(value)
    try:
        return 0, float(value), ""
    except OverflowError:
        return 0, math.inf if value > 0 else -math.inf, ""


def number(value: Value) -> float | int | str | None:
    """Give a number as JSON has it; infinities, which it lacks, as texts."""
    if not _is_number(value) or value != value:
        return None
    if isinstance(value, float) and math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return float(f"{value:.12g}") if isinstance(value, float) else value


def seconds(time: Value) -> int | None:
    """Give an ISO time in whole seconds since the epoch; nothing if it is none."""
    if not isinstance(time, str):
        return None
    try:
        found = datetime.fromisoformat(time)
        return math.floor((found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None
