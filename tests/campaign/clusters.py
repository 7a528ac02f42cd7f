"""The study on a cluster: a project of an ordinary user, its jobs, and what its scheduler still has of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from .project import Project
from .violation import Violation
from .witness import alive

USER: Final = "xpc"
STUCK: Final = ("JobHeldUser", "Dependency", "DependencyNeverSatisfied", "JobHeldAdmin")
QUIET: Final = 3.0  # seconds without a job or a process, after which none is expected any more


@cache
def user_bin() -> str:
    """Give the folder of programs that the ordinary user can run."""
    given = os.environ.get("XPC_CAMPAIGN_BIN")
    if given:
        return given
    script = Path(__file__).parent.parent / "clusters/user-python"
    return subprocess.check_output([script, USER], text=True).strip()


class ClusterProject(Project):
    """A study that belongs to the user, with *points* times two runs of each experiment, for a scheduler of *kind*."""

    def __init__(self, above: Path, template: Path, kind: str, points: int) -> None:
        above.chmod(0o755)
        super().__init__(above, template)
        self.kind = kind
        self.points = points
        self._before: list[str] = []
        self.own()

    def own(self) -> None:
        subprocess.run(["chown", "-R", f"{USER}:{USER}", self.folder, self.outside], check=True)

    @property
    def target(self) -> tuple[str, ...]:
        return "--target", "here"

    @property
    def identity(self) -> Mapping[str, Any]:
        return {"user": USER, "group": USER, "extra_groups": []}

    @property
    def environ(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("LANG", "TERM", "TZ", "PYTHONPATH") if name in os.environ}
        path = ":".join([*self._before, user_bin(), "/usr/local/bin:/usr/bin:/bin:/usr/games"])
        home = {"HOME": f"/home/{USER}", "USER": USER, "LOGNAME": USER}
        return {**kept, **home, "PATH": path, "NO_COLOR": "1", "COLUMNS": "120"}

    def behave(self, script: str) -> None:
        super().behave(script)
        self.own()

    # -------------------------------------------------------------- jobs

    def tokens(self) -> set[str]:
        """Give the names of all jobs that were asked for."""
        found = set()
        for path in (self.folder / ".xpc/submissions").glob("*.jsonl"):
            for line in path.read_bytes().split(b"\n"):
                try:
                    fields = json.loads(line)
                except ValueError:
                    continue
                if isinstance(fields, dict) and "token" in fields:
                    found.add(str(fields["token"]))
        return found

    def jobs(self) -> dict[str, str]:
        """Give the jobs that the scheduler still has, each with its state and why it waits."""
        tokens = self.tokens()
        return (self._slurm_jobs if self.kind == "slurm" else self._oar_jobs)(tokens) if tokens else {}

    def _slurm_jobs(self, tokens: set[str]) -> dict[str, str]:
        said = subprocess.run(
            ["squeue", "-h", "-r", f"--user={USER}", "-o", "%i|%j|%T %r"], capture_output=True, text=True, check=False
        )
        lines = [line.split("|") for line in said.stdout.splitlines()]
        return {id: state for id, name, state in lines if name in tokens}

    def _oar_jobs(self, tokens: set[str]) -> dict[str, str]:
        names = ", ".join(f"'{token}'" for token in sorted(tokens))
        query = f"job_name IN ({names}) AND state NOT IN ('Terminated', 'Error')"
        said = subprocess.run(["oarstat", "-J", "--sql", query], capture_output=True, text=True, check=False)
        found = json.loads(said.stdout) if said.stdout.strip() else {}
        return {id: str(job["state"]) for id, job in found.items()}

    def cancel(self, jobs: Mapping[str, str]) -> None:
        """End jobs as root does."""
        command = ["scancel"] if self.kind == "slurm" else ["oardel"]
        if jobs:
            subprocess.run([*command, *jobs], capture_output=True, check=False)

    def settle(self, deadline: float = 240) -> None:
        """Wait until nothing of the project runs, and nothing waits but for what nobody will ever let go."""
        limit = time.monotonic() + deadline
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < QUIET:
            jobs = self.jobs()
            if alive(self.folder) or any(not state.endswith(STUCK) for state in jobs.values()):
                quiet_since = time.monotonic()
            if time.monotonic() > limit:
                raise Violation(f"after {deadline:g} s there still are jobs {jobs} and processes {alive(self.folder)}")
            time.sleep(0.5)

    def log(self) -> str:
        """Give what the tasks said."""
        paths = sorted((self.folder / ".xpc/builds").glob("*/logs/*"))
        return "\n".join(f"--- {path.name}\n{path.read_text(errors='replace')[-2000:]}" for path in paths)

    def falter(self, name: str, script: str) -> None:
        """Put a script before a command of the scheduler: `$n` in it is the number of the call, `$real` the command."""
        real = shutil.which(name)
        assert real is not None
        folder = self.outside / "bin"
        folder.mkdir(exist_ok=True)
        count = folder / f"{name}.count"
        count.touch()
        path = folder / name
        path.write_text(
            f'#!/bin/bash\nreal={real}\necho >> {count}\nn=$(wc -l < {count})\n{script}\nexec "$real" "$@"\n'
        )
        path.chmod(0o755)
        self.own()
        self._before = [str(folder)]

    def calls(self, name: str) -> int:
        """Count the calls of a command that has a script before it."""
        return (self.outside / "bin" / f"{name}.count").read_bytes().count(b"\n")

    def recover(self) -> None:
        """The scheduler works again as it should."""
        self._before = []

    def remove(self) -> None:
        self.cancel(self.jobs())
        super().remove()
