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
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SERVER = Path(__file__).with_name("prefork_server.py")
SHELL = frozenset("|&;<>()$`\\\n*?[]{}~#!")  # in words that are not quoted, the shell may do something with these
AT_START = ("PYTHON", "LC_", "LANG", "TZ", "LD_")  # variables that a process reads before it runs xpc
LENGTH = 8  # bytes of a number on the line


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
    """The process that has loaded xpc; commands come to it through *line*."""

    line: socket.socket
    process: subprocess.Popen[bytes]
    at_start: Mapping[str, str]

    def close(self) -> None:
        self.line.close()
        self.process.wait()


@cache
def server() -> Server:
    """Start it, once in a process that runs tests."""
    ours, theirs = socket.socketpair()
    command = [sys.executable, str(SERVER), str(theirs.fileno())]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, cwd="/", pass_fds=[theirs.fileno()])
    theirs.close()
    found = Server(ours, process, _at_start(os.environ))
    atexit.register(found.close)
    return found


def _at_start(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name.startswith(AT_START)}


def can_run(environ: Mapping[str, str]) -> bool:
    """Tell whether nothing in *environ* has changed that counts before xpc runs."""
    return _at_start(environ) == server().at_start


def run(words: list[str], folder: Path, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run `xpc` with these words in *folder*; all that it and what it left behind print is waited for."""
    mask = os.umask(0)
    os.umask(mask)
    request = json.dumps(
        {"words": words, "folder": os.fspath(folder), "environ": dict(environ), "umask": mask}
    ).encode()
    (out, theirs_out), (err, theirs_err) = os.pipe(), os.pipe()
    line = server().line
    socket.send_fds(line, [len(request).to_bytes(LENGTH, "big")], [theirs_out, theirs_err])
    line.sendall(request)
    os.close(theirs_out)
    os.close(theirs_err)
    texts = _read(out, err)
    status = int.from_bytes(exactly(line, LENGTH), "big", signed=True)
    return subprocess.CompletedProcess(["xpc", *words], status, *(text.decode() for text in texts))


def _read(*pipes: int) -> list[bytes]:
    """Read pipes until nobody holds them any more."""
    texts = {pipe: bytearray() for pipe in pipes}
    with selectors.DefaultSelector() as selector:
        for pipe in pipes:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                assert isinstance(key.fileobj, int)
                part = os.read(key.fileobj, 1 << 16)
                texts[key.fileobj] += part
                if not part:
                    selector.unregister(key.fileobj)
                    os.close(key.fileobj)
    return [bytes(texts[pipe]) for pipe in pipes]


def exactly(line: socket.socket, count: int) -> bytes:
    """Give the next *count* bytes of a line."""
    data = b""
    while len(data) < count:
        part = line.recv(count - len(data))
        assert part, "the other side has ended"
        data += part
    return data
