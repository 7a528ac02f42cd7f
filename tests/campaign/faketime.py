"""Where libfaketime is: it gives a program another time than the machine's."""

from __future__ import annotations

from glob import glob
from typing import Final

PLACES: Final = ("/usr/lib/*/faketime/libfaketime.so.1", "/usr/local/lib/faketime/libfaketime.so.1")


def library() -> str | None:
    """Give the path of the library, if it is installed."""
    return next((path for pattern in PLACES for path in sorted(glob(pattern))), None)
