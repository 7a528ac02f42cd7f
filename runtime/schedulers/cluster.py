"""Submits a build to a cluster: the lock taken, what is not done is selected, planned into calls, and sent."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ...grammar.diagnostic import Diagnostics
from ..build_rows import Rows, Tasks
from ..half_written import sweep_halves
from ..lock import Held, Keeper, take_lock
from ..owner import Owner
from ..retry import Retry
from ..selection import Selection
from ..shim.build_folder import Build, BuildError
from ..store import Store
from ..submissions import BUILDS, Submission, SubmissionWriter
from .cluster_call import Scheduler
from .cluster_plan import CallPlanner, PlanArray, PlannedCall
from .cluster_resume import look_up, unfinished
from .cluster_secrets import SecretFiles
from .cluster_select import Chooser, Chosen
from .cluster_send import Failure, Sender, SentCall
from .cluster_withdraw import by_sender, withdraw
from .oar_submit import Oar
from .opening import hide, require_secrets, require_writable, reraise_denied, tell_held, watching
from .slurm_submit import Slurm

SCHEDULERS: Final[Mapping[str, Callable[[Mapping[str, str]], Scheduler]]] = {"slurm": Slurm, "oar": Oar}


@dataclass(slots=True)
class Sent:
    """What a submit to a cluster did. *failure* says why it did not come to its end; *resumed*: the files of submits
    that had been cut and are complete now; *withdrawn*: queued tasks that were cancelled, to be sent again."""

    selection: Selection
    kind: str
    calls: list[SentCall] = field(default_factory=list)
    failure: Failure | None = None
    resumed: list[str] = field(default_factory=list)
    withdrawn: int = 0

    @property
    def status(self) -> int:
        """Give the exit status: 3 where the scheduler refused, 1 where what was asked for was left alone undone."""
        if self.failure is not None:
            return 3
        return 1 if self.selection.faults or self.selection.broken or self.selection.blocked else 0


def submit_cluster(
    project: Path,
    build: Path,
    rows: Sequence[int],
    diagnostics: Diagnostics,
    *,
    retry: Retry | None = None,
    prepare: Callable[[], bool] = lambda: True,
    before: Callable[[Selection], object] = lambda _: None,
    say: Callable[[str], None] = lambda _: None,
    environ: Mapping[str, str] = os.environ,
) -> Sent | None:
    """Send those of *rows* that a submit (or a *retry*) sends, and return; nothing of this process stays.

    *prepare* is called with the lock held, before anything is selected; it says whether to go on. *before* is told the
    selection before anything is sent, *say* what takes a while. What stops it is in *diagnostics* and nothing was done
    then; what a scheduler refuses is in what is returned.
    """
    lock = take_lock(project, watching=lambda owner: say(watching(owner)))
    if isinstance(lock, Held):
        tell_held(lock, diagnostics)
        return None
    with lock, Keeper(lock):
        try:
            opened = Build(str(build))
        except BuildError as error:
            reraise_denied(error)
            diagnostics.error("XS003", None, str(error), help="`xpc build` makes it again")
            return None
        with closing(opened):
            submit = _Submit(project, build, opened, environ, lock.held)
            return submit.run(rows, retry, prepare, before, diagnostics)


class _Submit:
    """One submit, its lock held."""

    def __init__(
        self, project: Path, build: Path, opened: Build, environ: Mapping[str, str], held: Callable[[], bool]
    ) -> None:
        self._project = Path(os.path.abspath(project))
        self._folder = build
        self._build = opened
        self._plan: Mapping[str, Any] = opened.plan
        self._environ = environ
        self._held = held
        target = self._plan["target"]
        self._target: str = target["name"]
        self._kind: str = target["kind"]
        self._schedulers: dict[str, Scheduler] = {}
        self._secrets = SecretFiles(self._project, self._plan, environ)

    def run(
        self,
        rows: Sequence[int],
        retry: Retry | None,
        prepare: Callable[[], bool],
        before: Callable[[Selection], object],
        diagnostics: Diagnostics,
    ) -> Sent | None:
        if not self._possible(diagnostics):
            return None
        writer: SubmissionWriter | None = None
        cut = unfinished(self._project)
        held: dict[str, list[str]] = {}
        done = Sent(Selection(), self._kind)
        if cut:
            writer = self._writer()
            found = look_up(cut, writer, self._scheduler)
            if isinstance(found, tuple):
                writer.end()  # it sent nothing; what it found out so far is written
                self._tell_silent(*found, diagnostics)
                return None
            held, done.resumed = found.held, [submission.name for submission in found.submissions]
        table = Rows(self._folder, self._plan)
        selected = self._choose(table, rows, retry, diagnostics) if prepare() else None
        if selected is not None:
            chooser, chosen = selected
            done.selection = chosen.selection
            self._require_writable(chosen.selection.send, table)
            before(chosen.selection)
            if chosen.selection.send:
                writer = writer or self._writer()
                self._send(chosen, self._calls(chosen, chooser, table), writer, done, held)
        if writer is not None:
            self._finish(writer, held, done)
        return done if selected is not None else None

    def _choose(
        self, table: Rows, rows: Sequence[int], retry: Retry | None, diagnostics: Diagnostics
    ) -> tuple[Chooser, Chosen] | None:
        store = Store(self._project, self._environ)
        try:
            chooser = Chooser(self._build, table, store, self._kind)
            chosen = chooser.choose(rows, retry, diagnostics)
        finally:
            store.close()
        return None if chosen is None else (chooser, chosen)

    def _require_writable(self, rows: Sequence[int], table: Rows) -> None:
        """Raise ``PermissionError`` where a job could not write: its scheduler would take it, and it would be lost."""
        if rows:
            runs = ((table.experiment(row), table.ids[row]) for row in rows)
            require_writable(self._project, runs, self._project / ".xpc" / "submissions", self._folder / "logs")

    def _calls(self, chosen: Chosen, chooser: Chooser, table: Rows) -> list[PlannedCall]:
        attempts = {array["name"]: len(self._plan["resources"][array["resources"]]) for array in self._plan["arrays"]}
        growing = {array["experiment"] for array in self._plan["arrays"] if attempts[array["name"]] > 1}

        def request(row: int) -> int:
            return chooser.attempt(row) if table.experiment(row) in growing else 1

        oar, leave = self._kind == "oar", chosen.leave
        planner = CallPlanner(chosen.selection.send, table.parents, chosen.flights, request, oar=oar, leave=leave)
        for array in self._plan["arrays"]:
            pairwise = frozenset(array.get("pairwise") or ())
            planner.add(PlanArray(Tasks(array), pairwise, array.get("throttle"), attempts[array["name"]]))
        return planner.calls

    def _send(
        self,
        chosen: Chosen,
        calls: Sequence[PlannedCall],
        writer: SubmissionWriter,
        done: Sent,
        held: dict[str, list[str]],
    ) -> None:
        for folder in (self._project / ".xpc", self._project / "runs"):
            hide(folder)
        (self._folder / "logs").mkdir(exist_ok=True)
        scheduler = self._scheduler(self._kind)
        if chosen.withdraw:
            # Those of others first: where they may not be cancelled, nothing is.
            for user, jobs in reversed(by_sender(chosen.withdraw, self._project).items()):
                wrong = withdraw(jobs, chosen.flying, writer, self._scheduler)
                if wrong is not None:
                    done.failure = Failure(wrong, whose="" if user == Owner.here().user else user)
                    return
            done.withdrawn = len(chosen.withdraw)
        sender = Sender(scheduler, writer, self._project, f"{BUILDS}/{self._build.id}", self._plan, held=self._held)
        done.failure = sender.send(calls, self._secrets.write)
        done.calls = sender.sent
        if done.failure is None:
            held.setdefault(self._kind, []).extend(sender.held())

    def _finish(self, writer: SubmissionWriter, held: Mapping[str, Sequence[str]], done: Sent) -> None:
        """Let go what was held, and end; a submit that can't is left without an end, and the next one completes it."""
        if done.failure is not None and not done.failure.undone:
            writer.close()
            return
        for kind, jobs in held.items():
            wrong = self._scheduler(kind).release(jobs)
            if wrong is not None:
                users = {found.owner.user for found in unfinished(self._project) if found.name in done.resumed}
                others = sorted(users - {Owner.here().user})
                done.failure = done.failure or Failure(wrong, undone=False, whose=", ".join(others))
                writer.close()
                return
        for name in done.resumed:
            writer.completed(name)
        if done.failure is None:
            writer.released()
        writer.end()

    def _possible(self, diagnostics: Diagnostics) -> bool:
        """Say what keeps the cluster from taking anything of this project."""
        self._secrets.sweep()
        sweep_halves(self._project)
        complete = require_secrets(self._plan, self._plan["experiments"], self._environ, diagnostics)
        bad = sorted({char for char in str(self._project) if _is_unfit(char, self._kind)})
        if bad:
            diagnostics.error(
                "XS007",
                None,
                f"{self._scheduler(self._kind).name} can't run jobs in `{self._project}`: its name has "
                + ", ".join("a backslash" if char == "\\" else ascii(char) for char in bad),
                help="rename the folder",
            )
            return False
        return complete

    def _writer(self) -> SubmissionWriter:
        return SubmissionWriter(self._project, self._build.id, self._target, self._kind)

    def _scheduler(self, kind: str) -> Scheduler:
        if kind not in self._schedulers:
            self._schedulers[kind] = SCHEDULERS[kind](self._environ)
        return self._schedulers[kind]

    def _tell_silent(self, cut: Submission, said: str, diagnostics: Diagnostics) -> None:
        name = self._scheduler(cut.kind).name
        diagnostics.error(
            "XS005",
            None,
            f"{name} does not answer: {said}",
            help=(
                f"{_whose(cut.owner)} was cut at {cut.time}, and only {name} knows whether it queued its last array",
                f"type the command again where {name} answers; nothing was sent now",
            ),
        )


def _is_unfit(char: str, kind: str) -> bool:
    """Tell whether no job can run in a folder with this character in its path.

    A backslash keeps SLURM from filling in the numbers in the names of logs; OAR leaves quoting to nobody.
    """
    return char == "\\" if kind == "slurm" else char == "'" or not char.isprintable()


def _whose(owner: Owner) -> str:
    return f"a submit by {owner}"
