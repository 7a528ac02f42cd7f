"""Types `xpc` commands in processes of their own, forked from one that has loaded the program already.

A command's start, which is most of what a short one costs, is so paid once and not for each of hundreds of commands.
All else is as at a terminal: a process with its own folder, environment, umask and streams, and its exit status.
"""

from __future__ import annotations

import atexit
import json
import os
import selectors
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from prefork_server import number, to_bytes

SERVER = Path(__file__).with_name("prefork_server.py")
SHELL = frozenset("|&;<>()$`\\\n*?[]{}~#!")  # in words that are not quoted, the shell may do something with these
AT_START = ("PYTHON", "LC_", "LANG", "TZ", "LD_")  # variables that a process reads before it runs xpc


def words_of(command: str) -> list[str] | None:
    """Give the words after `xpc`, if the command is that alone and a shell would make nothing else of it."""
    outside, inside_double = _parts(command)
    if SHELL & set(outside) or set("$`\\!") & set(inside_double):
        return None
    lexer = shlex.shlex(command, posix=True)
    lexer.whitespace_split, lexer.commenters, lexer.escape = True, "", ""
    try:
        words = list(lexer)
    except ValueError:
        return None
    return words[1:] if words[:1] == ["xpc"] else None


def _parts(command: str) -> tuple[str, str]:
    """Give all that is in no quotes, and all that is in double ones."""
    texts, quote = {"": "", "'": "", '"': ""}, ""
    for letter in command:
        if letter == quote or (not quote and letter in texts):
            quote = "" if quote else letter
        else:
            texts[quote] += letter
    return texts[""], texts['"']


@dataclass(frozen=True, slots=True)
class Server:
    """A process that has loaded xpc; commands come to it through *line*."""

    line: socket.socket
    process: subprocess.Popen[bytes]
    at_start: Mapping[str, str]

    def close(self) -> None:
        self.line.close()
        self.process.wait()


@cache
def server(*python: str) -> Server:
    """Start one, once in a process that runs tests; the command *python* may start it as another user."""
    ours, theirs = socket.socketpair()
    command = [*python, "-c", SERVER.read_text(), str(theirs.fileno())]  # that user may not be able to read it here
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, cwd="/", pass_fds=[theirs.fileno()])
    theirs.close()
    found = Server(ours, process, _at_start(os.environ))
    atexit.register(found.close)
    return found


def _at_start(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name.startswith(AT_START)}


def can_run(environ: Mapping[str, str]) -> bool:
    """Tell whether nothing in *environ* has changed that counts before xpc runs."""
    return _at_start(environ) == server(sys.executable).at_start


def run(
    words: list[str],
    folder: Path,
    environ: Mapping[str, str],
    *,
    python: tuple[str, ...] = (sys.executable,),
    umask: int | None = None,
    timeout: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run `xpc` with these words in *folder*; all that it and what it left behind print is waited for."""
    mask = os.umask(0)
    os.umask(mask)
    mask = mask if umask is None else umask
    wanted = {"words": words, "folder": str(folder.absolute()), "environ": dict(environ), "umask": mask}
    request = json.dumps(wanted).encode()
    (out, theirs_out), (err, theirs_err) = os.pipe(), os.pipe()
    line = server(*python).line
    socket.send_fds(line, [to_bytes(len(request))], [theirs_out, theirs_err])
    line.sendall(request)
    os.close(theirs_out)
    os.close(theirs_err)
    pid = number(line)
    texts = _read(out, err, timeout=timeout)
    if texts is None:
        os.kill(pid, signal.SIGKILL)
    status = number(line)
    if texts is None:
        raise subprocess.TimeoutExpired(["xpc", *words], timeout or 0)
    return subprocess.CompletedProcess(["xpc", *words], status, *(text.decode() for text in texts))


def _read(*pipes: int, timeout: float | None) -> list[bytes] | None:
    """Read pipes until nobody holds them any more; give nothing if that takes longer than *timeout* seconds."""
    texts = {pipe: bytearray() for pipe in pipes}
    deadline = None if timeout is None else time.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        for pipe in pipes:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(None if deadline is None else deadline - time.monotonic())
            for key, _ in ready:
                assert isinstance(key.fileobj, int)
                part = os.read(key.fileobj, 1 << 16)
                texts[key.fileobj] += part
                if not part:
                    selector.unregister(key.fileobj)
            if not ready:
                break
        late = bool(selector.get_map())
    for pipe in pipes:
        os.close(pipe)
    return None if late else [bytes(texts[pipe]) for pipe in pipes]
