"""What must hold after every fault: told states against what is on disk and what really ran."""

from __future__ import annotations

import json
import re
import socket
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from . import study
from .journals import Run, digest, read_runs
from .project import Project, Said
from .violation import Violation
from .witness import alive, heard, lives

FAULTS: Final = ("failed", "timeout", "oom")
UNDONE: Final = frozenset(("killed", "lost", "cancelled", "skipped"))
GOING_ON: Final = ("queued", "running")

KEPT: Final = re.compile(
    r"""\.xpc/(
        \.gitignore | snapshot\.(json|index) | index\.sqlite(\.lock|-wal|-shm)? | snapshots/\.lock
        | snapshots/[0-9a-f]+(\.json | (\.git|\.links)?(/.*)?)
        | builds/[0-9a-f]+/(
            plan\.json | points\.(jsonl|idx) | provenance\.json | submit\.sh | xpc\.pyz | arrays/[\w.-]+ | logs/.* )
        | environments/[\w.-]+\.json | (submissions|evidence)/[\w.-]+\.jsonl | events/[\w.-]+\.log | shim/[\w.-]+\.zip
    ) | runs/( \.gitignore | (train|evaluate)/[0-9a-f]{16}/(
        run(\.\d+)?\.jsonl | (run\.\d+\.release|fence(\.\d+)?)\.jsonl | config\.json | (stdout|stderr)(\.\d+)?\.log
        | metrics(\.\d+)?\.jsonl | files/(result|text)\.txt
    ))""",
    re.VERBOSE,
)


class Oracle:
    """Knows what was done, and holds all that follows against it.

    *may*: the states that this kind of fault may leave beside those of a study that is disturbed by nobody's fault.
    """

    more: tuple[str, ...] = ("-j", "4")
    """Options of a submit that are to make it quick."""

    def __init__(self, project: Project, *, may: Collection[str] = (), overlaps: bool = False) -> None:
        self.project = project
        self.may = frozenset(may)
        self.overlaps = overlaps
        self.total = study.runs(project.points)
        self._done: dict[str, str] = {}
        self._begun: dict[str, int] = {}

    # -------------------------------------------------------------- looking

    def look(self, *, refused: bool = False, live: bool = False) -> dict[str, str]:
        """Ask for the states of all runs, and hold them against the truth; give them by id.

        *refused*: the system may refuse just now. *live*: a submit goes on, which may change things while we look.
        """
        quiet = not live and not alive(self.project.folder)
        before = self._facts(live=live)
        said = [self.project.xpc("status", "--json")]
        said.append(self.project.xpc("query", "show id, status, text", "--format", "json"))
        after = self._facts(live=live)
        for one in said:
            if one.status not in ((0, 1, 3) if refused else (0, 1)) or (one.status and not one.err.strip()):
                raise Violation(f"no way to end: {one}")
        if any(one.status for one in said):
            if not refused:
                raise Violation(f"the records can't be asked: {next(one for one in said if one.status)}")
            return {}
        rows = {row["id"]: row for row in json.loads(said[1].out)}
        told = {id: str(row["status"]) for id, row in rows.items()}
        self._check_told(told, before, after, live=live)
        self._check_values(rows, told)
        if quiet:
            self._check_counts(json.loads(said[0].out), told)
        self.check_records()
        return told

    def _facts(self, *, live: bool) -> dict[str, frozenset[str]]:
        """Give the states that are true of each run that has a folder."""
        runs, processes = read_runs(self.project.folder), alive(self.project.folder)
        folders = {Path(folder).name for folder in processes.values()}
        return {id: self.truth(run, folders, set(processes), live=live) for id, run in runs.items()}

    def truth(self, run: Run, folders: Collection[str], pids: Collection[int], *, live: bool) -> frozenset[str]:
        """Give the states of which any is true of a run on this machine."""
        if run.done:
            return frozenset(("done",))
        if not run.attempts:
            return self._nothing(live=live)
        last = run.attempts[-1]
        more = frozenset(("queued",)) if live else frozenset()
        if last.end is not None:
            return more | {last.end}
        if _is_elsewhere(run):
            return frozenset(("running",))  # nobody here can say otherwise
        shim = last.claim.get("shim", {}).get("pid")
        if lives(shim):
            return more | {"running", "lost"} if live else frozenset(("running",))
        if last.program in pids:
            return frozenset(("running", "lost")) if live else frozenset(("running",))
        if run.id in folders and last.program is not None:
            return more | {"running", "lost"}
        return more | {"lost"} | (self.may & {"broken"})

    def _nothing(self, *, live: bool) -> frozenset[str]:
        return frozenset(("planned", "skipped", "queued")) if live else frozenset(("planned", "skipped"))

    def _check_told(
        self,
        told: Mapping[str, str],
        before: Mapping[str, frozenset[str]],
        after: Mapping[str, frozenset[str]],
        *,
        live: bool,
    ) -> None:
        if len(told) != self.total:
            raise Violation(f"{len(told)} runs are told of, not {self.total}")
        changed = before != after
        for id, state in told.items():
            nothing = self._nothing(live=live or changed)
            true = before.get(id, nothing) | after.get(id, nothing)
            if changed:
                true |= {"running", "queued"}
            if state not in true:
                raise Violation(f"run {id} is told as {state}, and is {' or '.join(sorted(true))}{self.story(id)}")
            if state in (*FAULTS, "broken") and state not in self.may:
                raise Violation(f"run {id} is told as {state}: that was not its own doing{self.story(id)}")

    def _check_values(self, rows: Mapping[str, Mapping[str, Any]], told: Mapping[str, str]) -> None:
        """What a done run was given is what its values say."""
        for id, state in told.items():
            if state == "done":
                path = next(self.project.folder.glob(f"runs/*/{id}/files/text.txt"), None)
                if path is None or path.read_text() != rows[id]["text"]:
                    raise Violation(f"run {id} is done with other values than it had{self.story(id)}")

    def _check_counts(self, status: Mapping[str, Any], told: Mapping[str, str]) -> None:
        counted, states = counts_of(status), Counter(told.values())
        if counted != states:
            raise Violation(f"`xpc status` counts {dict(counted)}, a query {dict(states)}")

    # -------------------------------------------------------------- records

    def check_records(self) -> None:
        """What is on disk is what really ran; what was done stays as it was."""
        runs = read_runs(self.project.folder)
        witness = heard(self.project.outside)  # after the records: a program finishes before its end is written
        if witness.overlaps and not self.overlaps:
            raise Violation(f"two programs of one run at once: {witness.overlaps}")
        twice = [execution for execution, count in witness.begun.items() if count > 1]
        if twice:
            raise Violation(f"one attempt began its program twice: {twice}{self.story(twice[0][0])}")
        for id, run in runs.items():
            if len(run.done) > 1:
                raise Violation(f"run {id} has {len(run.done)} done records{self.story(id)}")
            for attempt in run.done:
                if not witness.finished[id, attempt]:
                    raise Violation(f"attempt {attempt} of {id} is done, its program never finished{self.story(id)}")
        for id, known in self._done.items():
            if id not in runs or digest(runs[id].folder) != known:
                raise Violation(f"run {id} was done, and has been changed{self.story(id)}")
            if witness.begun_of(id) != self._begun[id]:
                raise Violation(f"run {id} was done, and has been run again{self.story(id)}")
        for id, run in runs.items():
            if run.done and id not in self._done:
                self._done[id] = digest(run.folder)
                self._begun[id] = witness.begun_of(id)

    def forget(self, id: str) -> None:
        """A fault has damaged this very run: what it was is no measure any more."""
        self._done.pop(id, None)
        self._begun.pop(id, None)

    # -------------------------------------------------------------- completing

    def complete(self) -> None:
        """Type what the manual says, and demand that everything is done then, and that nothing is left to do."""
        self._help(self.look())
        self._submit_all()
        told = self.look()
        if set(told.values()) != {"done"}:
            raise Violation(f"a second submit left {dict(Counter(told.values()))}{self._last_words()}")
        self.nothing_to_do()
        self.check_leftovers()

    def _submit_all(self) -> None:
        said = self.project.xpc("submit", *self.more, *self.project.target)
        if said.status:
            raise Violation(f"the study can't be completed: {said}")

    def _help(self, told: Mapping[str, str]) -> None:
        """Do what only a person may: give free what is damaged or elsewhere, try again what failed."""
        broken = [id for id, state in told.items() if state == "broken"]
        if broken:
            self._release_broken(broken)
        runs = read_runs(self.project.folder)
        elsewhere = [id for id, state in told.items() if state == "running" and _is_elsewhere(runs[id])]
        if elsewhere:
            self._release(elsewhere)
        if set(told.values()) & set(FAULTS):
            said = self.project.xpc("retry", *self.more, *self.project.target)
            if said.status:
                raise Violation(f"`xpc retry` does not mend it: {said}")

    def _release(self, ids: Sequence[str]) -> None:
        """Give runs free that may go on elsewhere, once `xpc submit` has left them alone and `xpc retry` has asked."""
        left = self.project.xpc("submit", *self.more, *self.project.target)
        asked = self.project.xpc("retry", *self.more, *self.project.target, *ids)
        if any(id in self._done for id in ids) or asked.status != 1 or "--release" not in asked.err:
            raise Violation(f"runs of another host are taken: {left}\n{asked}")
        said = self.project.xpc("retry", "--release", *self.more, *self.project.target, *ids)
        if said.status:
            raise Violation(f"`xpc retry --release` does not mend it: {said}")

    def _release_broken(self, ids: Sequence[str]) -> None:
        """Try runs again whose records are damaged, as `xpc retry` says."""
        asked = self.project.xpc("retry", *self.more, *self.project.target, *ids)
        if asked.status != 1 or "--release" not in asked.err:
            raise Violation(f"nothing is said of how to go on with what is damaged: {asked}")
        said = self.project.xpc("retry", "--release", *self.more, *self.project.target, *ids)
        if said.status:
            raise Violation(f"`xpc retry --release` does not mend it: {said}")

    def nothing_to_do(self) -> None:
        """A third submit changes no file of any run."""
        before = digest(self.project.folder / "runs"), digest(self.project.folder / ".xpc/submissions")
        said = self.project.xpc("submit", *self.project.target)
        if said.status or f"{self.total} done" not in said.err or "Nothing to run" not in said.err:
            raise Violation(f"a third submit has something to do: {said}")
        if (digest(self.project.folder / "runs"), digest(self.project.folder / ".xpc/submissions")) != before:
            raise Violation(f"a third submit wrote something: {said}")

    # -------------------------------------------------------------- leftovers

    def check_leftovers(self) -> None:
        """Nothing runs any more, and nothing is on disk that the manual does not name."""
        left = alive(self.project.folder)
        if left:
            raise Violation(f"processes are left: {left}")
        strange = [path for path in self._paths() if KEPT.fullmatch(path) is None]
        if strange:
            raise Violation(f"files are left: {', '.join(sorted(strange)[:8])}")

    def _paths(self) -> Iterable[str]:
        folder = self.project.folder
        for top in (".xpc", "runs"):
            for path in (folder / top).rglob("*"):
                if path.is_symlink() or not path.is_dir():
                    yield path.relative_to(folder).as_posix()

    # -------------------------------------------------------------- telling

    def story(self, id: str) -> str:
        """Give the journals of a run, to be read with a violation."""
        lines = []
        for path in sorted(self.project.folder.glob(f"runs/*/{id}/*.jsonl")):
            data = path.read_bytes()
            lines.append(f"  {path.relative_to(self.project.folder)}: {data[-600:].decode(errors='replace')}")
        return "\n" + "\n".join(lines) if lines else ""

    def _last_words(self) -> str:
        said: list[Said] = self.project.told[-6:]
        return "\n" + "\n".join(map(str, said))


def counts_of(status: Mapping[str, Any]) -> Counter[str]:
    """Give how many runs of all experiments are in each state, as `xpc status --json` has it."""
    counted = Counter[str]()
    for counts in status["experiments"].values():
        counted.update(counts)
    return +counted


def _is_elsewhere(run: Run) -> bool:
    """Tell whether the last attempt of a run was begun on another host."""
    here = socket.gethostname()
    return bool(run.attempts) and run.attempts[-1].claim.get("host", here) != here
