"""Who tells people how it goes: the protocol, the one that is silent, and the closing words that all share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TextIO

from .outcome import Failure, Outcome

# How each state is counted in a sentence, in this order.
STATES = ("done", "failed", "timeout", "oom", "killed", "lost", "cancelled", "skipped", "held", "planned")


class Reporter(Protocol):
    """Called by the executor as things happen; *interval* is how often it wants a ``tick`` (None: never)."""

    interval: float | None

    def begin(self, totals: Mapping[str, int], at_a_time: int) -> None: ...
    def started(self, experiment: str) -> None: ...
    def ended(self, experiment: str, state: str, failure: Failure | None, again: bool) -> None: ...
    def set_aside(self, experiment: str, state: str, by: int = 1) -> None: ...
    def say(self, text: str) -> None: ...
    def tick(self) -> None: ...
    def finish(self, outcome: Outcome, seconds: float) -> None: ...


class Silent:
    """Says nothing: for `--json`, and for callers that read the outcome."""

    interval: float | None = None

    def begin(self, totals: Mapping[str, int], at_a_time: int) -> None:
        pass

    def started(self, experiment: str) -> None:
        pass

    def ended(self, experiment: str, state: str, failure: Failure | None, again: bool) -> None:
        pass

    def set_aside(self, experiment: str, state: str, by: int = 1) -> None:
        pass

    def say(self, text: str) -> None:
        pass

    def tick(self) -> None:
        pass

    def finish(self, outcome: Outcome, seconds: float) -> None:
        pass


def reporter_for(stream: TextIO, *, silent: bool = False, advice: bool = True) -> Reporter:
    """Choose by where the words go: a bar for a terminal, lines for a pipe or a file. Without *advice* they don't say
    what to do next, which is so of a submit alone."""
    if silent:
        return Silent()
    if stream.isatty():
        from .bar import Bar

        return Bar(stream, advice=advice)
    from .lines import Lines

    return Lines(stream, advice=advice)


def sentence(outcome: Outcome, seconds: float, *, advice: bool = True) -> list[str]:
    """Give the closing lines: what became of the runs, then (as *advice*) what to do next."""
    from .progress import about

    parts = [f"{count:,} {state}" for state in STATES if (count := outcome.total(state))]
    lines = [f"{', '.join(parts) or 'Nothing to run'} in {about(seconds)}." if parts else "Nothing to run."]
    if outcome.signal is not None:
        lines[0] = "Stopped: " + lines[0]
    if not advice:
        return lines
    if outcome.signal is not None:
        lines.append("`xpc submit` goes on from here.")
    elif failures := sum(outcome.total(state) for state in ("failed", "timeout", "oom")):
        them = "it" if failures == 1 else "them"
        lines.append(f"`xpc status` groups the failures; `xpc retry` runs {them} again.")
    return lines
