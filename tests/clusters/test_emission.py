"""Emitted scripts on real schedulers: accepted as they are, submitted by bash alone, waiting for the right tasks."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster_project import USER, ClusterProject

SLURM = pytest.param("slurm", marks=pytest.mark.slurm)
OAR = pytest.param("oar", marks=pytest.mark.oar)

STUDY = """
target here = {kind}:
    setup "export PATH={bin}:$PATH"
    max_array = 4

grid g:
    k in range(6)

experiment prepare:
    grid g
    run "python work.py {{k}} {fail}"

experiment train:
    after prepare
    repeat 2
    run "python work.py {{k}}"

experiment evaluate:
    after train
    run "python work.py {{k}}"

experiment total:
    after all evaluate by repeat
    run "python work.py 0"

experiment many:
    repeat 5 as n
    pack 3
    run "python work.py {{n}}"

experiment after_many:
    after many
    pack 3 side by side
    run "python work.py {{n}}"
"""
WORK = "import sys\nsys.exit(3 if len(sys.argv) == 3 and sys.argv[1] == sys.argv[2] else 0)\n"

RICH = {
    "slurm": """
target here = slurm:
    partition = "cpu"
    slurm.comment = "for the 'paper', #3"

resources r:
    nodes = 2
    tasks = 2
    cpus = 3
    memory = 1GiB
    time = 90min
    slurm.nice = 7
    slurm.exclude = "gn1"

experiment e:
    repeat 5
    resources r
    run "true"
    checkpoint 90s
""",
    "oar": """
target here = oar:
    queue = "default"
    project = "vision"
    oar.property = "mem > 1"

resources r:
    gpus = 2
    time = 26h
    oar.type = "besteffort"
    oar.property = "host = 'oarn2'"

experiment e:
    repeat 5
    resources r
    run "true"
    checkpoint 90s
""",
}


@pytest.fixture
def built(make_project: Callable[..., ClusterProject]) -> Iterator[Callable[..., tuple[ClusterProject, Path]]]:
    """Make a project and its build for the target `here`; what submit.sh has sent is cancelled afterwards."""
    made: list[tuple[str, Path]] = []

    def build(kind: str, text: str, **files: str) -> tuple[ClusterProject, Path]:
        project = make_project(kind, {"Experimentfile": text, "work.py": WORK})
        found = json.loads(project.xpc("build", "--target", "here", "--json").stdout)
        folder = project.folder / ".xpc" / "builds" / found["build"]
        made.append((kind, folder))
        return project, folder

    yield build
    for kind, folder in made:
        cancel(kind, [f"xpc-{folder.name}-{script.stem}" for script in (folder / "arrays").iterdir()])


def cancel(kind: str, names: list[str]) -> None:
    if kind == "slurm":
        for name in names:
            subprocess.run(["scancel", f"--user={USER}", f"--name={name}"], check=False)
        return
    ids = [id for name in names for id, job in jobs_of_oar(name).items() if job["state"] not in ("Terminated", "Error")]
    if ids:
        subprocess.run(["oardel", *ids], check=False, capture_output=True)


def jobs_of_oar(name: str) -> dict[str, Any]:
    said = subprocess.run(
        ["oarstat", "-f", "-J", "--sql", f"job_name = '{name}'"], capture_output=True, text=True, check=False
    ).stdout
    found: dict[str, Any] = json.loads(said) if said.strip() else {}
    return found


@pytest.mark.parametrize("kind", [SLURM, OAR])
def test_submit_script_runs_a_whole_study(kind: str, built: Any, user_bin_folder: Path) -> None:
    """With bash and the scheduler's commands alone: pairs, barriers, several arrays; each run once."""
    project, folder = built(kind, STUDY.format(kind=kind, bin=user_bin_folder, fail="no"))
    sent = project.run(str(folder / "submit.sh")).stdout.splitlines()

    assert [line.split()[0] for line in sent] == [script.stem for script in ordered(folder)]
    expected = {"prepare": {"done": 6}, "train": {"done": 12}, "evaluate": {"done": 12}, "total": {"done": 2}}
    expected |= {"many": {"done": 5}, "after_many": {"done": 5}}
    project.until(lambda: project.status() == expected, timeout=420)
    assert all(len(attempts) == 1 for name in expected for attempts in project.journals(name).values())


@pytest.mark.parametrize("kind", [SLURM, OAR])
def test_a_failure_stops_what_comes_after_it_and_nothing_else(kind: str, built: Any, user_bin_folder: Path) -> None:
    """The children of the run that failed never start, nor does what waits for all of these; all others are done."""
    project, folder = built(kind, STUDY.format(kind=kind, bin=user_bin_folder, fail="3"))
    project.run(str(folder / "submit.sh"))

    def counts() -> dict[str, int]:
        status = project.status()
        return {name: status[name].get("done", 0) for name in status}

    project.until(
        lambda: counts() == {"prepare": 5, "train": 10, "evaluate": 10, "total": 0, "many": 5, "after_many": 5},
        timeout=180,
    )
    assert project.status()["prepare"]["failed"] == 1
    assert not (project.folder / "runs" / "total").exists()


def ordered(folder: Path) -> list[Path]:
    """Give the scripts in the order of the plan."""
    plan = json.loads((folder / "plan.json").read_text())
    return [folder / array["script"] for array in plan["arrays"]]


@pytest.mark.slurm
def test_slurm_reads_the_headers_as_they_are_meant(built: Any) -> None:
    """What `scontrol` says of a held array is what the Experimentfile asked for."""
    project, folder = built("slurm", RICH["slurm"])
    build = str(folder.relative_to(project.folder))
    command = [
        "sbatch",
        "--hold",
        "--parsable",
        f"--job-name=xpc-{folder.name}-e-1",
        f"{build}/arrays/e-1.sbatch",
        build,
    ]
    id = project.run(*command).stdout.strip()
    said = subprocess.run(["scontrol", "show", "job", id], capture_output=True, text=True, check=True).stdout
    fields = dict(word.partition("=")[::2] for word in said.split())

    assert "Comment=for the 'paper', #3" in said
    assert {name: fields[name] for name in ("ArrayTaskId", "NumNodes", "NtasksPerN:B:S:C", "CPUs/Task")} == {
        "ArrayTaskId": "0-4",
        "NumNodes": "2-2",
        "NtasksPerN:B:S:C": "2:0:*:*",
        "CPUs/Task": "3",
    }
    assert (fields["MinMemoryNode"], fields["TimeLimit"], fields["Requeue"]) == ("1G", "01:30:00", "1")
    assert (fields["Partition"], fields["ExcNodeList"], fields["WorkDir"]) == ("cpu", "gn1", str(project.folder))


@pytest.mark.slurm
def test_srun_gives_a_task_its_cpus(built: Any) -> None:
    """Steps inside a run get as many CPUs a task as the experiment says, packed side by side or not."""
    text = 'target here = slurm:\n    partition = "cpu"\nresources r:\n    cpus = 3\n'
    run = '    resources r\n    repeat 2\n    run "srun --overlap -n 1 printenv SLURM_CPUS_PER_TASK > cpus.txt"\n'
    project, folder = built("slurm", f"{text}experiment one:\n{run}experiment beside:\n{run}    pack 2 side by side\n")
    project.run(str(folder / "submit.sh"))

    project.until(lambda: project.status() == {"one": {"done": 2}, "beside": {"done": 2}})
    found = {
        path.parent.parent.parent.name: path.read_text() for path in project.folder.glob("runs/*/*/files/cpus.txt")
    }
    assert found == {"one": "3\n", "beside": "3\n"}


@pytest.mark.slurm
@pytest.mark.parametrize("value", ['it\'s "x" $HOME \\ # `id`', "a\\", "é b", "x#y", "#x", "(a|b)&c", "%j *"])
def test_values_of_native_options_come_through_whole(value: str, built: Any) -> None:
    """Quotes, blanks, `#`, `$` and backslashes reach SLURM as they stand in the Experimentfile."""
    written = value.replace("\\", "\\\\").replace('"', '\\"')
    project, folder = built(
        "slurm",
        f'target here = slurm:\n    slurm.comment = "{written}"\nexperiment e:\n    run "true"\n',
    )
    build = str(folder.relative_to(project.folder))
    command = [
        "sbatch",
        "--hold",
        "--parsable",
        f"--job-name=xpc-{folder.name}-e-1",
        f"{build}/arrays/e-1.sbatch",
        build,
    ]
    id = project.run(*command).stdout.strip()
    said = subprocess.run(["scontrol", "show", "job", id], capture_output=True, text=True, check=True).stdout

    assert f"Comment={value}" in [line.strip() for line in said.splitlines()]


@pytest.mark.oar
def test_oar_reads_the_headers_as_they_are_meant(built: Any) -> None:
    """What `oarstat` says of a task sent by hand is what the Experimentfile asked for."""
    project, folder = built("oar", RICH["oar"])
    script = f"{folder.relative_to(project.folder)}/arrays/e-1.oar"
    name = f"xpc-{folder.name}-e-1"
    said = project.run("oarsub", "-S", "--hold", "-d", str(project.folder), "-n", name, f"{script} 3").stdout
    (id,) = re.findall(r"^OAR_JOB_ID=(\d+)$", said, re.MULTILINE)
    job = jobs_of_oar(name)[id]  # OAR remembers those of an earlier time

    assert job["command"] == f"{script} 3"
    assert "network_address=1/gpu=2,walltime=26:0:0" in job["wanted_resources"]
    assert "((gpu <> '0') AND (mem > 1) AND (host = 'oarn2'))" in job["properties"]
    assert (job["project"], sorted(job["types"])) == ("vision", ["besteffort", "idempotent"])


@pytest.mark.parametrize("kind", [SLURM, OAR])
def test_asking_beforehand(kind: str, make_project: Callable[..., ClusterProject]) -> None:
    """A request that fits is taken; one that does not is shown at its line, and nothing is written."""
    project = make_project(kind, {"Experimentfile": RICH[kind]})

    asked = project.xpc("build", "--target", "here", "--dry-run", "--ask-scheduler").stdout
    says = {"slurm": "SLURM would take", "oar": "OAR has room for"}[kind]
    assert asked.endswith(f"{says} the one kind of task.\n")
    old, new = {"slurm": ("cpus = 3", "cpus = 90"), "oar": ("gpus = 2", "gpus = 90")}[kind]
    project.write({"Experimentfile": RICH[kind].replace(old, new)})
    refused = project.xpc("build", "--target", "here", "--ask-scheduler", check=False)
    assert refused.returncode == 3
    assert "error[XP147]: " in refused.stderr
    assert "= 90" in refused.stderr
    assert not (project.folder / ".xpc" / "builds").exists()


@pytest.mark.slurm
def test_a_time_that_is_too_long(make_project: Callable[..., ClusterProject]) -> None:
    """The refusal stands under the line that asked, with what the partition allows."""
    text = RICH["slurm"].replace('partition = "cpu"', 'partition = "short"')
    refused = make_project("slurm", {"Experimentfile": text}).xpc(
        "build", "--target", "here", "--dry-run", "--ask-scheduler", check=False
    )

    assert refused.returncode == 3
    assert refused.stderr == (
        "error[XP147]: SLURM would refuse array `e-1`\n"
        "  --> Experimentfile:11:12\n"
        "   |\n"
        "11 |     time = 90min\n"
        "   |            ^^^^^ asked here; partition `short` allows 2:00\n"
        "   |\n"
        "help: allocation failure: Requested time limit is invalid (missing or exceeds some limit)\n"
        "\n1 error. Nothing was written.\n"
    )


@pytest.mark.slurm
def test_a_refusal_midway_leaves_nothing_queued(built: Any) -> None:
    """Where SLURM refuses a later array, submit.sh cancels those that it had sent."""
    text = 'target here = slurm:\n    partition = "cpu"\nresources bad:\n    slurm.partition = "nosuch"\n'
    text += 'experiment a:\n    run "true"\nexperiment b:\n    after a\n    resources bad\n    run "true"\n'
    project, folder = built("slurm", text)
    refused = project.run(str(folder / "submit.sh"), check=False)

    assert refused.returncode == 3
    assert "Invalid partition name specified" in refused.stderr
    listed = ["squeue", "-h", f"--name=xpc-{folder.name}-a-1", "--states=PENDING,RUNNING"]
    assert subprocess.run(listed, capture_output=True, text=True, check=True).stdout == ""
