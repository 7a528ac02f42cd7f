"""A container's image to its digest: its name may mean another one tomorrow."""

# A node may have Python 3.8.

from __future__ import annotations

import json
import os
import time
from typing import Any, Dict, Mapping, Optional, Tuple

from .digest import blake2b
from .interpreter import write_whole

FRESH = 60.0  # seconds that an answer of a runtime holds for the runs of one executor
PATIENCE = 20.0
LARGEST = 1 << 29  # bytes of an image's file that are read for its digest
BLOCK = 1 << 20


class Images:
    """The images of a project's runs. *folder* is where digests of files are kept: to read one takes seconds."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._known: Dict[Tuple[str, str], Tuple[float, Dict[str, Any]]] = {}

    def find(self, runtime: str, image: str, environ: Mapping[str, str], ask: bool) -> Optional[Dict[str, Any]]:
        """Give runtime, name and digest of an image, or a note that nobody can tell; nothing if that has to be asked,
        and *ask* is false. To be asked when the container has ended: before, its image may be on its way."""
        at, known = self._known.get((runtime, image), (0.0, None))
        if known is not None and time.monotonic() - at < FRESH:
            return known
        if not ask:
            return None
        own = self._of_file(image) if runtime == "apptainer" else _of_store(runtime, image, environ)
        if own is None:
            return {"runtime": runtime, "image": image, "note": "its digest is not known"}
        found = {"runtime": runtime, "image": image, **own}
        self._known[runtime, image] = (time.monotonic(), found)
        return found

    def _of_file(self, image: str) -> Optional[Dict[str, Any]]:
        """Give size and digest of an image that is a file; of one elsewhere there is nothing to know."""
        try:
            stat = os.stat(image)
        except OSError:
            return {} if "://" in image else None
        if not os.path.isfile(image) or stat.st_size > LARGEST:
            return {"bytes": stat.st_size, "changed": stat.st_mtime_ns}
        state = [os.path.realpath(image), stat.st_size, stat.st_mtime_ns, stat.st_ino]
        path = os.path.join(
            self._folder, "image-%s.json" % blake2b(json.dumps(state).encode(), digest_size=8).hexdigest()
        )
        try:
            with open(path, "rb") as file:
                digest = json.loads(file.read().decode("utf-8"))["digest"]
        except (OSError, ValueError, KeyError, TypeError):
            digest = _sha256(image)
            if digest is not None:
                write_whole(path, json.dumps({"schema": "xpc.image/1", "digest": digest}).encode())
        return {"bytes": stat.st_size, "digest": digest}


def _sha256(path: str) -> Optional[str]:
    from hashlib import sha256

    whole = sha256()
    try:
        with open(path, "rb") as file:
            for block in iter(lambda: file.read(BLOCK), b""):
                whole.update(block)
    except OSError:
        return None
    return "sha256:" + whole.hexdigest()


def _of_store(runtime: str, image: str, environ: Mapping[str, str]) -> Optional[Dict[str, Any]]:
    """Ask podman or docker for an image that is here."""
    import subprocess

    command = [runtime, "image", "inspect", image]
    try:
        done = subprocess.run(
            command,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE,
        )
        said = json.loads(done.stdout.decode("utf-8", "replace"))[0]
        id, named = str(said["Id"]), said.get("RepoDigests")
    except (OSError, ValueError, LookupError, TypeError, AttributeError, subprocess.SubprocessError):
        return None
    digests = sorted(name.rpartition("@")[2] for name in named or () if isinstance(name, str))
    return {
        "id": str(id) if str(id).startswith("sha256:") else "sha256:%s" % id,
        "digest": digests[0] if digests else None,
    }
