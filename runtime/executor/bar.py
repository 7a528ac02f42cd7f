"""Progress on a terminal: a live bar an experiment, and each failure above them as it comes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from .lines import failure_line
from .outcome import Failure, Outcome
from .progress import Progress, Share, about
from .reporter import sentence

WIDTH = 30  # of a bar, in columns


class Bar:
    """Draws ten times a second at most, from the executor's own thread."""

    interval: float | None = 0.1

    def __init__(self, stream: TextIO, *, advice: bool = True) -> None:
        self._advice = advice
        self._console = Console(file=stream, highlight=False)
        self._progress = Progress({})
        self._live: Live | None = None

    def begin(self, totals: Mapping[str, int], at_a_time: int) -> None:
        self._progress = Progress(totals)
        self._live = Live(self._table(), console=self._console, auto_refresh=False, redirect_stderr=False)
        self._live.start(refresh=True)

    def started(self, experiment: str) -> None:
        self._progress.started(experiment, time.monotonic())

    def ended(self, experiment: str, state: str, failure: Failure | None, again: bool) -> None:
        self._progress.ended(experiment, state, again)
        if failure is not None:
            indent = self._indent()
            line = failure_line(failure, self._console.width - indent - 14 * again)
            self.say(" " * indent + line + ("   tried again" if again else ""))

    def set_aside(self, experiment: str, state: str, by: int = 1) -> None:
        self._progress.set_aside(experiment, state, by)

    def say(self, text: str) -> None:
        # As Text, never as markup: a log's `[/bold]` is no markup. Long lines wrap softly, so that paths can be copied.
        self._console.print(Text(text), soft_wrap=True)

    def tick(self) -> None:
        if self._live is not None:
            self._live.update(self._table(), refresh=True)

    def finish(self, outcome: Outcome, seconds: float) -> None:
        if self._live is not None:
            self.tick()
            self._live.stop()
            self._live = None
        for line in sentence(outcome, seconds, advice=self._advice):
            self.say(line)

    def _indent(self) -> int:
        return max(map(len, self._progress.shares), default=0) + 2

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True)
        table.add_column(width=WIDTH)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(no_wrap=True, overflow="ellipsis")
        now = time.monotonic()
        for experiment, share in self._progress.shares.items():
            bar = ProgressBar(total=max(1, share.total), completed=share.over, width=WIDTH)
            table.add_row(experiment, bar, f"{share.over:,}/{share.total:,}", Text(notes(share, now)))
        return table


def notes(share: Share, now: float) -> str:
    """Give the words beside a bar: `8 running   2 failed   about 3 min`."""
    words = [f"{share.running:,} running"] if share.running else []
    if share.failed:
        words.append(f"{share.failed:,} failed")
    words += [f"{share.ended[state]:,} {state}" for state in ("skipped", "cancelled") if share.ended[state]]
    left = share.left(now)
    if left is not None:
        words.append(f"about {about(left)}")
    return "   ".join(words)
