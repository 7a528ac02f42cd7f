"""The outputs that a run declares: which are there at its end, and which of them it had found there."""

from __future__ import annotations

import os
from typing import Any, Dict, List, Mapping, Optional, Tuple


class Outputs:
    """The *paths* by name, relative to *home*, of the run in *folder*; looked at now, before its program starts."""

    def __init__(self, paths: Mapping[str, str], home: str, folder: str) -> None:
        self._paths = paths
        self._home = home
        self._folder = folder
        self._before = {name: self._stat(path) for name, path in paths.items()}

    def check(self) -> Tuple[Dict[str, Any], List[str]]:
        """Give what the end line says of each, and the paths of those that are missing."""
        found: Dict[str, Any] = {}
        missing: List[str] = []
        for name, path in self._paths.items():
            stat = self._stat(path)
            if stat is None:
                missing.append(path)
                continue
            relative = os.path.relpath(os.path.join(self._home, path), self._folder)
            found[name] = {"path": relative, "bytes": stat[1], "carried": self._before[name] == stat}
        return found, missing

    def _stat(self, path: str) -> Optional[Tuple[int, int, int]]:
        """Tell a file from what it was before: inode, size, time of change. A folder counts as an output too."""
        try:
            stat = os.stat(os.path.join(self._home, path))
        except OSError:
            return None
        return stat.st_ino, stat.st_size, stat.st_mtime_ns
