"""Commands of xpc in children of a process that has loaded it already: a look need not begin from nothing.

What a fault strikes is always a command of its own. This is for the looks before and after, of which there are many.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

_ready: list[bool] = []


def warm(folder: Path) -> None:
    """Load all of xpc into this process, by asking for the states of a study in *folder*; from now on it is quick."""
    import importlib
    import pkgutil

    import xpc

    for found in pkgutil.walk_packages(xpc.__path__, "xpc."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
    before = os.getcwd()
    os.chdir(folder)
    with contextlib.redirect_stdout(io.StringIO()):
        xpc_main()(["status"])
        xpc_main()(["query", "show id, status, text", "--format", "json"])
    os.chdir(before)
    gc.collect()
    gc.freeze()
    _ready.append(True)


def is_ready() -> bool:
    return bool(_ready)


def xpc_main():  # type: ignore[no-untyped-def]
    from xpc.cli import main

    return main


def run(arguments: list[str], folder: Path, environ: Mapping[str, str], deadline: float) -> tuple[int, str, str] | None:
    """Run a command in *folder*; give its exit status and what it printed, and nothing if it had not ended in time."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if not pid:
            _be(arguments, folder, environ, out.fileno(), err.fileno())
        status = _wait(pid, deadline)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    return None if status is None else (status, texts[0], texts[1])


def _be(arguments: list[str], folder: Path, environ: Mapping[str, str], out: int, err: int) -> None:
    """Be the command, to its end."""
    status = 70
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in (signal.SIGHUP, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.environ.clear()
        os.environ.update(environ)
        os.chdir(folder)
        sys.argv = ["xpc", *arguments]
        status = xpc_main()(arguments)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)


def _wait(pid: int, deadline: float) -> int | None:
    limit = time.monotonic() + deadline
    while time.monotonic() < limit:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None
