"""Faults on a cluster: full disks, damaged records, moved folders."""

from __future__ import annotations

import subprocess
from random import Random

from .cluster_kills import LONG, begun, submitted
from .cluster_oracle import ClusterOracle
from .clusters import USER, ClusterProject
from .journals import read_runs
from .kinds import kind
from .local_disk import fill, small_disk
from .local_moved import move
from .local_torn import damage, look_anew


@kind("slurm", 2, may=("failed",), needs="mount")
def disk_full_of_runs(project: ClusterProject, oracle: ClusterOracle, random: Random) -> bool:
    """No room for the records of tasks while they run; later there is room again."""
    folder = project.folder / "runs"
    project.cleanup.enter_context(small_disk(folder, 4096))
    project.own()
    project.behave("seconds=0.5")
    submitted(project)
    struck = begun(project, random)
    ballast = fill(folder)
    project.settle()
    oracle.look(refused=True)
    ballast.unlink()
    project.behave_well()
    return struck


@kind("slurm", 2, may=("failed",), needs="mount")
def disk_full_at_the_end(project: ClusterProject, oracle: ClusterOracle, random: Random) -> bool:
    """The last that programs do takes the room that their end lines would need."""
    folder = project.folder / "runs"
    project.cleanup.enter_context(small_disk(folder, 4096))
    chosen = random.randrange(4)
    project.behave(
        f"at_end() {{ [ $((0x${{XPC_RUN_ID:0:2}} % 4)) != {chosen} ] && return\n"
        "    cat /dev/zero >> $XPC_PROJECT/runs/.ballast 2>/dev/null || :; }"
    )
    project.own()
    submitted(project)
    project.settle()
    struck = (folder / ".ballast").exists()
    oracle.look(refused=True)
    (folder / ".ballast").unlink(missing_ok=True)
    project.behave_well()
    return struck


@kind("slurm", 3, may=("broken",))
@kind("oar", 2, may=("broken",))
def torn_journal(project: ClusterProject, oracle: ClusterOracle, random: Random) -> bool:
    """The last journals of runs that have ended are damaged."""
    submitted(project)
    project.settle()
    oracle.look()
    found = [run for run in read_runs(project.folder).values() if run.attempts]
    for run in random.sample(found, min(len(found), 2)):
        damage(run.folder / f"run{'' if len(run.attempts) == 1 else f'.{len(run.attempts)}'}.jsonl", random)
        oracle.forget(run.id)
    look_anew(project)
    return bool(found)


@kind("slurm", 2)
@kind("oar", 1)
def torn_submission(project: ClusterProject, oracle: ClusterOracle, random: Random) -> bool:
    """What is known of a submit is damaged after its jobs have ended."""
    project.behave(LONG)
    submitted(project)
    project.settle()
    for name in random.sample(("submissions/*", "evidence/*", "events/*"), 2):
        for path in sorted((project.folder / ".xpc").glob(name)):
            damage(path, random)
    project.behave_well()
    return True


@kind("slurm", 2)
@kind("oar", 1)
def moved(project: ClusterProject, oracle: ClusterOracle, random: Random) -> bool:
    """The folder is moved once nothing runs, of a study in which not all is done."""
    project.behave(LONG)
    submitted(project)
    begun(project, random)
    project.xpc("cancel")
    project.settle()
    oracle.look()
    move(project, random.choice(("elsewhere", "other")))
    subprocess.run(["chown", f"{USER}:{USER}", project.folder], check=True)
    project.behave_well()
    return True
