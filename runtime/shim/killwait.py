"""How long SLURM waits between TERM and KILL, asked of it only when a program does not leave at once."""

from __future__ import annotations

import re
import subprocess
import time
from typing import Optional

ASK_AFTER = 1.0  # seconds: nearly every program has left by then
SPARE = 0.4  # the part of that time, at most 3 seconds, that is left for writing the end line


class KillWait:
    """Asks `scontrol` without waiting for it. *begun* is when the task got TERM, by the monotonic clock."""

    def __init__(self, begun: float) -> None:
        self._begun = begun
        self._asked: "Optional[subprocess.Popen[str]]" = None
        self._answer: Optional[float] = None
        self._over = False

    def answer(self) -> Optional[float]:
        """Give when the program is to be killed; nothing while nobody knows."""
        if self._asked is None and not self._over and time.monotonic() - self._begun >= ASK_AFTER:
            self._ask()
        if self._asked is not None and self._asked.poll() is not None:
            assert self._asked.stdout is not None
            with self._asked.stdout:
                wait = parse(self._asked.stdout.read())
            self._asked, self._over = None, True
            if wait is not None:
                self._answer = self._begun + wait - min(3.0, SPARE * wait)
        return self._answer

    def _ask(self) -> None:
        try:
            self._asked = subprocess.Popen(
                ["scontrol", "show", "config"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except OSError:
            self._over = True  # no scontrol: our own patience counts


def parse(config: str) -> Optional[float]:
    """Read `KillWait = 30 sec` out of what `scontrol show config` prints."""
    found = re.search(r"^KillWait\s*=\s*(\d+)", config, re.MULTILINE)
    return float(found[1]) if found else None
