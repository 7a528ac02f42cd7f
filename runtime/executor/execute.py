"""The way in: the rows of a build to what became of them."""

from __future__ import annotations

from collections.abc import Sequence

from ..shim.place import Place
from .limits import Limits
from .loop import Loop, Rules
from .outcome import Outcome
from .reporter import Reporter


def execute(place: Place, rows: Sequence[int], limits: Limits, reporter: Reporter, rules: Rules) -> Outcome:
    """Run *rows* of the place's build, parents first, as many at once as *limits* and *rules* allow.

    For a process of its own, in its main thread: it takes over the signals that stop it, and reaps every child.
    """
    return Loop(place, rows, limits, reporter, rules).run()
