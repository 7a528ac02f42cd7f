"""Builds that are made by hand, and their tasks on a real scheduler: batch scripts, jobs, and what became of them."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hand_build import Experiment, run_id, write_build

from xpc.runtime.shim import archive

USER = "xpc"
SBATCH = """\
#!/bin/bash
exec python3 "$1/xpc.pyz" task --project . --build "$1" --array {array} --index "$SLURM_ARRAY_TASK_ID"
"""
OAR = """\
#!/bin/bash
build=${{0%/arrays/*}}
exec python3 "$build/xpc.pyz" task --project . --build "$build" --array {array} --index "${{1:?}}"
"""


class HandProject:
    """A project with a build that was written by hand, in *folder*, for a cluster of *kind*."""

    def __init__(self, kind: str, folder: Path, experiments: Sequence[Experiment], **options: object) -> None:
        self.kind = kind
        self.folder = folder
        self.build = write_build(folder, experiments, **options)
        (self.build / "xpc.pyz").write_bytes(archive.build())
        (self.build / "logs").mkdir(exist_ok=True)
        self.edit(lambda plan: plan["target"].update(name="far", kind=kind))
        for experiment in experiments:
            script = (SBATCH if kind == "slurm" else OAR).format(array=f"{experiment.name}-1")
            path = self.build / "arrays" / f"{experiment.name}-1.{'sbatch' if kind == 'slurm' else 'oar'}"
            path.write_text(script)
            path.chmod(0o755)
        self.jobs: list[str] = []
        self.own()

    @property
    def relative(self) -> str:
        return str(self.build.relative_to(self.folder))

    def edit(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Change the plan, which a build made by `xpc` would have otherwise."""
        path = self.build / "plan.json"
        plan = json.loads(path.read_text())
        change(plan)
        path.write_text(json.dumps(plan))

    def own(self) -> None:
        """Give everything to the user whose jobs these are."""
        subprocess.run(["chown", "-R", f"{USER}:{USER}", self.folder], check=True)

    def as_user(self, command: Sequence[str], check: bool = True) -> str:
        env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": f"/home/{USER}", "USER": USER, "LANG": "C.UTF-8"}
        runuser = shutil.which("runuser") or "runuser"
        done = subprocess.run(
            [runuser, "-u", USER, "--", *command],
            cwd=self.folder,
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0 or not check, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def sbatch(self, experiment: str = "train", *options: str, array: str = "0") -> str:
        """Submit tasks of an experiment; give the job's id."""
        script = f"{self.relative}/arrays/{experiment}-1.sbatch"
        output = f"--output={self.relative}/logs/{experiment}-1-%A.out"
        common = ["--parsable", f"--chdir={self.folder}", output, "--open-mode=append", "--kill-on-invalid-dep=yes"]
        job = self.as_user(["sbatch", *common, f"--array={array}", *options, script, self.relative]).strip()
        self.jobs.append(job)
        return job

    def oarsub(self, experiment: str, indices: Sequence[int], *options: str) -> list[str]:
        """Submit tasks of an experiment; give their jobs' ids."""
        params = self.folder / "params"
        params.write_text("".join(f"{index}\n" for index in indices))
        self.own()
        log = f"{self.relative}/logs/{experiment}-1.out"
        command = ["oarsub", "-d", str(self.folder), "-O", log, "-E", log, *options]
        command += ["--array-param-file", str(params), f"{self.relative}/arrays/{experiment}-1.oar"]
        said = self.as_user(command)
        found = [line.split("=")[1] for line in said.splitlines() if line.startswith("OAR_JOB_ID=")]
        self.jobs += found
        return found

    def run_folder(self, experiment: str = "train", n: int = 0) -> Path:
        return self.folder / "runs" / experiment / run_id(experiment, n)

    def attempts(self, experiment: str = "train", n: int = 0) -> list[dict[str, dict[str, Any]]]:
        """Give the lines of each attempt by event."""
        found: list[dict[str, dict[str, Any]]] = []
        while True:
            name = "run.jsonl" if not found else f"run.{len(found) + 1}.jsonl"
            path = self.run_folder(experiment, n) / name
            if not path.exists():
                return found
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            found.append({line["event"]: line for line in lines})

    def ends(self, experiment: str = "train", n: int = 0) -> list[str | None]:
        return [attempt.get("end", {}).get("state") for attempt in self.attempts(experiment, n)]

    def until(self, holds: Callable[[], object], timeout: float = 60) -> None:
        deadline = time.monotonic() + timeout
        while not holds():
            if time.monotonic() > deadline:
                queue = subprocess.run(["squeue"], capture_output=True, text=True).stdout
                raise AssertionError(f"not within {timeout:g} s\n{self.log()}\n{queue}")
            time.sleep(0.1)

    def log(self) -> str:
        """Give what the scheduler wrote for all tasks."""
        return "".join(path.read_text() for path in sorted((self.build / "logs").iterdir()))

    def started(self, n: int = 0, attempt: int = 1, experiment: str = "train") -> None:
        """Wait until a run's attempt has started its program."""

        def has_started() -> bool:
            found = self.attempts(experiment, n)
            return len(found) >= attempt and "start" in found[attempt - 1]

        self.until(has_started)

    def slurm_states(self, job: str) -> dict[str, str]:
        """Give state and reason of each task of a job, as `squeue` has them."""
        said = subprocess.run(
            ["squeue", "-h", "-r", "-t", "all", "-j", job, "-o", "%i|%T"], capture_output=True, text=True, check=True
        ).stdout
        return dict(line.split("|") for line in said.splitlines())

    def ended(self, job: str, task: int = 0, timeout: float = 90) -> str:
        """Wait until a task has left SLURM; give its last state."""
        over = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "OUT_OF_MEMORY")
        self.until(lambda: self.slurm_states(job).get(f"{job}_{task}") in over, timeout)
        return self.slurm_states(job)[f"{job}_{task}"]

    def cancel(self) -> None:
        for job in self.jobs:
            command = ["scancel", job] if self.kind == "slurm" else ["oardel", job]
            subprocess.run(command, capture_output=True, check=False)


@contextmanager
def hand_project(kind: str, *experiments: Experiment, **options: object) -> Iterator[HandProject]:
    """Make a project; its jobs are cancelled and its folder is removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="xpc-shim-", dir="/var/tmp"))
    folder.chmod(0o755)
    project = HandProject(kind, folder, experiments, **options)
    try:
        yield project
    finally:
        project.cancel()
        shutil.rmtree(folder, ignore_errors=True)


def limit(project: HandProject, **fields: Mapping[str, object] | object) -> None:
    """Change fields of an experiment of a project's plan."""
    project.edit(lambda plan: plan["experiments"]["train"].update(fields))
    project.own()
