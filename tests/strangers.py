"""Types commands over what strangers wrote: each must come back in time, say what is wrong, and obey nothing."""

from __future__ import annotations

import io
import os
import re
import signal
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from types import FrameType
from unittest.mock import patch

from xpc.cli.failure import OUR_BUG, run_guarded

PATIENCE = 60  # seconds of one command; what waits for a pipe waits for ever

# What a terminal obeys: all controls but tab and line ends, and what reorders a line.
OBEYED = re.compile(r"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
ESCAPES = "\x1b]52;c;cm0gLXJmIH4=\x07\x1b[2J\x1b[1A\x9b31m\u202eevil\r\b"


@contextmanager
def patience(seconds: int = PATIENCE) -> Iterator[None]:
    """Fail where what is inside takes longer."""

    def ring(_signal: int, _frame: FrameType | None) -> None:
        raise AssertionError(f"it took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def answer(folder: Path, *arguments: str) -> tuple[int, str]:
    """Type ``xpc ARGUMENTS`` in *folder* in this process; give its status and all that it printed."""
    bytes_ = io.BytesIO()
    out = io.TextIOWrapper(bytes_, "utf-8", newline="", write_through=True)
    err = io.TextIOWrapper(bytes_, "utf-8", "backslashreplace", newline="", write_through=True)
    environment = dict(os.environ)
    # On a terminal click would leave in what it takes out elsewhere: what is printed there is looked at.
    unstripped = patch("click.utils.should_strip_ansi", lambda stream=None, color=None: False)
    os.environ.update(NO_COLOR="1", COLUMNS="100")
    try:
        with chdir(folder), redirect_stdout(out), redirect_stderr(err), unstripped, patience():
            status = run_guarded(list(arguments))
    finally:
        os.environ.clear()
        os.environ.update(environment)
    return status, bytes_.getvalue().decode()


def typed(folder: Path, *arguments: str) -> str:
    """Type a command that may refuse, but never breaks and never prints what a terminal obeys; give what it printed."""
    status, text = answer(folder, *arguments)
    assert status != OUR_BUG, f"xpc {arguments}\n{text}"
    assert "Traceback (most recent call last)" not in text or "site-packages" not in text, text
    found = OBEYED.search(text)
    assert found is None, (
        f"xpc {arguments} prints {found[0]!r} in {text[max(0, found.start() - 80) : found.end() + 80]!r}"
    )
    return text


def everything(folder: Path) -> dict[str, bytes | str]:
    """Give all files below *folder* and where its links lead."""
    found: dict[str, bytes | str] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif path.is_file():
            found[name] = path.read_bytes()
    return found
