"""The runs that clusters hold, and what their schedulers say of them: at most one look for everything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from os.path import exists
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from .cluster_states import Held, Told, from_outside, name_of, needs_no_word, of_cluster, restarts
from .evidence_files import SUPERSEDED, Evidence, EvidenceWriter, Kept, Run, read_evidence
from .owner import Owner
from .records import RunRecord, journal_name, read_run
from .submissions import CLUSTERS, SentJob, Submission, cancelled_tasks, read_submissions, sent_jobs

if TYPE_CHECKING:
    from .schedulers.evidence import Look, Task

LATE: Final = 300.0  # seconds after which a task that its scheduler does not know has ended: accounting is not so late

PASSING: Final = ("NODE_FAIL", "PREEMPTED", "BOOT_FAIL", "BESTEFFORT_KILL", "Terminated exit 99", "CANCELLED")
"""No last words: a scheduler may start the task again, or its accounting has yet to say who cancelled it."""

FILLED: Final = frozenset(("reason", "job", "queue_wait"))
"""The fields of runs that clusters know more of than the records."""

LookAt = Callable[..., "Look"]


class Records(Protocol):
    """What the project's records say."""

    def record(self, experiment: str, id: str) -> RunRecord | None: ...

    def end_of(self, experiment: str, id: str) -> str | None:
        """Give how a run ended by its own records; nothing if it goes on or never began."""
        ...

    def live(self) -> Iterable[Run]:
        """Give the runs whose records have no end."""
        ...


class ClusterRuns:
    """What is told of a project's runs on clusters. The schedulers are asked when it is first wanted, once."""

    def __init__(
        self,
        project: Path,
        records: Records,
        *,
        look: LookAt | None = None,
        hides: Callable[[], bool] | None = None,
    ) -> None:
        self.project = project
        self._records = records
        self._look = look
        self._hides = hides
        self._writer = EvidenceWriter(project)
        self._unseen: set[Task] = set()
        self._now: dict[tuple[str, Task], str] = {}
        self._by_experiment: dict[str, dict[str, Told]] | None = None
        self.asked = False
        """Whether a scheduler was asked."""
        self.silent: dict[str, str] = {}
        """Why a scheduler could not be asked, by its kind."""

    @property
    def any(self) -> bool:
        """Say whether anything was ever submitted to a cluster."""
        return bool(self._submissions)

    @cached_property
    def kept(self) -> Evidence:
        return read_evidence(self.project)

    @cached_property
    def _names(self) -> dict[str, str]:
        """The name of each job that a submit sent."""
        found: dict[str, str] = {}
        for submission in self._submissions:
            for call in submission.calls:
                for first, count in call.jobs or ():
                    ids = [first] if submission.kind == "slurm" else map(str, range(int(first), int(first) + count))
                    found.update(dict.fromkeys(ids, call.token))
        return found

    @cached_property
    def _submissions(self) -> list[Submission]:
        return [submission for submission in read_submissions(self.project) if submission.kind in CLUSTERS]

    def of(self, experiment: str) -> Mapping[str, Told]:
        """Give what is told of the runs of an experiment."""
        if self._by_experiment is None:
            self._by_experiment = {}
            for (name, id), told in self.told.items():
                self._by_experiment.setdefault(name, {})[id] = told
        return self._by_experiment.get(experiment, {})

    def task_of(self, experiment: str, id: str) -> Held | None:
        """Give the newest task that a run was sent as, be it over or not."""
        run = experiment, id
        if run in self.held:
            return self.held[run]
        mine = (job for job in sent_jobs(self.project) if (job.experiment, job.run) == run) if self.any else ()
        newest = next(iter(list(mine)[-1:]), None)
        return _held(newest, packed=False) if newest is not None else _by_hand(self._records.record(*run))

    @cached_property
    def sent_times(self) -> Mapping[Run, Mapping[str, str]]:
        """When the runs were sent, by the name of the task."""
        found: dict[Run, dict[str, str]] = {}
        for job in sent_jobs(self.project) if self._submissions else ():
            found.setdefault((job.experiment, job.run), {})[_held(job, packed=False).name] = job.time
        return found

    def fill(self, experiment: str, ids: Sequence[str], name: str, own: list[Any]) -> list[Any]:
        """Give a column of a field with what clusters know of runs beside their own records."""
        if name == "reason":
            told = self.of(experiment)
            return [told[id].reason or value if id in told else value for id, value in zip(ids, own, strict=True)]
        if not self._submissions and not self.held:
            return own
        fill = self._job if name == "job" else self._wait
        return [fill((experiment, id), value) for id, value in zip(ids, own, strict=True)]

    def _job(self, run: Run, own: Any) -> Any:
        held = self.held.get(run)
        if self._records.end_of(*run) == "done":
            return own
        record = self._records.record(*run)
        if held is None:
            kept = self.kept.ended.get(run, [])[-1:] if record is None else []
            return name_of(kept[0].task) if kept else own
        return own if record is not None and held.claimed(record) else held.name

    def _wait(self, run: Run, own: Any) -> Any:
        """Give the seconds from the submit to the start; of what was started again nobody knows how long it waited."""
        times = self.sent_times.get(run) if own is None else None
        record = self._records.record(*run) if times else None
        task = _by_hand(record)
        if times is None or record is None or task is None or restarts(record) or task.name not in times:
            return own
        try:
            started = datetime.fromisoformat(str((record.start or record.claim).get("time")))
            return max((started - datetime.fromisoformat(times[task.name])).total_seconds(), 0.0)
        except (ValueError, TypeError):
            return own

    # ------------------------------------------------------------------ who is held

    @cached_property
    def held(self) -> dict[Run, Held]:
        """The newest task of each run that a submission not yet settled sent, or that began and has no end."""
        found: dict[Run, Held] = {}
        if any(submission.name not in self.kept.settled for submission in self._submissions):
            sent = list(sent_jobs(self.project, skip=self.kept.settled))
            runs: dict[Task, int] = {}
            for job in sent:
                runs[job.job, job.task] = runs.get((job.job, job.task), 0) + 1
            # Two runs of one task, sent twice, are no pack of four: a task's number is never given twice.
            found = {
                (job.experiment, job.run): _held(job, packed=job.beside or runs[job.job, job.task] > 1) for job in sent
            }
        for run in self._records.live():
            if run not in found and (by_hand := _by_hand(self._records.record(*run))) is not None:
                found[run] = by_hand
        return found

    def at_last(self) -> dict[Run, Held]:
        """Give who is held, each with the job that stands for it by now, as far as a scheduler was asked."""
        _ = self.told  # asks, if nobody has yet
        found = dict(self.held)
        cancelled = cancelled_tasks(self.project) if self._now else {}
        for run, held in self.held.items():
            now = self._now.get((held.kind, held.key))
            if now is not None:  # one that was cancelled as another job, and started again all the same, goes on
                found[run] = replace(held, now=now, cancelled=held.cancelled and (now, held.task) in cancelled)
        return found

    # ------------------------------------------------------------------ what is told

    @cached_property
    def told(self) -> Mapping[Run, Told]:
        """What is told of all runs of which the records alone don't say how they stand."""
        open_: dict[Run, tuple[RunRecord | None, Held]] = {}
        found: dict[Run, Told] = {}
        for run, held in self.held.items():
            if self._records.end_of(*run) == "done":
                continue
            record = self._newest(run)
            kept = self.kept.of(run, record.attempt if record is not None else 0, held.key)
            if kept is not None:
                found[run] = Told(kept.state, kept.reason, final=True)
            else:
                open_[run] = record, held
        fresh = self._ask(open_)
        self._keep(open_, fresh)
        return self._remembered() | found | fresh

    def _newest(self, run: Run) -> RunRecord | None:
        """Give the record of a run; also of an attempt that has begun since, if no hint of it has come through."""
        record = self._records.record(*run)
        if record is None or record.end is None or not exists(f"{record.folder}/{journal_name(record.attempt + 1)}"):
            return record
        return read_run(record.folder)

    def _written_since(self, run: Run) -> RunRecord | None:
        """Read the record of a run that has ended, says its scheduler, and had no end when it was read before that."""
        record = read_run(self.project / "runs" / run[0] / run[1])
        return record if record is not None and record.end is not None else None

    def _ask(self, open_: Mapping[Run, tuple[RunRecord | None, Held]]) -> dict[Run, Told]:
        from .schedulers.evidence import look

        found: dict[Run, Told] = {}
        for kind in dict.fromkeys(held.kind for _, held in open_.values()):
            mine = {run: pair for run, pair in open_.items() if pair[1].kind == kind}
            # With a word from its own record a run is asked for only beside others: it may have been started again.
            ended = {held.key for record, held in mine.values() if record is not None and needs_no_word(record, held)}
            ended -= {held.key for record, held in mine.values() if record is None or not needs_no_word(record, held)}
            wanted = [held.key for _, held in mine.values()]
            ask = self._look or look
            shown = ask(kind, wanted, names=self._names, ended=ended) if len(ended) < len(set(wanted)) else None
            self.asked |= shown is not None
            if shown is not None:
                self._now.update(((kind, task), job) for task, job in shown.now.items())
            if shown is not None and not shown.answered:
                self.silent[kind] = shown.said
            for run, (record, held) in mine.items():
                if (told := self._told(run, record, held, shown)) is not None:
                    found[run] = told
        return found

    def _told(self, run: Run, record: RunRecord | None, held: Held, shown: Look | None) -> Told | None:
        """Give what is told of a run; nothing if its last attempt was made elsewhere, and its task is over."""
        answered = shown is not None and shown.answered
        seen = shown.seen.get(held.key) if shown is not None and answered else None
        gone = False
        hidden = shown is not None and answered and seen is None and self._is_hidden(held)
        if shown is not None and answered and seen is None and not hidden:
            gone = held.key in shown.gone or self._missing_long(held.key)
            self._unseen.add(held.key)
        if record is not None and not _on_cluster(record) and (seen is None or seen.phase == "ended"):
            return None
        told = of_cluster(record, held, seen, gone=gone)
        if told.final and _open_end(record) and (later := self._written_since(run)) is not None:
            record, told = later, of_cluster(later, held, seen, gone=gone)
        if hidden and told.state == "queued":
            return replace(told, reason=f"SLURM shows it to {self._senders[held.submission]} alone")
        if seen is not None and seen.reason in PASSING and not self._missing_long(held.key):
            self._unseen.add(held.key)
            return replace(told, final=False)
        if record is None or told.state != "lost" or held.claimed(record):
            return told
        earlier = _by_hand(record)  # the task of the last attempt is an earlier one: what was kept of that one holds
        kept = self.kept.of(run, record.attempt, earlier.key) if earlier is not None else None
        return Told(kept.state, kept.reason, final=told.final) if kept is not None else told

    def _is_hidden(self, held: Held) -> bool:
        """Tell whether a task is another user's, and SLURM shows nobody the jobs of others."""
        sender = self._senders.get(held.submission)
        return held.kind == "slurm" and sender is not None and sender != Owner.here().user and self._hides_others

    @cached_property
    def _senders(self) -> dict[str, str]:
        return {submission.name: submission.owner.user for submission in self._submissions}

    @cached_property
    def _hides_others(self) -> bool:
        if self._hides is None:
            from .schedulers.slurm_private import hides_others

            return hides_others()
        return self._hides()

    def _missing_long(self, task: Task) -> bool:
        since = self.kept.missing.get(task)
        if since is None:
            return False
        try:
            return (datetime.now(UTC) - datetime.fromisoformat(since)).total_seconds() >= LATE
        except (ValueError, TypeError):
            return False

    def _remembered(self) -> dict[Run, Told]:
        """Give what was kept of runs whose submissions are settled, as far as their records say nothing newer."""
        found: dict[Run, Told] = {}
        for run, entries in self.kept.ended.items():
            if run in self.held or self._records.end_of(*run) == "done":
                continue
            record = self._records.record(*run)
            last = entries[-1]
            if last.reason == SUPERSEDED:
                continue  # what was said before it was about a result that has been set aside
            if last.attempt == (record.attempt if record is not None else 0) and _open_end(record):
                found[run] = Told(last.state, last.reason, final=True)
        return found

    # ------------------------------------------------------------------ what is kept

    def _keep(self, open_: Mapping[Run, tuple[RunRecord | None, Held]], fresh: Mapping[Run, Told]) -> None:
        """Keep how tasks ended of which the records don't tell it, and which submissions are over."""
        ended: list[tuple[Run, Kept]] = []
        missing: dict[Task, None] = {}
        for run, told in fresh.items():
            record, held = open_[run]
            # What one user may not read is no evidence for the others.
            if told.final and told.state not in ("planned", "broken", "done") and _open_end(record):
                attempt = record.attempt if record is not None else 0
                ended.append((run, Kept(attempt, held.key, told.state, told.reason)))
            if not told.final and held.key in self._unseen and held.key not in self.kept.missing:
                missing[held.key] = None
        self._writer.ended(ended)
        self._writer.missing(missing)
        settled = self._settled(fresh)
        self._writer.settled(settled)
        if settled:
            from .schedulers.cluster_secrets import sweep_secrets

            sweep_secrets(self.project)  # at once: nobody may ever submit here again

    def _settled(self, fresh: Mapping[Run, Told]) -> list[str]:
        """Give the submissions that ended and hold no run any more that is not at its end."""
        open_ = {self.held[run].submission for run, told in fresh.items() if not told.final}
        names = [submission.name for submission in self._submissions if submission.ended]
        return [name for name in names if name not in self.kept.settled and name not in open_]


def _held(sent: SentJob, *, packed: bool) -> Held:
    return Held(
        sent.kind,
        sent.job,
        sent.task,
        sent.array,
        sent.index,
        sent.build,
        sent.submission,
        sent.time,
        sent.cancelled,
        packed,
    )


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _by_hand(record: RunRecord | None) -> Held | None:
    """Give the task that an attempt names which no submission of ours sent; nothing if it was on no cluster."""
    build = str(record.claim.get("build") or "") if record is not None else ""
    match record.claim.get("scheduler") if record is not None else None:
        case {"kind": ("slurm" | "oar") as kind, "job": str(job), **more}:
            task, array, index = (more.get(name) for name in ("task", "array", "index"))
            return Held(kind, job, _number(task), str(array or ""), _number(index), build)
    return None


def _on_cluster(record: RunRecord) -> bool:
    """Tell whether the last attempt was made by a task of a scheduler, or was cut off before it could say so."""
    scheduler = record.claim.get("scheduler")
    return not record.claim or (isinstance(scheduler, Mapping) and scheduler.get("kind") in CLUSTERS)


def _open_end(record: RunRecord | None) -> bool:
    """Tell whether a run's own records leave open how it ended."""
    return record is None or record.end is None or bool(record.end.get("requeued")) or from_outside(record.end)
