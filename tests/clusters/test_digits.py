"""The digits example on this machine, on SLURM and on OAR: the same states, the same tables."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cluster_project import ClusterProject
from console import ROOT

EXAMPLE = ROOT / "examples" / "digits"
FILES = ("Experimentfile", "train.py", "configs/base.yaml")

RATES = "lr in [0.1, 0.03, 0.01, 0.003, 0.001, 0.0003]"
TARGETS = """
target here = {kind}:
    setup "export PATH={bin}:$PATH"
"""


def project_on(kind: str, make_project: Callable[..., ClusterProject], bin: Path) -> ClusterProject:
    files = {name: (EXAMPLE / name).read_text() for name in FILES}
    files["configs/base.yaml"] = re.sub(r"epochs: \d+", "epochs: 3", files["configs/base.yaml"])  # enough to compare
    assert RATES in files["Experimentfile"]
    files["Experimentfile"] = files["Experimentfile"].replace(RATES, "lr in [0.1, 0.01]")
    files["Experimentfile"] += TARGETS.format(kind=kind, bin=bin)
    return make_project(kind, files)


def tables(project: ClusterProject) -> dict[str, str]:
    return {name: project.xpc("report", name, "--format", "csv").stdout for name in ("accuracy", "best")}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Callable[[ClusterProject], dict[str, str]]:
    """Give the tables that runs on this machine make, from a copy of a project; run once."""
    made: dict[str, str] = {}

    def of(project: ClusterProject) -> dict[str, str]:
        if not made:
            local = project.folder.parent / "local"
            shutil.copytree(project.folder, local, ignore=shutil.ignore_patterns(".xpc", "runs"))
            copy = ClusterProject("local", local, {}, project.bin)
            copy.xpc("submit", timeout=600)
            assert copy.status() == {"train": {"done": 24}}
            made.update(tables(copy))
        return made

    return of


@pytest.mark.xdist_group("digits")
@pytest.mark.parametrize(
    "kind", [pytest.param("slurm", marks=pytest.mark.slurm), pytest.param("oar", marks=pytest.mark.oar)]
)
def test_digits_are_the_same_everywhere(
    kind: str,
    make_project: Callable[..., ClusterProject],
    expected: Callable[[ClusterProject], dict[str, str]],
    user_bin_folder: Path,
) -> None:
    project = project_on(kind, make_project, user_bin_folder)
    wanted = expected(project)
    project.xpc("submit", "--target", "here")
    project.xpc("wait", "--timeout", "10min", timeout=660)
    assert project.status() == {"train": {"done": 24}}
    assert tables(project) == wanted
    again = project.xpc("submit", "--target", "here")
    assert "Nothing to run" in again.stdout + again.stderr
    assert all(len(attempts) == 1 for attempts in project.journals("train").values())
