"""The first lines of the archive: finds the shim compiled for this Python, or has it compiled for the tasks to come.

Python compiles what it imports from an archive anew each time: that costs a task more than all else that the shim does.
"""

from __future__ import annotations

import os
import sys
import zipimport
from typing import Callable, Optional

FOLDER = "shim"  # below .xpc
PACKAGE = "_xpc_shim"


def compiled(archive: str) -> Optional[str]:
    """Give where the compiled form of an archive is or would be, beside the builds; nothing if it lies elsewhere."""
    home = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(archive))))
    tag = sys.implementation.cache_tag
    if os.path.basename(home) != ".xpc" or not tag:
        return None
    with open(archive, "rb") as file:
        return os.path.join(home, FOLDER, "%s.%s.zip" % (_digest(file.read()), tag))


def _digest(data: bytes) -> str:
    try:
        from _blake2 import blake2b  # as in hashlib, which loads much more
    except ImportError:
        from hashlib import blake2b
    return blake2b(data, digest_size=8).hexdigest()


def run(load: Callable[[], Callable[[], int]]) -> int:
    """Run the shim, which *load* imports; leave its compiled form behind if there is none."""
    archive = sys.path[0]
    place = compiled(archive)
    known = place is not None and os.path.exists(place)
    if known:
        sys.path.insert(0, str(place))
    status = load()()
    if place is not None and not known:
        try:
            write(archive, place)
        except (OSError, zipimport.ZipImportError):
            return status  # the next one is no faster, that is all
    return status


def write(archive: str, place: str) -> None:
    """Compile the shim in *archive* into *place*; of two that do so at once, one wins with the same bytes."""
    import importlib.util
    import marshal
    import zipfile

    os.makedirs(os.path.dirname(place), exist_ok=True)
    aside = "%s.%s-%d" % (place, os.uname().nodename, os.getpid())
    source = zipfile.ZipFile(archive)
    header = (
        importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8)
    )  # to be taken without a look at a source
    try:
        with source, zipfile.ZipFile(aside, "x", zipfile.ZIP_STORED) as target:
            for name in source.namelist():
                if name.startswith(PACKAGE + "/"):
                    code = compile(source.read(name), os.path.join(archive, name), "exec", dont_inherit=True)
                    target.writestr(name + "c", header + marshal.dumps(code))
        os.replace(aside, place)
    except BaseException:
        if os.path.exists(aside):
            os.unlink(aside)
        raise
