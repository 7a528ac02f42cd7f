"""Containers in jobs of SLURM, without privileges: an ordinary user's own podman on a node."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hand_build import Experiment, run_id
from shim_cluster import USER, HandProject, hand_project

pytestmark = pytest.mark.slurm
IMAGE = "localhost/bb:1"


def in_container(project: HandProject) -> None:
    declared = {"image": [IMAGE], "runtime": "podman", "mounts": []}
    project.edit(lambda plan: plan["experiments"]["train"]["environment"].update(container=declared))
    project.own()


def podman(*arguments: str) -> subprocess.CompletedProcess[str]:
    runuser = shutil.which("runuser") or "runuser"
    command = [runuser, "-u", USER, "--", "env", f"HOME=/home/{USER}", "podman", *arguments]
    return subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)


@pytest.fixture(autouse=True)
def _podman() -> None:
    if shutil.which("podman") is None or podman("image", "exists", IMAGE).returncode:
        pytest.skip("needs podman and an image: `tests/clusters/podman up` makes both")


def test_files_belong_to_the_user() -> None:
    """What the program writes inside is the user's outside; the code can only be read."""
    script = "id -u; cat code.txt; touch code.txt; echo 1 > out"
    with hand_project("slurm", Experiment("train", argv=["sh", "-c", script], outputs={"out": "out"})) as project:
        in_container(project)
        job = project.sbatch()
        assert project.ended(job) == "COMPLETED", project.log()
        folder = project.run_folder()
        uid = (folder / "files/out").stat().st_uid
        assert (folder / "stdout.log").read_text() == f"{uid}\ncode\n"
        assert uid == project.folder.stat().st_uid
        assert "Read-only file system" in (folder / "stderr.log").read_text()


def test_cancelled_with_its_container() -> None:
    """scancel ends what runs inside, and no container is left."""
    with hand_project("slurm", Experiment("train", argv=["sh", "-c", "touch ready; sleep 300"])) as project:
        in_container(project)
        job = project.sbatch()
        project.until(lambda: (project.run_folder() / "files/ready").exists())
        subprocess.run(["scancel", job], check=True)
        assert project.ended(job) == "CANCELLED"
        project.until(lambda: "end" in project.attempts()[0], 20)
        end = project.attempts()[0]["end"]
        assert (end["state"], end.get("by")) == ("killed", "task"), (end, project.log())
        project.until(lambda: run_id("train", 0) not in podman("ps", "-a", "--format", "{{.Names}}").stdout, 20)
