"""What a program runs in to a record by its hash: Python and packages, machine, container image, variables."""

# A node may have Python 3.8.

from __future__ import annotations

import json
import os
from typing import Any, Collection, Dict, Mapping, NamedTuple, Optional, Sequence, Tuple

from .chosen_variables import chosen
from .digest import blake2b
from .image_record import Images
from .interpreter import Interpreters, find, write_whole
from .machine_record import machine_record

FOLDER = os.path.join(".xpc", "environments")
SCHEMA = "xpc.environment/1"


class Program(NamedTuple):
    """What a record is made of: a command, the variables that it sees, its working directory, the names of its secrets;
    *image* is runtime and image if it runs in a container, which that runtime finds with the variables *outside*."""

    argv: Sequence[str]
    environ: Mapping[str, str]
    cwd: str
    secrets: Collection[str]
    image: Optional[Tuple[str, str]] = None
    outside: Mapping[str, str] = {}


class Environments:
    """The environments of a project's runs. *ours* are folders on the path of Python that hold code of runs."""

    def __init__(self, project: str, ours: Sequence[str] = ()) -> None:
        self.folder = os.path.join(project, FOLDER)
        self._ours = tuple(ours)
        self._interpreters = Interpreters(self.folder, ours)
        self._images = Images(self.folder)
        self._machine: Optional[Dict[str, Any]] = None

    def record(self, program: Program, ask: bool) -> Optional[str]:
        """Write down what a program runs in, unless that is there; give its hash.

        Nothing if it can't be written, or if *ask* is false and a Python or a container's runtime has to be asked
        first, which takes a moment. Of a container nobody asks what is in it: its image says that.
        """
        python: Optional[Dict[str, Any]] = None
        container: Optional[Dict[str, Any]] = None
        if program.image is not None:
            container = self._images.find(*program.image, program.outside, ask)
            if container is None:
                return None
        else:
            path = find(program.argv, program.environ, program.cwd)
            python = None if path is None else self._interpreters.find(path, program.environ, program.cwd, ask)
            if path is not None and python is None:
                return None
        if self._machine is None:
            self._machine = machine_record()
        whole = {
            "schema": SCHEMA,
            "python": python,
            "modules": _modules(program.environ),
            "machine": self._machine,
            "container": container,
            "variables": chosen(self._outer(program.environ), program.secrets),
        }
        return self._keep(json.dumps(whole, sort_keys=True, separators=(",", ":")).encode())

    def _outer(self, environ: Mapping[str, str]) -> Mapping[str, str]:
        """Give the variables without the folders of this very run's code."""
        found = {name: value for name, value in environ.items() if name != "PYTHONPATH"}
        paths = [path for path in environ.get("PYTHONPATH", "").split(os.pathsep) if path and not self._is_ours(path)]
        if paths:
            found["PYTHONPATH"] = os.pathsep.join(paths)
        return found

    def _is_ours(self, path: str) -> bool:
        return any(path == ours or path.startswith(ours + os.sep) for ours in self._ours)

    def _keep(self, data: bytes) -> Optional[str]:
        name = blake2b(data, digest_size=8).hexdigest()
        path = os.path.join(self.folder, name + ".json")
        return name if os.path.exists(path) or write_whole(path, data + b"\n") else None


def _modules(environ: Mapping[str, str]) -> Sequence[str]:
    """Give the modules that are loaded, in their order."""
    return [name for name in environ.get("LOADEDMODULES", "").split(":") if name]
