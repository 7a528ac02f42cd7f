"""A program's command to the Python that it uses, and that Python's packages: asked once, kept in the project."""

# A node may have Python 3.8.

from __future__ import annotations

import json
import os
import time
from typing import Any, Dict, List, Mapping, Optional, Sequence

from .digest import blake2b

PYTHONS = ("python", "pypy")
MENTIONS = (*PYTHONS, ".py")
SHELLS = ("bash", "sh", "dash", "zsh", "ksh")
PATIENCE = 10.0  # seconds that an interpreter has to tell its packages
# What leads a Python to its packages; nothing else of a program's environment is passed on to it.
PASSED = (
    "PATH", "HOME", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE",
    "PYTHONNOUSERSITE", "PYTHONPLATLIBDIR", "PYENV_ROOT", "PYENV_VERSION", "ASDF_DIR", "ASDF_DATA_DIR",
    "ASDF_PYTHON_VERSION",
)  # fmt: skip
CHANGING = (
    "PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "PYTHONNOUSERSITE", "HOME", "PYENV_VERSION", "ASDF_PYTHON_VERSION",
)  # fmt: skip
CHOOSING = (".python-version", ".tool-versions")  # in a folder, for what is started in or below it
# Run by the interpreter itself, which may be any: what it says is its last line.
QUESTION = """
import sys
sys.path[:] = [folder for folder in sys.path if folder]
import json, os
try:
    from importlib.metadata import distributions
except ImportError:
    distributions = None
packages = {}
for one in distributions() if distributions is not None else ():
    try:
        # The folder's name says it; to read its file of metadata takes fifty times as long.
        stem, _, kind = os.path.basename(str(getattr(one, "_path", ""))).rpartition(".")
        name, _, version = stem.rpartition("-") if kind == "dist-info" else ("", "", "")
        if not name:
            name, version = one.metadata["Name"], one.version
        origin = one.read_text("direct_url.json")
    except Exception:
        continue
    name = (name or "").lower().replace("_", "-").replace(".", "-")
    if not name or name in packages:
        continue
    try:
        origin = json.loads(origin) if origin else {}
        if origin.get("dir_info", {}).get("editable"):
            version += " (editable)"
        elif origin.get("vcs_info", {}).get("commit_id"):
            version += " (%s %s)" % (origin["vcs_info"].get("vcs"), origin["vcs_info"]["commit_id"])
    except (ValueError, AttributeError):
        pass
    packages[name] = version
folders = [folder for folder in sys.path if os.path.isdir(folder)]
folders.append(os.path.join(sys.prefix, "pyvenv.cfg"))
found = {
    "version": sys.version.split()[0],
    "build": " ".join(sys.version.split()),
    "implementation": getattr(getattr(sys, "implementation", None), "name", "cpython"),
    "prefix": sys.prefix,
    "base": getattr(sys, "base_prefix", sys.prefix),
    "packages": packages if distributions is not None else None,
}
print("\\n" + json.dumps({"python": found, "folders": folders}))
"""


def find(argv: Sequence[str], environ: Mapping[str, str], cwd: str) -> Optional[str]:
    """Give the path of the Python that a command uses: itself, its first line's, or what the path finds for a script
    that speaks of one. Nothing for a program that is no Python."""
    if not argv:
        return None
    path = environ.get("PATH", os.defpath)
    program = which(argv[0], path, cwd)
    name = os.path.basename(argv[0])
    if _is_python(name):
        return program
    named = _first_line(program) if program is not None else None
    if named is not None:
        return which(named, path, cwd)
    text = " ".join(argv)
    if name not in SHELLS and not any(word in text for word in MENTIONS):
        return None
    names = ("python", "python3") if "python " in text else ("python3", "python")
    return which(names[0], path, cwd) or which(names[1], path, cwd)


def _is_python(name: str) -> bool:
    return name.rstrip("0123456789.") in PYTHONS


def which(name: str, path: str, cwd: str) -> Optional[str]:
    """Give the absolute path of an executable, as the kernel would find it from *cwd*."""
    folders = [""] if os.sep in name else path.split(os.pathsep)
    for folder in folders:
        found = os.path.join(cwd, folder, name)
        if os.path.isfile(found) and os.access(found, os.X_OK):
            return os.path.normpath(found)
    return None


def _first_line(program: str) -> Optional[str]:
    """Give the Python that a script's first line names."""
    try:
        with open(program, "rb") as file:
            line = file.read(256).split(b"\n")[0]
    except OSError:
        return None
    if not line.startswith(b"#!"):
        return None
    words = [word for word in os.fsdecode(line[2:]).split() if not word.startswith("-")]
    if words and os.path.basename(words[0]) == "env":
        words = words[1:]
    return words[0] if words and _is_python(os.path.basename(words[0])) else None


class Interpreters:
    """The Pythons of a project's runs. *folder* is where what they said is kept; whatever can't be kept is asked again
    by the next process."""

    def __init__(self, folder: str, ours: Sequence[str] = ()) -> None:
        self._folder = folder
        self._ours = tuple(ours)
        self._known: Dict[str, Dict[str, Any]] = {}

    def find(self, python: str, environ: Mapping[str, str], cwd: str, ask: bool) -> Optional[Dict[str, Any]]:
        """Give what an interpreter has said, if nothing about it has changed since; else ask it, or give nothing."""
        key = self._key(python, environ, cwd)
        answer = self._known.get(key) or self._read(key)
        if answer is None or answer.get("watched") != _watched(answer.get("watched")):
            return self._ask(key, python, environ, cwd) if ask else None
        self._known[key] = answer
        found: Dict[str, Any] = answer["python"]
        return found

    def _ask(self, key: str, python: str, environ: Mapping[str, str], cwd: str) -> Dict[str, Any]:
        """Ask an interpreter, and keep what it says, were it that it says nothing."""
        said = _ask(python, self._passed(environ), cwd)
        watched = {path: _changed(path) for path in [python, *said.pop("folders", [])]}
        answer: Dict[str, Any] = {
            "schema": "xpc.interpreter/1",
            "python": {"executable": python, **said["python"]},
            "watched": watched,
        }
        self._known[key] = answer
        write_whole(self._path(key), json.dumps(answer, separators=(",", ":")).encode())
        found: Dict[str, Any] = answer["python"]
        return found

    def _passed(self, environ: Mapping[str, str]) -> Dict[str, str]:
        """Give the variables for an interpreter: without the code of the run, which is no package."""
        found = {name: environ[name] for name in PASSED if name in environ}
        if "PYTHONPATH" in found:
            kept = [path for path in found["PYTHONPATH"].split(os.pathsep) if path and not self._is_ours(path)]
            found["PYTHONPATH"] = os.pathsep.join(kept)
        if not found.get("PYTHONPATH"):
            found.pop("PYTHONPATH", None)
        return found

    def _is_ours(self, path: str) -> bool:
        return any(path == ours or path.startswith(ours + os.sep) for ours in self._ours)

    def _key(self, python: str, environ: Mapping[str, str], cwd: str) -> str:
        """Name an interpreter and what leads it to its packages. A venv's is known by its path, not by where it
        leads."""
        passed = self._passed(environ)
        leading = {name: passed[name] for name in CHANGING if name in passed}
        state = [python, os.path.realpath(python), leading, _chosen_in(cwd) if _is_script(python) else None]
        return blake2b(json.dumps(state).encode(), digest_size=8).hexdigest()

    def _path(self, key: str) -> str:
        return os.path.join(self._folder, "python-%s.json" % key)

    def _read(self, key: str) -> Optional[Dict[str, Any]]:
        try:
            with open(self._path(key), "rb") as file:
                found = json.loads(file.read().decode("utf-8"))
        except (OSError, ValueError):
            return None
        whole = isinstance(found, dict) and isinstance(found.get("python"), dict)
        return found if whole and isinstance(found.get("watched"), dict) else None


def _is_script(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(2) == b"#!"
    except OSError:
        return False


def _chosen_in(cwd: str) -> Any:
    """Give the file by which a manager of Pythons chooses one, for programs that start in *cwd*."""
    folder = cwd
    while True:
        for name in CHOOSING:
            changed = _changed(os.path.join(folder, name))
            if changed is not None:
                return [os.path.join(folder, name), changed]
        if os.path.dirname(folder) == folder:
            return None
        folder = os.path.dirname(folder)


def _watched(before: Any) -> Dict[str, Any]:
    """Look again at what was looked at *before*."""
    return {path: _changed(path) for path in before} if isinstance(before, dict) else {}


def _changed(path: str) -> Optional[List[int]]:
    """Give size and time of change of a file or folder; nothing if it is not there."""
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return [stat.st_size, stat.st_mtime_ns]


def _ask(python: str, environ: Mapping[str, str], cwd: str) -> Dict[str, Any]:
    import signal
    import subprocess

    command = [python, "-c", QUESTION]
    try:
        child = subprocess.Popen(
            command,
            cwd=cwd,
            env={**environ, "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        return {"python": {"note": "it can't be started: %s" % (error.strerror or error)}}
    try:
        out, _ = child.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        _end(child.pid, signal.SIGKILL)
        try:
            child.communicate(timeout=1.0)
        except subprocess.TimeoutExpired:
            child.kill()
        return {"python": {"note": "it did not tell its packages within %g s" % PATIENCE}}
    return _read_answer(out)


def _end(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return


def _read_answer(out: bytes) -> Dict[str, Any]:
    lines = out.decode("utf-8", "replace").rstrip("\n").split("\n")
    try:
        found = json.loads(lines[-1])
    except ValueError:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("python"), dict):
        return {"python": {"note": "it did not tell its packages"}}
    return found


def write_whole(path: str, data: bytes) -> bool:
    """Write a file whole or not at all, under its umask, as one of several that write the same at once; tell whether
    it is there. What can't be written is no loss."""
    aside = "%s.%s-%d-%d" % (path, os.uname().nodename, os.getpid(), time.monotonic_ns())
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except OSError:
        return False
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
        os.rename(aside, path)
    except OSError:
        try:
            os.unlink(aside)
        except OSError:
            return False
        return False
    return True
