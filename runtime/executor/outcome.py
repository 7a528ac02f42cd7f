"""What became of the runs that were given to the executor."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt that did not end well. *log* is relative to the project; *said* is its last line on stderr."""

    run: str
    experiment: str
    attempt: int
    state: str
    reason: str
    said: str
    log: str

    @property
    def why(self) -> str:
        """Give one line for people: what the program said, or else what is known of its end."""
        return self.said or self.reason


@dataclass(slots=True)
class Outcome:
    """Counts by experiment and state: `done failed killed timeout oom cancelled skipped held planned`.

    *held* runs belong to a live program that this executor did not start; *planned* ones were never started because
    the user stopped, or because a parent is still to be run. *signal* is the signal that stopped everything; *refused*
    says why records could not be written.
    """

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    signal: int | None = None
    refused: str | None = None

    def count(self, experiment: str, state: str, by: int = 1) -> None:
        self.counts.setdefault(experiment, Counter())[state] += by

    def total(self, state: str) -> int:
        return sum(counts[state] for counts in self.counts.values())

    @property
    def status(self) -> int:
        """Give the exit status: 0 all is done, 128 + signal when stopped, 3 when the system refused, else 1."""
        if self.signal is not None:
            return 128 + self.signal
        if self.refused is not None:
            return 3
        not_done = sum(sum(counts.values()) for counts in self.counts.values()) - self.total("done")
        return 1 if not_done else 0
