"""A copy of the study on disk, and the commands that a user types in it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from . import quick
from .violation import Violation

BIN: Final = Path(sys.executable).parent
DEADLINE: Final = 120.0  # seconds for one command; a healthy one needs few


class Said:
    """How a command ended and what it printed."""

    def __init__(self, command: tuple[str, ...], status: int, out: str, err: str) -> None:
        self.command = command
        self.status = status
        self.out = out
        self.err = err

    def __str__(self) -> str:
        return f"`{' '.join(self.command)}` gave {self.status}\n{self.out}{self.err}".rstrip()


class Project:
    """A study in *above*/project, and beside it a folder *outside* for what its programs tell."""

    def __init__(self, above: Path, template: Path, *, cold: bool = False) -> None:
        self.above = above
        self.folder = above / "project"
        self.outside = above / "outside"
        left_out = shutil.ignore_patterns(".xpc") if cold else None
        shutil.copytree(template, self.folder, symlinks=True, ignore=left_out)
        (self.outside / "locks").mkdir(parents=True)
        (self.outside / "log").touch()
        (self.folder / "witness").symlink_to(self.outside)
        self.told: list[Said] = []
        self.cleanup = ExitStack()
        self._going: list[subprocess.Popen[str]] = []

    @property
    def environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("XPC_", "PYTEST_"))}
        return {**kept, "PATH": f"{BIN}:{os.environ['PATH']}", "NO_COLOR": "1", "COLUMNS": "120"}

    points = 3

    @property
    def target(self) -> tuple[str, ...]:
        """Give what a submit is told about where to run."""
        return ()

    @property
    def identity(self) -> Mapping[str, Any]:
        """Say as whom commands are typed; by default as whoever we are."""
        return {}

    def behave(self, script: str) -> None:
        """Tell the programs what to do; *script* is bash, and may set `seconds` or define `at_end`."""
        (self.outside / "behave").write_text(script + "\n")

    def behave_well(self) -> None:
        (self.outside / "behave").unlink(missing_ok=True)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    # -------------------------------------------------------------- commands

    def start(self, *command: str, environ: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Begin a command in a session of its own, with the signals that a terminal leaves."""
        going = subprocess.Popen(
            command,
            cwd=self.folder,
            env={**self.environ, **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=_listen,
            **self.identity,
        )
        self._going.append(going)
        return going

    def finish(self, going: subprocess.Popen[str], deadline: float = DEADLINE) -> Said:
        """Wait until a command has ended. Programs that outlive it keep none of its pipes."""
        try:
            out, err = going.communicate(timeout=deadline)
        except subprocess.TimeoutExpired:
            going.kill()
            out, err = going.communicate(timeout=10)
            raise Violation(f"{going.args} had not ended after {deadline:g} s\n{out}{err}") from None
        said = Said(tuple(map(str, going.args)) if isinstance(going.args, tuple) else (), going.returncode, out, err)
        return self._note(said)

    def _note(self, said: Said) -> Said:
        self.told.append(said)
        if said.status == 70 or ("Traceback" in said.err and not _is_before_us(said)):
            raise Violation(f"a bug of ours: {said}")
        return said

    def type(self, *command: str, environ: Mapping[str, str] | None = None, deadline: float = DEADLINE) -> Said:
        return self.finish(self.start(*command, environ=environ), deadline)

    def xpc(self, *words: str, environ: Mapping[str, str] | None = None, deadline: float = DEADLINE) -> Said:
        if not quick.is_ready() or self.identity or environ is not None:
            return self.type("xpc", *words, environ=environ, deadline=deadline)
        found = quick.run(list(words), self.folder, self.environ, deadline)
        if found is None:
            raise Violation(f"`xpc {' '.join(words)}` had not ended after {deadline:g} s")
        return self._note(Said(("xpc", *words), *found))

    # -------------------------------------------------------------- moments

    def count(self, word: str) -> int:
        """Count what has happened: programs that `begin` or `finish`, attempts that `start` or `end`."""
        if word in ("begin", "finish"):
            return (self.outside / "log").read_bytes().count(word.encode() + b" ")
        logs = (self.folder / ".xpc/events").glob("*.log")
        return sum(path.read_bytes().count(b'"event":"%s"' % word.encode()) for path in logs)

    def until(self, holds: Callable[[], object], deadline: float = 60, what: str = "what was waited for") -> None:
        """Look until something holds."""
        limit = time.monotonic() + deadline
        while not holds():
            if time.monotonic() > limit:
                raise Violation(f"{what} did not happen within {deadline:g} s")
            time.sleep(0.002)

    # -------------------------------------------------------------- the end

    def remove(self) -> None:
        """End the commands that still go on, and remove the folder."""
        for going in self._going:
            if going.poll() is None:
                going.kill()
                going.communicate()
        self.cleanup.close()
        for above, _, _ in os.walk(self.above):
            os.chmod(above, 0o700)
        shutil.rmtree(self.above)


def _is_before_us(said: Said) -> bool:
    """Tell whether a command was interrupted while Python loaded it: those are Python's words, and none of ours yet."""
    loading = "init_import_site" in said.err or "from xpc.cli import main" in said.err
    return loading and said.err.rstrip().endswith("KeyboardInterrupt")


def _listen() -> None:
    """As at a terminal, whatever we were started with: a job in the background ignores these."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
