"""The exit status of a task, as its scheduler kept it, to how the task ended: the shim's own codes mean something."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ..states import State

OF_SHIM: Final[dict[int, tuple[State, str]]] = {
    74: ("lost", "exit 74: its end could not be written"),
    75: ("lost", "exit 75: another task held the run, or its folder was out of reach"),
    76: ("skipped", "exit 76: a parent is not done"),
    77: ("cancelled", "exit 77: it had been cancelled before"),
    78: ("lost", "exit 78: the node could not run it"),
}
OUTSIDE: Final = frozenset((signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP))


def of_exit(code: int, by_signal: int) -> tuple[State, str]:
    """Give the state that an exit status stands for, and the words for it."""
    if by_signal:
        try:
            name = signal.Signals(by_signal).name
        except ValueError:
            name = f"signal {by_signal}"
        return ("killed" if by_signal in OUTSIDE else "lost"), name
    if code == 0:
        return "done", ""
    return OF_SHIM.get(code, ("failed", f"exit {code}"))
