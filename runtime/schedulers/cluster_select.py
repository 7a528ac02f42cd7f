"""The rows of a build to those that a submit to a cluster sends, and the jobs that hold others: from all records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ...grammar.diagnostic import Diagnostics
from ..build_rows import Rows
from ..cluster_states import Held
from ..records import RunRecord
from ..retry import WAITING, Retry, free_broken, release, who_began
from ..selection import FAULTS, Selection, Standing, select
from ..shim.build_folder import Build
from ..standing import would_end_alike
from ..states import State
from ..store import Store
from .cluster_plan import Flight

BUSY = ("queued", "running")
KILLED = ("cancelled", "timeout", "oom", "killed")  # without an end line: by the scheduler, on a node that it still has


@dataclass(slots=True)
class Chosen:
    """What a submit does with rows. *flights*: the jobs of rows that are queued or run. *withdraw*: queued jobs of what
    comes after a run that is tried again, which have to be cancelled first; their rows are sent again. *flying*: all
    jobs that are queued or run. *leave*: rows that are not run along where they share a task with one that is sent."""

    selection: Selection
    flights: dict[int, Flight]
    withdraw: list[Held] = field(default_factory=list)
    flying: list[Held] = field(default_factory=list)
    leave: frozenset[int] = frozenset()


class Chooser:
    """Knows the states of all rows of a build, whatever build or target they were last sent with."""

    def __init__(self, build: Build, rows: Rows, store: Store, kind: str) -> None:
        self._build = build
        self._rows = rows
        self._store = store
        self.states: list[State] = ["planned"] * rows.count
        for name in rows.experiments:
            of = rows.of(name)
            self.states[of.start : of.stop] = store.states(name, rows.ids[of.start : of.stop])
        self.jobs: dict[int, Held] = {}
        self._flying: list[Held] = []
        for (name, id), held in store.clusters.at_last().items():
            if held.cancelled or store.state(name, id) not in BUSY:
                continue
            self._flying.append(held)
            row = rows.find(name, id)
            if row is not None:
                self.jobs[row] = held
        self.flights = {row: Flight(job.newest, job.task) for row, job in self.jobs.items() if job.kind == kind}
        self._order = {name: number for number, name in enumerate(build.plan["experiments"])}

    def choose(self, rows: Iterable[int], retry: Retry | None, diagnostics: Diagnostics) -> Chosen | None:
        """Share out *rows* as a submit does, or a retry. Nothing if a named run can't be tried again."""
        wanted = sorted(rows)
        if not self._set_free(wanted, retry, diagnostics):
            return None
        selection = select((self._standing(row) for row in wanted), retry=retry is not None and not retry.named)
        if retry is not None and retry.named:
            selection.send = sorted([*selection.send, *selection.faults])
            selection.faults = []
        # What is queued behind an attempt that did not end well would never be let go.
        below = self._below(selection.send) if retry is not None or self.jobs else []
        withdraw = [self.jobs[row] for row in below if self.states[row] == "queued" and row in self.jobs]
        gone = {(job.kind, *job.key) for job in withdraw}
        together = {row for row, job in self.jobs.items() if (job.kind, *job.key) in gone}
        again = {row for row in below if retry is not None and self.states[row] in WAITING}
        flights = {row: flight for row, flight in self.flights.items() if row not in together}
        send = {*selection.send, *again, *together}
        selection.busy = [row for row in selection.busy if row not in send]
        selection = self._unblocked(selection, send, flights)
        return Chosen(selection, flights, withdraw, self._flying, self._left_alone(selection.send))

    def _left_alone(self, send: Iterable[int]) -> frozenset[int]:
        """Give the rows that nobody has asked for, and that are not to be run because they share a task: what failed
        would fail again, and what is under way elsewhere would be waited for."""
        left = (row for row, state in enumerate(self.states) if state in FAULTS or state in BUSY)
        return frozenset(left).difference(send)

    def _set_free(self, rows: Sequence[int], retry: Retry | None, diagnostics: Diagnostics) -> bool:
        """Release what has no end line though its job has ended: the scheduler says so, or the person who asks does.

        Of what is `lost` nobody knows whether its program has ended, too: only who names it may release it.
        """
        free = True
        named = retry is not None and retry.named
        for row in rows:
            state = self.states[row]
            if state not in KILLED and not (named and state in ("lost", "running", "broken")):
                continue
            experiment, id = self._rows.experiment(row), self._rows.ids[row]
            record = self._store.whole_record(experiment, id)
            if record is None or record.released or (record.end is not None and state != "broken"):
                continue
            if state == "broken":
                free = self._release_broken(row, record, retry, diagnostics) and free
            elif state != "running":
                release(record)
            elif retry is not None:
                free = self._release_running(row, record, retry, diagnostics) and free
        return free

    def _release_running(self, row: int, record: RunRecord, retry: Retry, diagnostics: Diagnostics) -> bool:
        experiment, id = self._rows.experiment(row), self._rows.ids[row]
        name = f"run `{id[:7]}` of `{experiment}`"
        job = self.jobs.get(row)
        if job is not None:
            help = (who_began(record), f"`xpc cancel {id[:7]}` ends it")
            diagnostics.error("XS002", None, f"{name} runs: job {job.name}", help=help)
        elif retry.release:
            release(record)
            self.states[row] = "lost"
        else:
            message = f"{name} has no end, and may still run on {record.claim.get('host')}"
            help = (who_began(record), f"if you know that it has ended: `xpc retry --release {id[:7]}`")
            diagnostics.error("XS002", None, message, help=help)
        return job is None and retry.release

    def _release_broken(self, row: int, record: RunRecord, retry: Retry | None, diagnostics: Diagnostics) -> bool:
        freed = retry is not None and free_broken(record, retry, diagnostics)
        if freed:
            self.states[row] = "lost"
        return freed

    def attempt(self, row: int) -> int:
        """Give the number of the attempt that would be claimed next."""
        if self.states[row] == "planned":
            return 1
        record = self._store.record(self._rows.experiment(row), self._rows.ids[row])
        return 1 if record is None else record.attempt + 1

    def _standing(self, row: int) -> Standing:
        state = self.states[row]
        if state not in ("failed", "timeout", "oom"):
            return Standing(row, state)
        record = self._store.whole_record(self._rows.experiment(row), self._rows.ids[row])
        # One that never began, since its task had no time left for it, is no proof of anything.
        return Standing(row, state, record is not None and would_end_alike(self._build, self._build.run(row), record))

    def _unblocked(self, selection: Selection, send: Iterable[int], flights: Mapping[int, Flight]) -> Selection:
        """Part what can't be sent: a parent is neither done nor in flight, nor sent itself. Of rows that were only to
        go along nothing is said."""
        asked = frozenset(selection.send)
        sent: set[int] = set()
        blocked: list[int] = []
        for row in sorted(send, key=self._rank):
            if all(self._will_be_done(parent, sent, flights) for parent in self._rows.parents(row)):
                sent.add(row)
            elif row in asked:
                blocked.append(row)
        selection.send, selection.blocked = sorted(sent), sorted(blocked)
        return selection

    def _rank(self, row: int) -> tuple[int, int]:
        """Order rows so that parents come first: experiments stand in that order in a build."""
        return self._order[self._rows.experiment(row)], row

    def _will_be_done(self, parent: int, sent: set[int], flights: Mapping[int, Flight]) -> bool:
        return parent >= 0 and (self.states[parent] == "done" or parent in sent or parent in flights)

    def _below(self, rows: Sequence[int]) -> list[int]:
        """Give what comes after the rows, however far down."""
        children: dict[int, list[int]] = {}
        for row in range(self._rows.count) if rows else ():
            for parent in self._rows.parents(row):
                children.setdefault(parent, []).append(row)
        found: dict[int, None] = {}
        above, below = frozenset(rows), list(rows)
        for row in below:
            for child in children.get(row, ()):
                if child not in found:
                    found[child] = None
                    below.append(child)
        return [row for row in found if row not in above]
