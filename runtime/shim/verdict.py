"""How a program ended to the state of its run: what is known is said, and nothing is guessed into `failed`."""

from __future__ import annotations

import errno
import os
import signal
from typing import Any, Dict, List, NamedTuple, Optional

from . import machine

CRASHES = {"SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSYS", "SIGTRAP"}
NOT_FOUND, NOT_EXECUTABLE = 127, 126
# What the machine lacks, for this run as for any other.
DISK = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.ESTALE)
STARVED = (*DISK, errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE)


class Cause(NamedTuple):
    """Why we ended a program, or never started it: a state, a text for people, an exit code if there is one.

    *by* is ``task`` if the task was told from outside to end: its scheduler knows why.
    """

    state: str
    reason: str
    exit: Optional[int] = None
    by: Optional[str] = None


def judge(
    status: Optional[int], cause: Optional[Cause], missing: List[str], kind: str, oom_kills_before: int
) -> Dict[str, Any]:
    """Give state, exit code, signal and reason. *status* is what ``wait`` gave, *missing* are outputs not there."""
    code, number = _decode(status)
    name = _signal_name(number) if number else None
    if cause is not None:
        return _end(cause.state, cause.exit if cause.exit is not None else code, name, cause.reason)
    if number is None and kind == "script" and code is not None and code > 128:
        # A shell says so when the last command of a script was ended by a signal.
        name, number = _signal_name(code - 128), code - 128
        if name not in CRASHES and name not in ("SIGKILL", "SIGTERM", "SIGHUP", "SIGINT"):
            name = number = None
    if number is not None:
        return _by_signal(code, name or "", oom_kills_before)
    if code:
        return _end("failed", code, None, None)
    if missing:
        return _end("failed", code, None, "output missing: %s" % ", ".join(missing))
    return _end("done", code, None, None)


def after_warning(end: Dict[str, Any], cause: Optional[Cause], complete: bool) -> Dict[str, Any]:
    """Judge a program that was told that its time is nearly up: done if it says so and has made all its outputs
    (*complete*), else it is to go on in another attempt."""
    if cause is not None and cause.state != "timeout":
        return end  # something else came first
    if cause is not None:
        said = "it did not leave in time"
    elif end["state"] == "done" and complete:
        return end
    elif end["reason"] is None:
        said = "it left with exit status %s" % end["exit"]
    else:
        said = "it left: %s" % end["reason"]
    return dict(end, state="timeout", reason="checkpointed: " + said, checkpointed=True)


def _by_signal(code: Optional[int], name: str, oom_kills_before: int) -> Dict[str, Any]:
    if name in CRASHES:
        return _end("failed", code, name, "crashed with %s" % name)
    if name == "SIGKILL" and machine.oom_kills() > oom_kills_before:
        return _end("oom", code, name, "killed while the kernel was out of memory")
    return _end("killed", code, name, "killed by %s" % name)


def _end(state: str, code: Optional[int], name: Optional[str], reason: Optional[str]) -> Dict[str, Any]:
    return {"state": state, "exit": code, "signal": name, "reason": reason}


def _decode(status: Optional[int]) -> "tuple[Optional[int], Optional[int]]":
    """Give the exit code or the number of the signal of a wait status."""
    if status is None:
        return None, None
    if os.WIFSIGNALED(status):
        return None, os.WTERMSIG(status)
    return os.WEXITSTATUS(status), None


def _signal_name(number: int) -> Optional[str]:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "signal %d" % number


def not_started(error: OSError, program: str, cwd: str) -> Cause:
    """Say why a program could not be started."""
    if isinstance(error, FileNotFoundError) and os.path.isdir(cwd):
        return Cause("failed", "command not found: %s" % program, NOT_FOUND)
    if isinstance(error, PermissionError):
        return Cause("failed", "not executable: %s" % program, NOT_EXECUTABLE)
    reason = "%s can't be started: %s" % (program, error.strerror or error)
    return Cause("cancelled", reason) if error.errno in STARVED else Cause("failed", reason, NOT_EXECUTABLE)


def not_prepared(error: Exception) -> Cause:
    """Say why a run's folder could not be made. What the machine refuses is no failure of the run's."""
    if not isinstance(error, OSError):
        return Cause("failed", str(error))
    reason = "its folder can't be made: %s" % (error.strerror or error)
    return Cause("cancelled" if error.errno in STARVED else "failed", reason)
