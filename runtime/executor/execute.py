"""The way in: the rows of a build folder to what became of them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..shim.attempt import Place
from ..shim.build_folder import Build
from .limits import Limits, find_limits
from .loop import Loop, Rules
from .outcome import Outcome
from .reporter import Reporter, Silent


def execute(
    project: Path,
    build: Path,
    rows: Sequence[int],
    *,
    limits: Limits | None = None,
    reporter: Reporter | None = None,
    rules: Rules | None = None,
    environ: Mapping[str, str] | None = None,
) -> Outcome:
    """Run *rows* of the build in the folder *build*, parents first, as many at once as *limits* have room for.

    For a process of its own, in its main thread: it takes over the signals that stop it, and reaps every child.
    Raises `BuildError` and `WorkdirError` when build or snapshot can't be read.
    """
    environ = os.environ if environ is None else environ
    place = Place(str(project), Build(str(build)), environ)
    limits = find_limits(environ) if limits is None else limits
    return Loop(place, rows, limits, reporter or Silent(), rules or Rules()).run()
