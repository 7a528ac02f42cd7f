"""A build in its project: what all its runs share, opened once for a whole task."""

from __future__ import annotations

import json
import os
from typing import Any, Dict, List, Mapping, Optional, Tuple

from . import claim, environment_record, journal, machine, scheduler, workdir
from .build_folder import Build, Run


class Place:
    """A build in its project, opened once for all its runs. *environ* is what programs inherit; *kind* is the
    scheduler that started us, which has its own name for this node."""

    def __init__(self, project: str, build: Build, environ: Mapping[str, str], kind: str = "local") -> None:
        self.project = os.path.abspath(project)
        self.build = build
        self.environ = {name: value for name, value in environ.items() if not name.startswith("XPC_")}
        self.environ.update(scheduler.secrets(kind, self.project, environ))
        self.here = machine.here(scheduler.node(kind, environ))
        self.lease = float(build.plan["target"]["options"].get("lease") or claim.LEASE)
        self.process = machine.process(os.getpid())
        self.stamp = workdir.read_stamp(self.project, build.plan["snapshot"]["tree"])
        self.links: List[Tuple[str, str]] = [(link["name"], link["path"]) for link in build.plan["links"]]
        self.dirty = _provenance(build.folder).get("dirty")
        code = [os.path.join(self.project, workdir.SNAPSHOTS), os.path.abspath(os.path.join(build.folder, "xpc.pyz"))]
        self.environments = environment_record.Environments(self.project, code)
        self._events: Optional[int] = None

    def run_folder(self, run: Run) -> str:
        return os.path.join(self.project, "runs", run.experiment, run.id)

    def note(self, event: str, run: Run, attempt: int) -> None:
        """Leave a hint where to look; a hint that can't be left is no loss."""
        line = {"event": event, "experiment": run.experiment, "run": run.id, "attempt": attempt, "time": journal.now()}
        try:
            if self._events is None:
                folder = os.path.join(self.project, ".xpc", "events")
                os.makedirs(folder, exist_ok=True)
                self._events = journal.open_log(os.path.join(folder, self.here["host"]))
            os.write(self._events, journal.encode(line))
        except OSError:
            return


def _provenance(build: str) -> Dict[str, Any]:
    """Read of what commit a build was made; empty if nobody wrote it down."""
    try:
        with open(os.path.join(build, "provenance.json"), "rb") as file:
            found = json.loads(file.read().decode("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
