"""Progress for a pipe or a file: a line at the start, a line a failure, and the closing words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TextIO

from .outcome import Failure, Outcome
from .reporter import Silent, sentence


class Lines(Silent):
    """Writes whole lines and nothing else, each at once."""

    def __init__(self, stream: TextIO, *, advice: bool = True) -> None:
        self._advice = advice
        self._stream = stream

    def begin(self, totals: Mapping[str, int], at_a_time: int) -> None:
        each = ", ".join(f"{name} {total:,}" for name, total in totals.items())
        runs = sum(totals.values())
        self.say(f"{runs:,} run{'s' * (runs != 1)} to do ({each}), {at_a_time} at a time.")

    def ended(self, experiment: str, state: str, failure: Failure | None, again: bool) -> None:
        if failure is not None:
            self.say(f"{failure_line(failure)}{'   tried again' if again else ''}")

    def say(self, text: str) -> None:
        self._stream.write(text + "\n")
        self._stream.flush()

    def finish(self, outcome: Outcome, seconds: float) -> None:
        for line in sentence(outcome, seconds, advice=self._advice):
            self.say(line)


def failure_line(failure: Failure, width: int | None = None) -> str:
    """Give `failed 91bc07e  what it said   where its log is`; only the middle is cut to fit *width* columns."""
    head, tail = f"{failure.state} {failure.run[:7]}  ", f"   {failure.log}"
    why = failure.why
    if width is not None and len(head) + len(why) + len(tail) > width:
        room = max(20, width - len(head) - len(tail))
        why = why if len(why) <= room else why[: room - 1].rstrip() + "…"
    return head + why + tail
