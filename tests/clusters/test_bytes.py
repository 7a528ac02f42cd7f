"""Values through real schedulers: they arrive byte for byte, run nothing on their way, and secrets stay secret."""

from __future__ import annotations

import json
import stat
import subprocess
from collections.abc import Callable

import pytest
from bytes_study import SECRET, check, files, holders
from cluster_project import ClusterProject

SLURM = pytest.param("slurm", marks=pytest.mark.slurm)
OAR = pytest.param("oar", marks=pytest.mark.oar)
FEW = [
    "it's",
    'say "so" $(touch ran)',
    "\n#SBATCH --wrap=evil\n#OAR -l nodes=9",
    "-rf # 100%, {{ 7*7 }}",
    "naïve ☃ 𝔘",
    "\\",
]


@pytest.mark.parametrize("kind", [SLURM, OAR])
def test_values_and_secrets(make_project: Callable[..., ClusterProject], kind: str) -> None:
    """By argument, shell, variable and config, and to a child; the secret reaches the program and nothing else."""
    project = make_project(kind, files(kind, FEW))
    project.xpc("submit", "--target", "far", environ={"STUDY_SECRET": SECRET})
    kept = list((project.folder / ".xpc/secrets").glob("*/*"))
    for path in kept:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert bool(kept) == (kind == "oar")
    told = _told(project, kind)

    project.until(lambda: all(states == {"done": len(FEW)} for states in project.status().values()), 240, every=3)
    told += project.xpc("status").stdout + project.xpc("show", next(iter(project.journals("direct"))), "--json").stdout
    project.xpc("report", "--html", "page.html", check=False)

    check(project.folder, values=FEW)
    assert "top-secret" not in told
    project.until(lambda: project.xpc("status") and not list((project.folder / ".xpc/secrets").glob("*/*")), 60)
    assert holders(project.folder) == []


def _told(project: ClusterProject, kind: str) -> str:
    """Give all that the scheduler tells others about the jobs: scripts, commands, options."""
    lines = [
        json.loads(line)
        for path in (project.folder / ".xpc/submissions").glob("*.jsonl")
        for line in path.read_text().splitlines()
    ]
    jobs = [str(job) for line in lines if line["event"] == "result" for job, _ in line["jobs"]]
    assert jobs
    asks = (
        [["scontrol", "show", "job", job] for job in jobs]
        + [["scontrol", "write", "batch_script", job, "-"] for job in jobs]
        if kind == "slurm"
        else [["oarstat", "-f", "-J", "-j", job] for job in jobs]
    )
    return "".join(subprocess.run(ask, capture_output=True, text=True, check=False).stdout for ask in asks)
