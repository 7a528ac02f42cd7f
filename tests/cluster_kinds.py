"""A study on a real cluster whose runs are called by what they do, to see each state of theirs."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from cluster_project import ClusterProject

CHILD = """
experiment evaluate:
    after train
    resources small
    run "echo evaluated"
"""


class Study:
    """A project with an experiment `train` that has a key `kind`; *target* is where its runs go."""

    def __init__(self, project: ClusterProject, target: str) -> None:
        self.project = project
        self._target = target

    def submit(self) -> None:
        self.project.xpc("submit", "--target", self._target)

    def rows(self, experiment: str = "train") -> dict[str, dict[str, Any]]:
        said = self.project.xpc("query", f"from {experiment} show kind, status, reason, job, id", "--format", "json")
        return {row["kind"]: row for row in json.loads(said.stdout)}

    def states(self, experiment: str = "train") -> dict[str, str]:
        return {kind: row["status"] for kind, row in self.rows(experiment).items()}

    def until(self, states: dict[str, str], experiment: str = "train", timeout: float = 300) -> None:
        self.project.until(lambda: self.states(experiment) == states, timeout)

    def begun(self, *kinds: str) -> None:
        """Wait until the programs of these runs have started. A task is told as running a little sooner."""
        self.project.until(lambda: all(self._has_started(kind) for kind in kinds))
        self.project.until(lambda: {k for k, state in self.states().items() if state == "running"} == set(kinds))

    def _has_started(self, kind: str) -> bool:
        folder = self.project.folder / "runs/train" / self.rows()[kind]["id"]
        return any('"event":"start"' in path.read_text() for path in folder.glob("run*.jsonl"))

    def job(self, kind: str = "long") -> str:
        return str(self.rows()[kind]["job"])

    def journal(self, kind: str = "long") -> list[dict[str, Any]]:
        """Give the journal of a run's last attempt."""
        return self.project.journals("train")[self.rows()[kind]["id"]][-1]

    def shim(self, kind: str = "long") -> int:
        """Give the process of a run's shim."""
        return int(self.journal(kind)[0]["shim"]["pid"])

    def ended(self, kind: str = "long") -> bool:
        """Say whether the run's last attempt wrote an end line."""
        return any(line["event"] == "end" for line in self.journal(kind))

    def kept(self) -> list[dict[str, Any]]:
        paths = sorted((self.project.folder / ".xpc/evidence").glob("*.jsonl"))
        return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def typed(*command: str) -> str:
    """Type a command as root."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
