"""A file of a run to its bytes, be the run a folder or in a pack."""

from __future__ import annotations

import io
import os
from typing import BinaryIO

from .shim import packs
from .shim.regular import open_regular


def open_file(path: str) -> BinaryIO:
    """Open a file of a run for reading; raises ``FileNotFoundError`` if the run has none of that name.

    *path* is where the file is, or would be if its run were not packed. A run's own folder comes before a pack.
    """
    try:
        return open_regular(path)
    except FileNotFoundError:
        folder, name = os.path.split(path)
        data = None if os.path.isdir(folder) else packs.read(folder, name)
        if data is None:
            raise
        return io.BytesIO(data)


def exists(path: str) -> bool:
    """Tell whether a run has this file, in its folder or in a pack."""
    folder, name = os.path.split(path)
    return os.path.exists(path) or (not os.path.isdir(folder) and packs.read(folder, name) is not None)


def is_packed(folder: str) -> bool:
    """Tell whether a run is in a pack and has no folder of its own."""
    return not os.path.isdir(folder) and packs.find(folder) is not None
