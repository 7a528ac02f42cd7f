"""Damaged Experimentfiles, YAML and CSV through whole commands: each has an answer, whatever the project holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from repository import Repo
from strangers import typed
from test_fuzz_inputs import CSV, YAML, mutated

FUZZ = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
STUDY = """
config c:
    lr = 0.1
    from "f.yaml"

grid g:
    new rows from "f.csv"

experiment e:
    config c
    grid g
    run "true {lr}"
"""
COMMANDS = [
    ["check"],
    ["check", "--format", "github"],
    ["check", "--format", "json"],
    ["list", "--command"],
    ["build", "--dry-run", "-v"],
    ["build", "--dry-run", "--target", "slurm"],
    ["build", "--dry-run", "--target", "oar", "--json"],
    ["build", "--against", "HEAD", "-v"],
    ["build", "--against", "HEAD", "--format", "markdown"],
    ["build", "--against", "HEAD", "--json"],
    ["status"],
    ["report"],
    ["gc", "--where", "status == done"],
]


@pytest.fixture(name="repo", scope="module")
def _repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    files = {"Experimentfile": STUDY, "f.yaml": "name: a\n", "f.csv": "x\n1\n2\n", "configs/base.yaml": "a: 1\n"}
    repo = Repo(tmp_path_factory.mktemp("fuzz") / "project", files)
    assert "2 done" in typed(repo.path, "submit")
    return repo


def some(data: st.DataObject, project: Path) -> None:
    for command in data.draw(st.lists(st.sampled_from(COMMANDS), min_size=3, max_size=4)):
        typed(project, *command)


@FUZZ
@given(text=mutated(), data=st.data())
def test_experimentfiles(repo: Repo, text: str, data: st.DataObject) -> None:
    """A file that is no study, or another one than the records tell of."""
    (repo.path / "Experimentfile").write_bytes(text.encode("utf-8", "surrogatepass"))
    some(data, repo.path)


@FUZZ
@given(before=mutated(), now=mutated(), data=st.data())
def test_two_states(repo: Repo, before: str, now: str, data: st.DataObject) -> None:
    """Any study compared with any other: what was committed may be as damaged as what is there now."""
    (repo.path / "Experimentfile").write_bytes(before.encode("utf-8", "surrogatepass"))
    repo.commit()
    (repo.path / "Experimentfile").write_bytes(now.encode("utf-8", "surrogatepass"))
    for how in data.draw(st.lists(st.sampled_from(["text", "json", "markdown"]), min_size=1, max_size=2)):
        typed(repo.path, "build", "--against", "HEAD", "--format", how)


@FUZZ
@given(yaml=YAML, csv=CSV.map("".join), data=st.data())
def test_configs_and_points(repo: Repo, yaml: str, csv: str, data: st.DataObject) -> None:
    """Files that a study reads."""
    repo.write({"Experimentfile": STUDY})
    (repo.path / "f.yaml").write_bytes(yaml.encode("utf-8", "surrogatepass"))
    (repo.path / "f.csv").write_bytes(csv.encode("utf-8", "surrogatepass"))
    some(data, repo.path)
