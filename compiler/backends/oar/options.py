"""The options of ``oarsub``: which may be given as ``oar.OPTION``, and which xpc sets itself."""

from __future__ import annotations

from typing import Final

TAKES: Final[dict[str, str]] = {
    "notify": "text",
    "project": "text",
    "property": "text",
    "queue": "text",
    "stagein": "text",
    "stagein-md5sum": "text",
    "type": "text",
}

_NEVER: Final = "leave it out"
_KEYS: Final = "arrays of many jobs can't share a job key"
_LOGS: Final = "each array has one log, in the build's folder `logs/`"

OWN: Final[dict[str, str]] = {
    "anterior": "write `after EXPERIMENT` in the experiment",
    "array": "grids make arrays",
    "array-param-file": "grids make arrays",
    "checkpoint": "write `checkpoint 90s` in the experiment",
    "connect": _NEVER,
    "directory": "tasks start in the project's folder; `workdir` says where a run works",
    "dumper": _NEVER,
    "export-job-key-to-file": _KEYS,
    "help": _NEVER,
    "hold": _NEVER,
    "import-job-key-from-file": _KEYS,
    "import-job-key-inline": _KEYS,
    "interactive": _NEVER,
    "json": _NEVER,
    "name": "a job's name is its array's, which is how its runs are found again",
    "reservation": "an array can't be a reservation",
    "resource": "write `nodes`, `cpus`, `gpus` and `time`; properties are `oar.property`",
    "resubmit": "`xpc retry` sends runs again",
    "scanscript": _NEVER,
    "signal": "write `checkpoint 90s` in the experiment",
    "stderr": _LOGS,
    "stdout": _LOGS,
    "use-job-key": _KEYS,
    "version": _NEVER,
    "walltime": "write `time = 2h`",
    "xml": _NEVER,
    "yaml": _NEVER,
}

LETTERS: Final[dict[str, str]] = {
    "C": "connect", "D": "dumper", "E": "stderr", "I": "interactive", "J": "json", "O": "stdout", "S": "scanscript",
    "V": "version", "X": "xml", "Y": "yaml", "a": "anterior", "d": "directory", "e": "export-job-key-to-file",
    "h": "help", "i": "import-job-key-from-file", "k": "use-job-key", "l": "resource", "n": "name", "p": "property",
    "q": "queue", "r": "reservation", "s": "stagein", "t": "type",
}  # fmt: skip

MANY: Final = ("property", "type")
