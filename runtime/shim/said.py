"""A text to the log of the task; a disk that is full must not change how the task ends."""

from __future__ import annotations

import contextlib
import os


def tell(text: str) -> None:
    """Write a line past the buffers: Python would end with a status of its own if it could not empty them."""
    with contextlib.suppress(OSError):
        os.write(2, (text + "\n").encode("utf-8", "surrogateescape"))
