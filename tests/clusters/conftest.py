"""Real schedulers for the tests of this folder; `make clusters` brings them up, else the tests are skipped."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from cluster_project import USER, ClusterProject

HERE = Path(__file__).parent
ASKS = {"slurm": ["scontrol", "ping"], "oar": ["oarnodes", "-s"]}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a scheduler that was not asked for; one that was asked for must be there."""
    for item in items:
        for kind in ASKS:
            if item.get_closest_marker(kind) is not None and os.environ.get("XPC_CLUSTERS") != "1":
                item.add_marker(pytest.mark.skip(f"needs {kind}: `make clusters`, as root, starts one and runs this"))


@cache
def user_bin() -> Path:
    """Give the folder of programs that the ordinary user can run."""
    return Path(subprocess.check_output([HERE / "user-python", USER], text=True).strip())


@pytest.fixture(scope="session")
def user_bin_folder() -> Path:
    return user_bin()


@pytest.fixture(scope="session", autouse=True)
def _schedulers_answer(request: pytest.FixtureRequest) -> None:
    """Stop at once, with the scheduler's own words, where one that is needed does not answer."""
    needed = {kind for item in request.session.items for kind in ASKS if item.get_closest_marker(kind) is not None}
    if os.environ.get("XPC_CLUSTERS") != "1":
        return
    for kind in needed:
        done = subprocess.run(ASKS[kind], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{kind} does not answer: {done.stdout}{done.stderr}"


@pytest.fixture
def make_project() -> Iterator[Callable[..., ClusterProject]]:
    """Make projects for a scheduler (`make_project("slurm", {"Experimentfile": …})`), in a git repository that an
    ordinary user owns; their jobs are cancelled and they are removed afterwards."""
    made: list[ClusterProject] = []
    above = Path(tempfile.mkdtemp(prefix="xpc-", dir="/var/tmp"))
    above.chmod(0o755)

    def make(kind: str, files: dict[str, str], name: str = "project") -> ClusterProject:
        project = ClusterProject(kind, above / f"{name}-{len(made)}", files, user_bin())
        made.append(project)
        return project

    yield make
    for project in made:
        project.cancel_all()
    shutil.rmtree(above, ignore_errors=True)
