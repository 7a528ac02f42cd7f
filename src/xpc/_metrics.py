"""Numbers to lines of a metrics file: encoded when they are logged, on their way to it within a second."""

# A node may have Python 3.8.
# ruff: noqa: UP006, UP031, UP035, UP045

from __future__ import annotations

import json
import math
import os
import sys
import threading
import time
from typing import Any, Dict, List, Mapping, Optional

FLUSH_EVERY = 1.0  # seconds that a logged line may wait in memory
MOST_WAITING = 1 << 16  # characters

_quote = json.JSONEncoder(ensure_ascii=False).encode
_names: Dict[str, str] = {}  # `"loss":` by `loss`


def encode(now: float, step: Optional[Any], metrics: Mapping[str, Any]) -> str:
    """Give a step's line. What JSON lacks (NaN, infinities) is null."""
    parts = ['{"time":%.6f' % now]
    if step is not None:
        parts.append(',"step":' + number(step))
    for name, value in metrics.items():
        key = _names.get(name)
        if key is None:
            key = _names[name] = "," + _quote(name) + ":"
        parts.append(key + number(value))
    parts.append("}\n")
    return "".join(parts)


def number(value: Any) -> str:
    """Give a number as JSON; raises ``TypeError`` or whatever its own conversion raises if it is none."""
    kind = type(value)
    if kind is float:
        return repr(value) if math.isfinite(value) else "null"
    if kind is int:
        return repr(value)
    if kind is bool:
        return "1" if value else "0"
    if value is None:
        return "null"
    item = getattr(value, "item", None)  # numpy's and torch's scalars
    plain = item() if callable(item) else float(value) if not isinstance(value, (str, bytes)) else value
    if type(plain) not in (float, int, bool):
        raise TypeError("%s is not a number" % type(value).__name__)
    return number(plain)


class MetricsFile:
    """Appends lines to one file. They are on their way to it a second after they were added, whatever happens next."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._lines: List[str] = []
        self._size = 0
        self._written = 0.0
        self._lock = threading.RLock()  # a signal's handler may log while its thread does
        self._flusher: Optional[threading.Thread] = None
        self._wake = threading.Event()
        self._told: Dict[str, bool] = {}
        os.register_at_fork(before=self._before_fork, after_in_parent=self._lock_release, after_in_child=self._forked)

    def add(self, line: str) -> None:
        """Add a whole line. If nothing was written for a while it is written at once, else together with others."""
        with self._lock:
            self._lines.append(line)
            self._size += len(line)
            if self._size >= MOST_WAITING or time.monotonic() - self._written >= FLUSH_EVERY:
                self._write()
                return
            if self._flusher is None and not self._start_flusher():
                self._write()
                return
        if not self._wake.is_set():
            self._wake.set()

    def flush(self) -> None:
        with self._lock:
            self._write()

    def warn(self, text: str) -> None:
        """Tell once of each thing that could not be recorded."""
        if text not in self._told:
            self._told[text] = True
            print("xpc: " + text, file=sys.stderr)

    def _start_flusher(self) -> bool:
        """Start the thread that writes what waits; Python 3.12 and later start none once the interpreter shuts down."""
        thread = threading.Thread(target=self._flush_forever, name="xpc-metrics", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return False
        self._flusher = thread
        return True

    def _flush_forever(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            time.sleep(FLUSH_EVERY / 2)
            self.flush()

    def _write(self) -> None:
        lines, self._lines, self._size = self._lines, [], 0
        self._written = time.monotonic()
        if not lines:
            return
        data = memoryview("".join(lines).encode("utf-8", "backslashreplace"))
        try:
            file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), 0o666)
            try:
                while data:
                    data = data[os.write(file, data) :]
            finally:
                os.close(file)
        except OSError as error:
            self.warn("metrics can't be written: %s" % error)

    def _before_fork(self) -> None:
        """What was logged before a fork is written by the parent alone."""
        self._lock.acquire()
        self._write()

    def _lock_release(self) -> None:
        self._lock.release()

    def _forked(self) -> None:
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._flusher = None
