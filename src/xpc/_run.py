"""The current run, for a training script: its config, and what it wants to have recorded. Python 3.8, no dependency."""

# A node may have Python 3.8.
# ruff: noqa: UP006, UP007, UP031, UP035, UP037, UP045

from __future__ import annotations

import atexit
import functools
import json
import os
import signal
import sys
import threading
import time
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Union

from ._metrics import MetricsFile, encode, number

RANKS = ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK")
NEAR = 60.0  # seconds before the time limit at which `should_stop` becomes true; a tenth of a short one


class Config(Mapping[str, Any]):
    """A read-only mapping whose keys can be read as attributes: ``config.optimizer.lr``."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __getitem__(self, key: str) -> Any:
        value = self._values[key]
        return Config(value) if isinstance(value, dict) else value

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            known = ", ".join(self._values) or "none, as outside `xpc submit`"
            raise AttributeError("the config has no key %r; it has %s" % (name, known)) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return "Config(%r)" % (self._values,)

    def to_dict(self) -> Dict[str, Any]:
        """Give a plain, deep copy."""
        copy: Dict[str, Any] = json.loads(json.dumps(self._values))
        return copy


class Run:
    """One run. ``log``, ``save`` and ``progress`` never raise into a training; on other ranks than 0 they do nothing.

    *id*: 16 hex digits; *folder*: where its records are; *seed*: a number from its id; *attempt*: from 1.
    """

    def __init__(self, run_id: str, folder: str, metrics: str, config: Optional[str], attempt: int, seed: int) -> None:
        self.id = run_id
        self.folder = folder
        self.attempt = attempt
        self.seed = seed
        self._config_path = config
        self._config: Optional[Config] = None
        self._metrics = MetricsFile(metrics)
        self._silent = not is_first_rank()
        self._deadline = _number(os.environ.get("XPC_DEADLINE"))
        self._near = min(NEAR, 0.1 * max(0.0, (self._deadline or 0.0) - time.time()))
        self._stop_file = os.environ.get("XPC_STOP")
        self._asked_to_stop: Optional[bool] = None

    @property
    def config(self) -> Config:
        """The resolved config; empty if the experiment has none."""
        if self._config is None:
            values: Dict[str, Any] = {}
            if self._config_path:
                with open(self._config_path, encoding="utf-8") as file:
                    values = json.load(file)
            self._config = Config(values)
        return self._config

    def log(self, step: Optional[float] = None, **metrics: Any) -> None:
        """Log numbers (Python's, numpy's, torch's scalars) as one step. NaN and infinities become null."""
        if self._silent:
            return
        try:
            line = encode(time.time(), step, metrics)
        except Exception as error:  # a value's own conversion may raise anything, and training goes on
            self._metrics.warn("a step was not logged: %s" % error)
        else:
            self._metrics.add(line)

    def save(self, path: Union[str, "os.PathLike[str]"]) -> None:
        """Declare a file that this run has written as an artifact."""
        if not self._silent:
            place = os.path.realpath(os.fspath(path))
            self._tell("xpc.artifact", os.path.relpath(place, os.path.realpath(self.folder)))

    def progress(self, done: float, total: float) -> None:
        """Say how far the run is; ``xpc status`` shows it."""
        if self._silent:
            return
        try:
            line = '{"xpc.progress":[%s,%s]}\n' % (number(done), number(total))
        except Exception as error:  # as in `log`
            self._metrics.warn("progress was not recorded: %s" % error)
        else:
            self._metrics.add(line)

    def path(self, name: str) -> str:
        """Give the absolute path of a file in the run's working directory, for writing."""
        return os.path.abspath(name)

    @property
    def should_stop(self) -> bool:
        """Whether the time limit or a preemption is near: save and leave. The first use begins to listen for TERM."""
        if self._asked_to_stop is None:
            self._asked_to_stop = False
            self._listen()
        near = self._deadline is not None and time.time() > self._deadline - self._near
        return self._asked_to_stop or near or bool(self._stop_file and os.path.exists(self._stop_file))

    def flush(self) -> None:
        """Write what has been logged so far."""
        self._metrics.flush()

    def _tell(self, name: str, value: object) -> None:
        self._metrics.add(json.dumps({name: value}) + "\n")
        self._metrics.flush()

    def _listen(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return

        def stop(number: int, frame: object) -> None:
            self._asked_to_stop = True

        for name in ("SIGTERM", "SIGUSR1"):
            number = getattr(signal, name)
            if signal.getsignal(number) == signal.SIG_DFL:
                signal.signal(number, stop)

    def _close(self) -> None:
        foreign = _foreign_modules()
        if foreign and not self._silent:
            self._tell("xpc.foreign", foreign)
        self.flush()


def is_first_rank() -> bool:
    """Tell whether this is the only process of a distributed program, or its first."""
    return all(os.environ.get(name, "0") in ("", "0") for name in RANKS)


def _number(text: Optional[str]) -> Optional[float]:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _foreign_modules() -> List[str]:
    """Name the modules that were loaded from the live project and not from its snapshot."""
    project, code = os.environ.get("XPC_PROJECT"), os.environ.get("XPC_CODE")
    if not project or not code or code == project:
        return []
    inside = os.path.realpath(project) + os.sep
    ours = (os.path.join(inside, ".xpc") + os.sep, os.path.join(inside, "runs") + os.sep)
    found = []
    for name, module in list(sys.modules.items()):
        path = getattr(module, "__file__", None)
        real = os.path.realpath(path) if isinstance(path, str) else ""
        if real.startswith(inside) and not real.startswith(ours) and not _installed(real):
            found.append(name)
    return sorted(found)[:100]


def _installed(path: str) -> bool:
    """Tell whether a file belongs to an environment that happens to lie in the project's folder."""
    return path.startswith(os.path.realpath(sys.prefix) + os.sep) or "site-packages" in path.split(os.sep)


# ------------------------------------------------------------------ the current run

_current: Optional[Run] = None


def run() -> Run:
    """Give the current run; outside xpc, an ad-hoc run that is recorded under ``runs/adhoc/``."""
    global _current
    if _current is None:
        environ = os.environ
        if "XPC_RUN_ID" in environ:
            _current = Run(
                environ["XPC_RUN_ID"],
                environ["XPC_RUN_DIR"],
                environ["XPC_METRICS"],
                environ.get("XPC_CONFIG"),
                int(environ.get("XPC_ATTEMPT", "1")),
                int(environ.get("XPC_SEED", "0")),
            )
        else:
            from ._adhoc import begin

            _current = begin()
    return _current


def _at_exit() -> None:
    """Say where the modules of a run's process came from, though it may never have asked for its run."""
    if _current is not None or (_foreign_modules() and "XPC_METRICS" in os.environ):
        run()._close()


if "XPC_RUN_ID" in os.environ:
    atexit.register(_at_exit)


def log(step: Optional[float] = None, **metrics: Any) -> None:
    """``run().log(…)``."""
    run().log(step, **metrics)


def save(path: Union[str, "os.PathLike[str]"]) -> None:
    """``run().save(…)``."""
    run().save(path)


def progress(done: float, total: float) -> None:
    """``run().progress(…)``."""
    run().progress(done, total)


def main(function: Callable[[Run], Any]) -> Callable[[], Any]:
    """Make ``def main(run)`` the program: it is called here and now when its file is run, so it stands last in it.

    An exception that it does not catch ends the program as ever; an int that it gives is the exit status.
    """

    @functools.wraps(function)
    def program() -> Any:
        return function(run())

    if function.__module__ == "__main__":
        status = program()
        if isinstance(status, int) and status:
            sys.exit(int(status))
    return program
