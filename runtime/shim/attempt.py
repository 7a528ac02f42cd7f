"""One attempt of one run, from its claim to its end line. The executor and the task shim both go through here."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional, Tuple

from . import (
    claim,
    environment,
    environment_record,
    guard,
    journal,
    machine,
    packs,
    processes,
    program,
    setup,
    template,
    verdict,
    warn,
    workdir,
)
from .build_folder import Run
from .collect import Collected, collect
from .outputs import Outputs
from .place import Place
from .said import tell

if TYPE_CHECKING:
    from . import container


class Launch(NamedTuple):
    """What to start, where, and which files take its output (absolute paths). *remove* is the command that removes its
    container, if it runs in one."""

    argv: List[str]
    env: Dict[str, str]
    cwd: str
    stdout: str
    stderr: str
    remove: Optional[List[str]] = None


class Usage(NamedTuple):
    """What a program has used: processor seconds, and the most memory its processes had at once, in bytes."""

    cpu_time: float
    peak_memory: int


class Attempt:
    """One attempt of *run*. *scheduler* names its job; *durable*: the end line is on disk before ``finish`` returns."""

    def __init__(self, place: Place, run: Run, scheduler: Dict[str, Any], durable: bool = False) -> None:
        self.place = place
        self.run = run
        self.folder = place.run_folder(run)
        self.number = 0
        self.holder = ""
        self.request: Dict[str, Any] = {}
        self._lineage: Optional[str] = None
        self._scheduler = scheduler
        self._durable = durable
        self.scheduler_kind = str(scheduler["kind"])
        self.clustered = self.scheduler_kind != "local"
        self._taken_over: Optional[int] = None
        self._began = 0.0
        self._oom_kills = 0
        self._workdir: Optional[workdir.Workdir] = None
        self._box: "Optional[container.Box]" = None
        self._launch: Optional[Launch] = None
        self._program: Optional[environment_record.Program] = None
        self._environment: Optional[str] = None  # as the start line has it
        self._late_environment: Optional[str] = None
        self._outputs: Optional[Outputs] = None

    # -------------------------------------------------------------- before

    def guard(self, left: Optional[float] = None) -> Optional[str]:
        """Give the folder of a parent that is not done, or nothing; nothing has been written for this run then. *left*:
        the seconds that its task has."""
        folders = [
            os.path.join(self.place.project, "runs", after["experiment"], parent)
            for after, parents in zip(self.run.plan["after"], self.run.parents)
            for parent in parents
        ]
        nonces: List[str] = []
        missing = guard.first_not_done(folders, self.clustered, guard.patience(left), nonces)
        self._lineage = guard.lineage(nonces) if nonces else None
        return missing

    def claim(self) -> str:
        """Claim the next attempt: ``claimed``, ``done`` (nothing to do) or ``held`` (by a live one)."""
        if packs.find(self.folder) is not None and not os.path.isdir(self.folder):
            if packs.is_done(self.folder):
                return claim.DONE
            packs.restore(self.folder)
        found = claim.take(self.folder, self._claim_line(), watch=self.clustered, tell=self.tell)
        self.number, self.holder, self._taken_over = found.attempt, found.holder, found.taken_over
        if found.verdict == claim.CLAIMED:
            self.request = self.place.build.request(self.run, self.number)
            self.place.note("start", self.run, self.number)
        return found.verdict

    def _claim_line(self) -> Dict[str, Any]:
        place, run = self.place, self.run
        return {
            "schema": journal.SCHEMA,
            "event": "claim",
            "time": journal.now(),
            "run": run.id,
            "experiment": run.experiment,
            "nonce": os.urandom(8).hex(),
            "build": place.build.id,
            "snapshot": place.stamp.tree,
            "commit": place.stamp.commit,
            "dirty": place.dirty,
            "values": run.values,
            "parents": [parent for parents in run.parents for parent in parents],
            "lineage": self._lineage,
            "fingerprint": run.plan["fingerprint"],
            "tags": run.plan["tags"],
            **place.here,
            "shim": place.process,
            "scheduler": self._scheduler,
            "lease": self.place.lease if self.clustered else None,
        }

    def limit_memory(self, given: Optional[int]) -> None:
        """Ask for no more than the job was *given* (bytes a node): one that is started again has its old request."""
        asked = self.request.get("memory")
        if given is not None and asked is not None and given < asked:
            self.request = dict(self.request, memory=given)

    @property
    def name(self) -> str:
        """What people call it."""
        return "%s %s" % (self.run.experiment, self.run.id[:7])

    def tell(self, text: str) -> None:
        """Say something in the log of the task."""
        tell("%s: %s" % (self.name, text))

    def prepare(self, extra: Optional[Mapping[str, str]] = None, left: Optional[float] = None) -> Launch:
        """Make the run's folder ready; *extra* are variables of this start (GPUs), *left* the seconds that its task
        has. Raises `WorkdirError`, `OSError`."""
        context = self._context()
        plan = self.run.plan
        paths = {name: template.text(path, context) for name, path in plan["outputs"].items()}
        files = [m["source"] for m in plan["metrics"] if m["source"] not in (None, "stdout", "stderr")]
        self._workdir = workdir.prepare(
            self.place.project,
            self.place.stamp,
            self.folder,
            plan["workdir"],
            self.place.links,
            list(paths.values()),
            [*plan["metrics_files"], *files],
            plan["writable"],
        )
        if plan["config"]:
            with open(os.path.join(self.folder, "config.json"), "w", encoding="utf-8") as file:
                file.write(template.config_text(self.run.config))
        self._outputs = Outputs(paths, self._workdir.home, self.folder)
        argv, env, remove = self._command(context, self._variables(context, extra or {}, left))
        self._launch = Launch(
            argv,
            env,
            self._workdir.cwd,
            os.path.join(self.folder, journal.numbered("stdout.log", self.number)),
            os.path.join(self.folder, journal.numbered("stderr.log", self.number)),
            remove,
        )
        self._oom_kills = machine.oom_kills()
        return self._launch

    def _context(self) -> template.Context:
        home = os.path.join(self.folder, "files", self.place.stamp.prefix) if self.place.stamp.prefix else None
        home = home or os.path.join(self.folder, "files")
        return template.Context(self.place.project, self.run, self.folder, home, self.number, self.request)

    def _argv(self, context: template.Context) -> List[str]:
        command = self.run.plan["command"]
        if command["kind"] == "argv":
            argv = template.words(command["words"], context)
        else:
            words = template.parameters(command["args"], context)
            argv = ["bash", "-e", "-o", "pipefail", "-c", command["script"], "xpc", *words]
        return argv

    def _command(
        self, context: template.Context, own: Dict[str, str]
    ) -> Tuple[List[str], Dict[str, str], Optional[List[str]]]:
        """Give what to execute, its environment, and how to remove its container; *own* are variables of ours."""
        assert self._workdir is not None
        argv, environ = self._argv(context), self.place.environ
        declared = self.run.plan["environment"]
        setups, secrets, cwd = declared["setup"], declared["secrets"], self._workdir.cwd
        if declared["container"] is None:
            env = {**environ, **self._code(environ), **own}
            self._program = environment_record.Program(argv, env, cwd, secrets)
            return setup.with_setup(setups, argv, context, self._setup_file) if setups else argv, env, None
        from . import container  # few runs have one

        self._box = container.Box(declared["container"], context, environ)
        own = {**self._code({}), **own}
        build = self.place.build.folder
        wrapped = self._box.wrap(argv, self._workdir, self.place.links, build, own, secrets)
        self._program = self._box.program(argv, cwd, own, secrets)
        argv = wrapped.argv
        if setups:
            argv = setup.with_setup(setups, argv, context, self._setup_file, wrapped.at, self._box.runtime)
        return argv, wrapped.env, wrapped.remove

    def _code(self, environ: Mapping[str, str]) -> Dict[str, str]:
        """Give the variables that lead a program to its code, and to `import xpc`."""
        assert self._workdir is not None
        found = self._workdir.environment(environ)
        pyz = os.path.abspath(os.path.join(self.place.build.folder, "xpc.pyz"))
        before = found.get("PYTHONPATH", environ.get("PYTHONPATH"))
        found["PYTHONPATH"] = os.pathsep.join([path for path in (before, pyz) if path])
        return found

    def _variables(self, context: template.Context, extra: Mapping[str, str], left: Optional[float]) -> Dict[str, str]:
        """Give the variables that a program has beside what it inherits."""
        own = environment.contract(context, self.run.experiment, self.run.plan["config"], self._stop_file, left)
        own.update(extra)
        own.update(environment.variables(context, self.place.environ))
        return own

    # -------------------------------------------------------------- while it runs

    @property
    def checkpoint(self) -> Optional[Dict[str, Any]]:
        """How the program is warned before a time limit, if it is."""
        found: Optional[Dict[str, Any]] = self.run.plan.get("checkpoint")
        return found

    @property
    def _stop_file(self) -> str:
        return os.path.join(self.folder, journal.numbered("stop", self.number))

    @property
    def _setup_file(self) -> str:
        return os.path.join(self.folder, journal.numbered("setup.env", self.number))

    @property
    def mark(self) -> str:
        """What tells the processes of this attempt from all others."""
        return processes.mark_of(self._stop_file)

    def signal(self, pid: int, number: int) -> None:
        """Send a signal to all processes of the run; into a container, by its runtime."""
        if self._launch is None or self._launch.remove is None:
            processes.signal_tree(pid, self.mark, number)
        elif number == signal.SIGKILL:
            program.run_quietly(self._launch.remove)
            processes.send([pid], number)
        else:
            self._signal_inside(pid, number)

    def _signal_inside(self, pid: int, number: int) -> None:
        """Send a signal to the program of a container. The runtime's client would pass it on, but only once it listens,
        and the program runs before that: in between the signal ends the client, and the program's handler never runs.
        """
        assert self._box is not None
        if not program.succeeds(self._box.kill(number)):
            processes.send([pid], number)  # there is no container yet, or no more: the client is what is left to tell

    def members(self, pid: int, table: Dict[int, processes.Process]) -> Iterable[int]:
        """Give the processes of the run, of those in *table*; those of a container are nobody's descendants."""
        if self._launch is None or self._launch.remove is None:
            return processes.tree(pid, self.mark, table)
        return processes.descendants([pid, *processes.marked(self.mark)], table)

    def warn(self, pid: int) -> None:
        """Tell the program that its time is nearly up: by the stop file, and by the signal that its author chose."""
        try:
            with open(self._stop_file, "w"):
                pass
        except OSError as error:
            self.tell("its stop file can't be made: %s" % (error.strerror or error))
        number = (self.checkpoint or {}).get("signal")
        if number is None:
            return
        if self._launch is None or self._launch.remove is None:
            warn.send(pid, number)
        else:
            self._signal_inside(pid, warn.number_of(number))

    @property
    def journal(self) -> str:
        return os.path.join(self.folder, journal.numbered("run.jsonl", self.number))

    def started(self, pid: int, gpus: Optional[List[str]] = None) -> None:
        """Write the start line. *pid* is the program's."""
        assert self._launch is not None
        assert self._workdir is not None
        self._began = time.monotonic()
        line = {
            "event": "start",
            "time": journal.now(),
            "program": machine.process(pid),
            "command": self._redacted(self._launch.argv),
            "request": self.request,
            "witness": self._workdir.witness,
            "gpus": gpus or [],
        }
        declared = self.run.plan["environment"]
        self._environment = None if declared["setup"] else self._record_environment(ask=False)
        if self._environment is not None:
            line["environment"] = self._environment
        journal.append(self.journal, line)
        if self._environment is None and not declared["setup"] and self._box is None:
            self._late_environment = self._record_environment(ask=True)  # it takes a moment: the program runs already

    def _record_environment(self, ask: bool) -> Optional[str]:
        """Write down what the program runs in; give its hash. No run fails for it."""
        assert self._program is not None
        try:
            return self.place.environments.record(self._program, ask)
        except OSError as error:
            self.tell("its environment can't be recorded: %s" % (error.strerror or error))
            return None

    def _end_environment(self) -> Optional[str]:
        """Give the hash of the environment that the start line could not tell."""
        if self._environment is not None or self._program is None or not self._began:
            return None
        if not self.run.plan["environment"]["setup"]:
            return self._late_environment or self._record_environment(ask=True)
        changed = setup.after_setup(self._setup_file)
        if changed is None:
            return None
        self._program = self._program._replace(environ={**self._program.environ, **changed})
        return self._record_environment(ask=True)

    # -------------------------------------------------------------- after

    def finish(
        self,
        status: Optional[int],
        usage: Usage,
        cause: Optional[verdict.Cause] = None,
        warned: bool = False,
        again: Optional[Callable[[Dict[str, Any]], bool]] = None,
    ) -> Dict[str, Any]:
        """Write the end line and give it. *status* is what ``wait`` said of the program (None: it never started).

        *warned*: it was told that its time is nearly up. *again*, given the line, says whether its task goes back to
        the scheduler's queue. Outputs are checked, empty files and links removed. Raises ``OSError`` if the end line
        can't be written.
        """
        duration = time.monotonic() - self._began if self._began else 0.0
        collected = collect(os.path.join(self.folder, journal.numbered("metrics.jsonl", self.number)))
        outputs, missing = self._outputs.check() if self._outputs is not None else ({}, [])
        kind = self.run.plan["command"]["kind"]
        not_set_up = self._failed_setup() if cause is None else None
        if self._box is not None and self._launch is not None:
            kind = "script"  # its runtime says, as a shell does, by which signal a program ended
            if cause is None and not_set_up is None and status is not None and os.WIFEXITED(status):
                cause = self._box.refusal(os.WEXITSTATUS(status), tail(self._launch.stderr))
        end = verdict.judge(status, cause, missing, kind, self._oom_kills)
        if end["state"] == "failed" and end["reason"] is None:
            end["reason"] = not_set_up or self._snapshot_hint()
        if warned:
            complete = bool(outputs) and not any(output["carried"] for output in outputs.values())
            end = verdict.after_warning(end, cause, complete)
        end = self._settle(end)
        line = {"event": "end", "time": journal.now(), **end, "duration": round(duration, 6), **usage._asdict()}
        line.update(outputs=outputs, artifacts=collected.artifacts, progress=collected.progress)
        line["witness"] = self._witness(collected)
        recorded = self._end_environment()
        if recorded is not None:
            line["environment"] = recorded
        if self._taken_over is not None and claim.is_contested(self.folder, self.number, self._taken_over):
            line["contested"] = True
        if cause is not None and cause.by is not None:
            line["by"] = cause.by
        self._tidy()
        if again is not None and again(line):
            line["requeued"] = True
        journal.append(self.journal, line, durable=self._durable)
        self.place.note("end", self.run, self.number)
        return line

    def _settle(self, end: Dict[str, Any]) -> Dict[str, Any]:
        """Never two `done` records: whoever was taken over, or took over a run that was done after all, has none."""
        if end["state"] != "done":
            return end
        if claim.later_exists(self.folder, self.number):
            return dict(end, state="cancelled", reason="attempt %d has taken over" % (self.number + 1))
        before = claim.done_before(self.folder, self.number) if self._taken_over is not None else None
        return end if before is None else dict(end, state="cancelled", reason="attempt %d was done meanwhile" % before)

    def _redacted(self, words: List[str]) -> List[str]:
        """Take the values of secrets out of what is recorded."""
        names = self.run.plan["environment"]["secrets"]
        for value in filter(None, [self.place.environ.get(name) for name in names]):
            words = [word.replace(value, "***") for word in words]
        return words

    def _witness(self, collected: Collected) -> str:
        witness = self._workdir.witness if self._workdir is not None else "none"
        return "mixed" if collected.foreign and witness == "stamp" else witness

    def _failed_setup(self) -> Optional[str]:
        if self._launch is None or not self.run.plan["environment"]["setup"]:
            return None
        return setup.failed_line(tail(self._launch.stderr))

    def _snapshot_hint(self) -> Optional[str]:
        if self._workdir is None or self._launch is None:
            return None
        return workdir.snapshot_write_hint(tail(self._launch.stderr), self._workdir)

    def _tidy(self) -> None:
        """Remove what is empty, and the links; what can't be removed stays, and is no reason to fail a run."""
        for name in ("stdout.log", "stderr.log", "metrics.jsonl"):
            path = os.path.join(self.folder, journal.numbered(name, self.number))
            try:
                if not os.path.getsize(path):
                    os.unlink(path)
            except OSError:
                continue
        try:
            if self._workdir is not None:
                self._workdir.remove_links()
            os.unlink(self._stop_file)
        except OSError:
            return


def tail(path: str, size: int = 4096) -> str:
    """Give the last bytes of a log as text; nothing if there is no log."""
    try:
        with open(path, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - size))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
