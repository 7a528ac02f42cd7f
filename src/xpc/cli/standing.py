"""How the runs of a study stand: the state of each, from the project's records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import click

from xpc.compiler.kinship import PastRun
from xpc.compiler.table import Table
from xpc.runtime.states import State
from xpc.runtime.store import Store

from .options import RESCAN


class Standings:
    """The runs of a project that have a folder or are queued; all others are planned."""

    def __init__(self, project: Path) -> None:
        context = click.get_current_context(silent=True)
        self.store = Store(project, rescan=context is not None and bool(context.meta.get(RESCAN)))
        self._fingerprints: dict[str, dict[str, Any]] = {}

    @cached_property
    def _known(self) -> dict[str, frozenset[str]]:
        return {experiment: frozenset(self.store.ids(experiment)) for experiment in self.store.experiments()}

    def any(self, experiment: str) -> bool:
        """Tell whether a run of the experiment has begun, or was sent to a cluster at all."""
        return bool(self._known.get(experiment)) or experiment in self._sent

    @cached_property
    def _sent(self) -> frozenset[str]:
        """The experiments of which a cluster holds runs, begun or not."""
        return frozenset(name for name, _ in self.store.clusters.held)

    def state(self, experiment: str, run: str) -> State:
        return self.store.state(experiment, run)

    def is_stale(self, experiment: str, run: str, fingerprint: Mapping[str, str]) -> bool:
        """Tell whether a run's last attempt had another fingerprint."""
        if experiment not in self._fingerprints:
            self._fingerprints[experiment] = self.store.fingerprints(experiment)
        known = self._fingerprints[experiment]
        return run in known and known[run] != fingerprint

    def past(self, tables: Mapping[str, Table]) -> Iterator[tuple[str, list[PastRun]]]:
        """Give, by experiment, the done runs that the study does not describe any more."""
        for experiment, table in tables.items():
            gone = self._known.get(experiment, frozenset()) - set(table.ids()) if self.any(experiment) else ()
            claimed = self.store.claimed(experiment) if gone else {}
            found = [
                PastRun(run, frozenset(claimed[run]))
                for run in sorted(gone)
                if run in claimed and self.state(experiment, run) == "done"
            ]
            if found:
                yield experiment, found
