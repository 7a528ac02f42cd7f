"""The secrets of runs on OAR, which passes no environment: a file a call, that only the user can read."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from ..evidence_files import read_evidence
from ..submissions import read_submissions
from .cluster_plan import PlannedCall

FOLDER: Final = ".xpc/secrets"


class SecretFiles:
    """`.xpc/secrets/<uid>/<job name>.json`: the values that a job's task puts into its program's environment."""

    def __init__(self, project: Path, plan: Mapping[str, Any], environ: Mapping[str, str]) -> None:
        self._project = project
        self._kind: str = plan["target"]["kind"]
        self._names: dict[str, list[str]] = {
            name: experiment["environment"]["secrets"] for name, experiment in plan["experiments"].items()
        }
        self._environ = environ

    def write(self, token: str, call: PlannedCall) -> None:
        """Make the file of a call, if its jobs need one."""
        names = self._names[call.experiment]
        if self._kind != "oar" or not names:
            return
        folder = _own_folder(self._project)
        text = json.dumps({name: self._environ[name] for name in names})
        file = os.open(folder / f"{token}.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(file, "w") as opened:
            opened.write(text)

    def sweep(self) -> None:
        """Remove the files of jobs that have all ended, or were never made."""
        sweep_secrets(self._project)


def _own_folder(project: Path) -> Path:
    """Give the folder for this user's secrets, that nobody else can look into; in a group's project each has one.

    Raises ``PermissionError`` where somebody else has put theirs there.
    """
    folder = project / FOLDER / str(os.getuid())
    folder.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
    if stat.S_IMODE(found.st_mode) & 0o077:
        folder.chmod(0o700)
    return folder


def sweep_secrets(project: Path) -> None:
    """Remove this user's secrets of submissions whose runs have all ended."""
    files = list((project / FOLDER / str(os.getuid())).glob("*.json"))
    if not files:
        return
    settled = read_evidence(project).settled
    needed = {
        call.token
        for submission in read_submissions(project)
        if submission.name not in settled
        for call in submission.calls
        if call.outcome in ("open", "sent")
    }
    for path in files:
        if path.stem not in needed:
            path.unlink(missing_ok=True)
