"""Submits a build to this machine: under the project's lock, what is not done is selected, noted, and executed."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from ...grammar.diagnostic import Diagnostics
from ..executor import Limits, Outcome, Reporter, Rules, execute, find_limits, narrowed
from ..executor.work import Work
from ..half_written import sweep_halves
from ..here import Here
from ..lock import Held, take_lock
from ..retry import Retry, choose_again
from ..selection import Selection, select
from ..shim.build_folder import Build, BuildError
from ..shim.place import Place
from ..shim.workdir import WorkdirError
from ..standing import standing_of
from ..submissions import SubmissionWriter
from .elsewhere import on_clusters
from .opening import hide, require_secrets, require_writable, reraise_denied, tell_held, watching


@dataclass(frozen=True, slots=True)
class Submitted:
    """What a submit did: which runs it sent or left, and how those that it sent ended."""

    selection: Selection
    outcome: Outcome

    @property
    def status(self) -> int:
        """Give the exit status: the outcome's, and 1 where what was asked for is not done and was left alone."""
        left = self.selection.faults or self.selection.broken or self.selection.blocked
        return self.outcome.status or (1 if left else 0)


def submit(
    project: Path,
    build: Path,
    rows: Sequence[int],
    diagnostics: Diagnostics,
    *,
    reporter: Reporter,
    rules: Rules | None = None,
    retry: Retry | None = None,
    prepare: Callable[[], bool] = lambda: True,
    before: Callable[[Selection], object] = lambda _: None,
    environ: Mapping[str, str] = os.environ,
) -> Submitted | None:
    """Run those of *rows* that a submit (or a *retry*) sends, and wait for them.

    *prepare* is called with the lock held, before anything is selected; it says whether to go on. *before* is told the
    selection before anything starts. What stops it is in *diagnostics*, and nothing was done then.
    """
    lock = take_lock(project, watching=lambda owner: reporter.say(watching(owner)))
    if isinstance(lock, Held):
        tell_held(lock, diagnostics)
        return None
    with lock:
        sweep_halves(project)
        try:
            opened = Build(str(build))
            place = Place(str(project), opened, environ)
        except (BuildError, WorkdirError) as error:
            reraise_denied(error)
            diagnostics.error("XS003", None, str(error), help="`xpc build` makes it again")
            return None
        with closing(opened):
            if not prepare():
                return None
            limits = narrowed(find_limits(environ), opened.plan["target"]["options"])
            busy = on_clusters(project)
            rows, taken = _apart(place, rows, busy) if busy else (rows, [])
            selection = choose_again(place, rows, limits, retry, diagnostics) if retry else choose(place, rows, limits)
            if selection is None:
                return None
            selection.busy = sorted([*selection.busy, *taken])
            runs = list(_runs(place, selection.send))
            if not require_secrets(opened.plan, dict.fromkeys(name for name, _ in runs), environ, diagnostics):
                return None
            require_writable(project, runs)
            before(selection)
            rules = replace(rules or Rules(), keep=lock.touch)
            return Submitted(selection, _execute(project, place, selection.send, limits, reporter, rules))


def _execute(
    project: Path, place: Place, rows: Sequence[int], limits: Limits, reporter: Reporter, rules: Rules
) -> Outcome:
    if not rows:
        return Outcome()
    for folder in (project / ".xpc", project / "runs"):
        hide(folder)
    target = place.build.plan["target"]
    written = SubmissionWriter(project, place.build.id, target["name"], target["kind"])
    work = Work(place, rows, limits)
    for experiment in work.totals():
        written.runs(experiment, [row for row in rows if work.experiment(row) == experiment])
    outcome = execute(place, rows, limits, reporter, rules)
    written.end()
    return outcome


def _runs(place: Place, rows: Iterable[int]) -> Iterator[tuple[str, str]]:
    """Give the experiments and ids of rows."""
    for row in rows:
        run = place.build.run(row)
        yield run.experiment, run.id


def _apart(place: Place, rows: Iterable[int], busy: Container[tuple[str, str]]) -> tuple[list[int], list[int]]:
    """Part the rows whose runs a cluster has just now from the others, which come first."""
    found: tuple[list[int], list[int]] = ([], [])
    for row in rows:
        run = place.build.run(row)
        found[(run.experiment, run.id) in busy].append(row)
    return found


def choose(place: Place, rows: Iterable[int], limits: Limits) -> Selection:
    """Read the records of *rows* and share them out; a run whose parent will not be done is blocked."""
    here = Here()
    selection = select(standing_of(place, row, here) for row in sorted(rows))
    blocked = Work(place, selection.send, limits).blocked()
    selection.blocked = sorted(blocked)
    selection.send = [row for row in selection.send if row not in blocked]
    return selection
