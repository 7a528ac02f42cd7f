"""A script that was started by hand to a run like any other: claimed, recorded, ended, below ``runs/adhoc/``."""

# A node may have Python 3.8.
# ruff: noqa: UP006, UP031, UP035, UP045

from __future__ import annotations

import atexit
import hashlib
import os
import sys
import time
from types import TracebackType
from typing import Any, Dict, Optional, Type

from ._run import Run, is_first_rank

try:
    from .runtime.shim import journal, machine
except ImportError:  # the small copy that travels with a build
    from _xpc_shim import journal, machine  # type: ignore[import-not-found, no-redef]

PROJECT = ("Experimentfile", ".xpc")  # what stands in a project's folder


def begin() -> Run:
    """Begin a run of this process; only the first rank of a distributed program leaves records."""
    run_id = os.urandom(8).hex()
    folder = os.path.join(project_of(os.getcwd()), "runs", "adhoc", run_id)
    found = Run(run_id, folder, os.path.join(folder, "metrics.jsonl"), None, 1, seed_of(run_id))
    if is_first_rank():
        try:
            _Recorder(folder, run_id, found)
        except OSError as error:
            found._metrics.warn("this run is not recorded: %s" % error)
    return found


def project_of(folder: str) -> str:
    """Give the nearest enclosing project, else *folder* itself."""
    place = folder
    while not any(os.path.exists(os.path.join(place, name)) for name in PROJECT):
        above = os.path.dirname(place)
        if above == place:
            return folder
        place = above
    return place


def seed_of(run_id: str) -> int:
    """Give a number from 0 to 2**31 - 1 for whoever has no seed of their own."""
    return int.from_bytes(hashlib.blake2b(run_id.encode(), digest_size=4).digest(), "little") >> 1


class _Recorder:
    """Writes the journal of this process's run, its end when the interpreter exits."""

    def __init__(self, folder: str, run_id: str, run: Run) -> None:
        self._path = os.path.join(folder, "run.jsonl")
        self._run = run
        self._pid = os.getpid()
        self._began = time.monotonic()
        self._exit: Optional[int] = 0
        self._reason: Optional[str] = None
        _make(folder)
        process = machine.process(self._pid)
        claim: Dict[str, Any] = {
            "schema": journal.SCHEMA,
            "event": "claim",
            "time": journal.now(),
            "run": run_id,
            "experiment": "adhoc",
            "attempt": 1,
            "nonce": os.urandom(8).hex(),
            "build": None,
            "snapshot": None,
            "values": {},
            "parents": [],
            "fingerprint": {},
            "tags": [],
            **machine.here(),
            "shim": process,
            "scheduler": {"kind": "local", "job": None, "array": None, "task": None, "restart": 0},
            "lease": None,
        }
        command = [sys.executable, *sys.argv]
        start = {"event": "start", "time": journal.now(), "program": process, "command": command, "witness": "live"}
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            journal.write_all(file, journal.encode(claim) + journal.encode(start))
        finally:
            os.close(file)
        self._watch()

    def _watch(self) -> None:
        """Listen for what ends a program: neither an exception nor an exit status is shown to what runs at exit."""
        self._excepthook, sys.excepthook = sys.excepthook, self._failed
        self._sys_exit = sys.exit
        setattr(sys, "exit", self._exited)  # noqa: B010  # a plain assignment is no exit to a type checker
        atexit.register(self._end)

    def _failed(self, kind: Type[BaseException], error: BaseException, trace: Optional[TracebackType]) -> None:
        self._exit, self._reason = 1, "%s: %s" % (kind.__name__, error)
        self._excepthook(kind, error, trace)

    def _exited(self, status: Any = None) -> None:
        self._exit = status if isinstance(status, int) else 0 if status is None else 1
        self._reason = "exit status %d" % self._exit if self._exit else None
        self._sys_exit(status)

    def _end(self) -> None:
        if os.getpid() != self._pid:
            return  # a fork that leaves by the same door
        self._run.flush()
        end: Dict[str, Any] = {
            "event": "end",
            "time": journal.now(),
            "state": "failed" if self._exit else "done",
            "exit": self._exit,
            "signal": None,
            "reason": self._reason,
            "duration": round(time.monotonic() - self._began, 6),
            "outputs": {},
            "artifacts": [],
            "progress": None,
            "witness": "live",
        }
        try:
            end.update(self._said())
            journal.append(self._path, end)
        except OSError as error:
            print("xpc: the end of this run is not recorded: %s" % error, file=sys.stderr)

    def _said(self) -> Dict[str, Any]:
        """Give what the program said of itself beside its metrics."""
        try:
            from .runtime.shim.collect import collect
        except ImportError:
            from _xpc_shim.collect import collect  # type: ignore[import-not-found, no-redef]
        times = os.times()
        found = collect(os.path.join(os.path.dirname(self._path), "metrics.jsonl"))
        return {"artifacts": found.artifacts, "progress": found.progress, "cpu_time": round(times[0] + times[1], 3)}


def _make(folder: str) -> None:
    """Make the run's folder; a new ``runs/`` is not for git."""
    runs = os.path.dirname(os.path.dirname(folder))
    if not os.path.isdir(runs):
        os.makedirs(runs, exist_ok=True)
        with open(os.path.join(runs, ".gitignore"), "w") as file:
            file.write("*\n")
    os.makedirs(folder)
