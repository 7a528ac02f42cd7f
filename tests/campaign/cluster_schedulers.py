"""Faults on a cluster: a scheduler that fails, hangs or half answers when a submit or a status asks it."""

from __future__ import annotations

from random import Random

from .cluster_kills import submit, submitted
from .cluster_oracle import ClusterOracle
from .clusters import ClusterProject
from .kinds import kind
from .violation import Violation

SUBMITS = {"slurm": ("sbatch", "sbatch", "scontrol"), "oar": ("oarsub", "oarsub", "oarstat")}
ASKS = {"slurm": ("squeue", "sacct"), "oar": ("oarstat",)}
AWAY = {
    "slurm": "slurm_load_jobs error: Unable to contact slurm controller (connect failure)",
    "oar": "Cannot connect to the database",
}
WAYS = {
    "refuses": 'echo "error: Batch job submission failed: Requested node configuration is not available" >&2; exit 1',
    "is away": 'echo "{away}" >&2; exit 1',
    "takes it and is away": '"$real" "$@" >/dev/null 2>&1; echo "{away}" >&2; exit 1',
    "takes it and says nothing": '"$real" "$@" >/dev/null; exit 0',
    "kills": "kill -KILL $PPID; exit 1",
    "takes it and kills": '"$real" "$@"; kill -KILL $PPID; exit 0',
    "is slow": "sleep 3",
}


@kind("slurm", 6)
@kind("oar", 3)
def scheduler_down_in_submit(project: ClusterProject, oracle: ClusterOracle, random: Random) -> bool:
    """The k-th call of a submit fails in some way, or is the last that the submit lives to see."""
    command = random.choice(SUBMITS[project.kind])
    call = random.randint(1, 2) if command in ("sbatch", "oarsub") else 1
    way = random.choice(sorted(WAYS))
    after = "-ge" if random.random() < 0.3 else "-eq"
    project.falter(command, f"if [ $n {after} {call} ]; then {WAYS[way].format(away=AWAY[project.kind])}; fi")
    said = project.finish(submit(project))
    if said.status not in (0, 1, 3, -9) or (said.status > 0 and "error" not in said.err):
        raise Violation(f"{command} {way}: {said}")
    struck = project.calls(command) >= call
    if "kill" in way:  # else what looks would be killed as the submit was, where that never came so far
        project.recover()
    oracle.look()
    project.recover()
    return struck


@kind("slurm", 3)
@kind("oar", 2)
def scheduler_down_in_status(project: ClusterProject, oracle: ClusterOracle, random: Random) -> bool:
    """Whoever asks for states gets no answer, or none in time: they come from the records then, and nothing is lost."""
    submitted(project)
    command = random.choice(ASKS[project.kind])
    hangs = random.random() < 0.1
    script = "sleep 30" if hangs else f'echo "{AWAY[project.kind]}" >&2; exit 1'
    for name in (command,) if random.random() < 0.5 else ASKS[project.kind]:
        project.falter(name, script)
    told = oracle.look()
    if {"lost", "failed", "killed", "cancelled"} & set(told.values()):
        raise Violation(f"nobody answers, and runs are told as {sorted(set(told.values()))}")
    said = project.xpc("submit", *project.target)
    if said.status not in (0, 3):
        raise Violation(f"nobody answers: {said}")
    project.recover()
    return True
