"""The metrics of two runs to what of them is equal: each last value, and the whole series."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from .metrics import Series

EXACT: Final = 0.0


@dataclass(frozen=True, slots=True)
class MetricPair:
    """One metric of an original and its reproduction. *before* and *after* are the last values, *lengths* how many
    values there are; *differing* of them differ by more than allowed, the first at *step*, by *most* at most."""

    name: str
    before: float | None
    after: float | None
    lengths: tuple[int, int]
    differing: int
    step: float | None
    most: float | None
    same_bits: bool

    @property
    def equal(self) -> bool:
        return not self.differing and self.lengths[0] == self.lengths[1]

    def record(self) -> dict[str, Any]:
        return {
            "equal": self.equal,
            "exact": self.same_bits,
            "a": _json(self.before),
            "b": _json(self.after),
            "values": list(self.lengths),
            "differing": self.differing,
            "step": self.step,
            "most": _json(self.most),
        }


def _json(value: float | None) -> float | str | None:
    return value if value is None or math.isfinite(value) else str(value)


def close(one: float, other: float, tolerance: float) -> bool:
    """Tell whether two numbers are the same: to the bit, or as ``math.isclose`` says with *tolerance* as both its
    relative and its absolute one. Of what is no number each is like the others."""
    if one == other or (math.isnan(one) and math.isnan(other)):
        return True
    return tolerance > 0 and math.isclose(one, other, rel_tol=tolerance, abs_tol=tolerance)


def chosen(names: Iterable[str], patterns: Sequence[str]) -> list[str]:
    """Give the names that *patterns* choose (none: all), in order; one that begins with `!` takes out again."""
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")]
    unwanted = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    found = [name for name in names if not wanted or any(fnmatchcase(name, pattern) for pattern in wanted)]
    return [name for name in found if not any(fnmatchcase(name, pattern) for pattern in unwanted)]


def compare_metrics(
    before: Mapping[str, Series], after: Mapping[str, Series], patterns: Sequence[str], tolerance: float
) -> list[MetricPair]:
    """Compare the series of two runs, those of one of them alone included."""
    names = chosen(sorted({*before, *after}), patterns)
    return [_pair(name, before.get(name) or Series(), after.get(name) or Series(), tolerance) for name in names]


def _pair(name: str, one: Series, other: Series, tolerance: float) -> MetricPair:
    differing, step, most = 0, None, None
    for a, b, at, at_too in zip(one.values, other.values, one.steps, other.steps, strict=False):
        far = 0.0 if a == b else abs(a - b)
        most = far if most is None or far > most or math.isnan(far) else most
        if not close(a, b, tolerance) or not close(at, at_too, EXACT):
            differing += 1
            step = at if step is None else step
    lengths = (len(one.values), len(other.values))
    same = one.values.tobytes() == other.values.tobytes() and one.steps.tobytes() == other.steps.tobytes()
    return MetricPair(name, _last(one), _last(other), lengths, differing, step, most, same)


def _last(series: Series) -> float | None:
    return series.values[-1] if series.values else None
