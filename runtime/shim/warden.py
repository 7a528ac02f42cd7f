"""A process that outlives a shim which is killed, only to kill what that leaves running."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import List, Optional

from . import processes, program

PATIENCE = 10.0  # seconds; what the kernel still holds then can't be killed


class Warden:
    """Waits for the end of this process. *mark* tells the attempt's processes from all others (`processes.mark_of`);
    *remove* is the command that removes its container, if it runs in one."""

    def __init__(self, mark: str, remove: Optional[List[str]] = None) -> None:
        read, self._pipe = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            code = 1
            try:
                os.close(self._pipe)
                _guard(read, mark, remove)
                code = 0
            finally:
                os._exit(code)  # nothing of the shim's own end may happen twice
        os.close(read)

    def watch(self, program: int) -> None:
        """Say which program is to be killed if we are."""
        os.write(self._pipe, b"%d\n" % program)

    def dismiss(self) -> None:
        """Send it home: all is well."""
        with contextlib.suppress(BrokenPipeError):  # somebody has killed it, which is no harm now
            os.write(self._pipe, b"bye\n")
        os.close(self._pipe)
        try:
            os.waitpid(self.pid, 0)
        except ChildProcessError:
            return


def _guard(read: int, mark: str, remove: Optional[List[str]]) -> None:
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    said = b""
    while True:
        part = os.read(read, 4096)
        if not part:
            break
        said += part
    lines = said.split()
    if b"bye" in lines:
        return
    pid = int(lines[0]) if lines else -1  # killed before it could name its program
    if remove is not None:
        program.run_quietly(remove)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        table = processes.table()
        left = {one for one, process in table.items() if process.session == pid or one == pid}
        left = processes.descendants(left, table) | set(processes.marked(mark))
        if not left:
            return
        processes.send(left, signal.SIGKILL)
        time.sleep(0.01)  # the kernel takes its time to end them; what has begun meanwhile is found next time
