"""The process that `prefork.py` starts: loads xpc, and forks a process for each command that it is sent."""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import socket
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn

LENGTH = 8  # bytes of a number on the line


def to_bytes(number: int) -> bytes:
    return number.to_bytes(LENGTH, "big", signed=True)


def number(line: socket.socket) -> int:
    """Give the next number of a line."""
    return int.from_bytes(exactly(line, LENGTH), "big", signed=True)


def exactly(line: socket.socket, count: int) -> bytes:
    """Give the next *count* bytes of a line."""
    data = b""
    while len(data) < count:
        part = line.recv(count - len(data))
        assert part, "the other side has ended"
        data += part
    return data


def load() -> None:
    """Import what commands import, and make what they make anew in each process: the tables of the grammar."""
    import xpc
    from xpc.grammar.diagnostic import Diagnostics
    from xpc.grammar.parser import parse, parse_query
    from xpc.grammar.source import Source

    for module in pkgutil.walk_packages(xpc.__path__, "xpc."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    parse(Source("Experimentfile", 'experiment a:\n    run "true"\n'), Diagnostics())
    parse_query(Source("<query>", "from a show count()"), Diagnostics())


def serve(line: socket.socket) -> None:
    """Fork a process for each command that comes, until nobody can send one; a forked one ends here."""
    while True:
        head, fds, _, _ = socket.recv_fds(line, LENGTH, 2)
        if not head:
            return
        request = json.loads(exactly(line, int.from_bytes(head, "big", signed=True)))
        pid = os.fork()
        if pid == 0:
            line.close()
            _end(command(request, *fds))
        for fd in fds:
            os.close(fd)
        line.sendall(to_bytes(pid))
        _, status = os.waitpid(pid, 0)
        line.sendall(to_bytes(os.waitstatus_to_exitcode(status)))


def _end(status: int) -> NoReturn:
    """End as a process does, without taking apart all that was loaded: that takes longer than a short command."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def command(request: dict[str, Any], out: int, err: int) -> int:
    """Become the process that a shell would have started; give its exit status."""
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.close(out)
    os.close(err)
    os.umask(request["umask"])
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environ"])
    sys.argv = [str(Path(sys.executable).with_name("xpc")), *request["words"]]
    from xpc.cli import main

    return main()


if __name__ == "__main__":
    sys.path[0] = str(Path(sys.executable).parent)  # as for the program `xpc`
    load()
    gc.freeze()  # a collection in a forked process shall not touch, and so copy, what was loaded
    serve(socket.socket(fileno=int(sys.argv[1])))
