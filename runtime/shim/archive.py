"""The shim as one file that any Python 3.8 runs; the same bytes wherever it is made."""

from __future__ import annotations

import io
import os
import zipfile

SHEBANG = b"#!/usr/bin/env python3\n"
WHEN = (1980, 1, 1, 0, 0, 0)  # the oldest time that a zip file can tell
PACKAGE = "_xpc_shim"  # the archive stands on the programs' PYTHONPATH: no name in it may hide one of theirs
# Any Python understands the start, so that one which is too old is told so.
START = b"""import sys

if sys.version_info < (3, 8):
    found = (sys.executable,) + sys.version_info[:2]
    sys.stderr.write("Python 3.8 or newer is needed, and %s is %d.%d\\n" % found)
    sys.exit(78)

from _xpc_start import run


def load():
    from _xpc_shim.main import main

    return main


sys.exit(run(load))
"""
API = ("__init__.py", "_adhoc.py", "_metrics.py", "_run.py", "py.typed")  # what a program gets from `import xpc`


def build() -> bytes:
    """Give the archive: the shim, and the part of xpc that scripts import."""
    here = os.path.dirname(os.path.abspath(__file__))
    home = _package_folder()
    files = {"__main__.py": START}
    for name in os.listdir(here):
        if name == "start.py":
            files["_xpc_start.py"] = _read(os.path.join(here, name))
        elif name.endswith(".py") and name != "archive.py":
            files["%s/%s" % (PACKAGE, name)] = _read(os.path.join(here, name))
    for name in API:
        files["xpc/" + name] = _read(os.path.join(home, name))
    whole = io.BytesIO()
    whole.write(SHEBANG)
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, WHEN)
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[name])
    return whole.getvalue()


def _package_folder() -> str:
    import xpc

    return os.path.dirname(os.path.abspath(str(xpc.__file__)))


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
