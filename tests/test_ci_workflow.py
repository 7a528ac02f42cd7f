"""examples/ci: the workflow is read as GitHub reads it, and its steps are run in a repository with two branches."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import console
import pytest
import yaml
from repository import Repo

FOLDER = console.ROOT / "examples/ci"
WORKFLOW = FOLDER / ".github/workflows/xpc.yml"
GH = """#!{python}
import json, os, sys
from pathlib import Path

place = Path(os.environ["GH_PLACE"])
body = [a.removeprefix("body=@") for a in sys.argv if a.startswith("body=@")]
text = Path(body[0]).read_text() if body else None
said = {{"arguments": sys.argv[1:], "token": os.environ.get("GH_TOKEN"), "body": text}}
with open(place / "calls.jsonl", "a") as file:
    file.write(json.dumps(said) + "\\n")
if "--paginate" in sys.argv:
    print((place / "comments").read_text(), end="")
"""


def workflow() -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load(WORKFLOW.read_text())
    return found


def evaluated(value: str, github: dict[str, str]) -> str:
    """Put in what GitHub would for `${{ … }}`."""
    return re.sub(r"\$\{\{ *([\w.]+) *\}\}", lambda match: github[match[1]], str(value))


class Runner:
    """Runs the steps of the job as GitHub's runner does: one shell each, in the checkout."""

    def __init__(self, tmp_path: Path, checkout: Path, github: dict[str, str]) -> None:
        self.place, self.checkout, self.github = tmp_path, checkout, github
        self.programs = tmp_path / "programs"
        self.programs.mkdir()
        (self.programs / "gh").write_text(GH.format(python=sys.executable))
        (self.programs / "gh").chmod(0o755)
        (tmp_path / "comments").write_text("")
        (tmp_path / "summary").write_text("")
        self.job = workflow()["jobs"]["runs"]

    def run(self, step: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        variables = {**self.job["env"], **step.get("env", {})}
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")},
            **{name: evaluated(value, self.github) for name, value in variables.items()},
            "PATH": os.pathsep.join([str(self.programs), str(Path(sys.executable).parent), os.environ["PATH"]]),
            "RUNNER_TEMP": str(self.place),
            "GITHUB_STEP_SUMMARY": str(self.place / "summary"),
            "GH_PLACE": str(self.place),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }
        script = self.place / "step.sh"
        script.write_text(step["run"])
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.checkout,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def all(self) -> None:
        for step in self.job["steps"]:
            if "run" in step:
                done = self.run(step)
                assert done.returncode == 0, f"{step['name']}\n{done.stdout}{done.stderr}"

    def calls(self) -> list[dict[str, Any]]:
        path = self.place / "calls.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A pull request of `topic` into `main`, checked out as `actions/checkout` does: the merge commit, detached."""
    origin = Repo(tmp_path / "origin")
    shutil.copytree(FOLDER, origin.path, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".xpc", "runs"))
    origin.commit("Begin")
    origin.git("checkout", "-q", "-b", "topic")
    study = (FOLDER / "Experimentfile").read_text()
    origin.write({"Experimentfile": study.replace("[0.1, 0.01]", "[0.1, 0.01, 0.001]")})
    origin.commit("More")
    origin.git("clone", "-q", str(origin.path), str(tmp_path / "checkout"))
    checkout = Repo(tmp_path / "checkout")
    checkout.git("checkout", "-q", "--detach", "origin/main")
    checkout.git("merge", "-q", "--no-ff", "--no-edit", "origin/topic")
    github = {
        "github.base_ref": "main",
        "github.token": "T0KEN",
        "github.repository": "lab/study",
        "github.event.pull_request.number": "7",
    }
    return Runner(tmp_path, checkout.path, github)


def test_a_pull_request_gets_one_comment(runner: Runner) -> None:
    """The first push makes the comment, later ones bring it up to date; the summary has the same text."""
    runner.all()
    (runner.place / "comments").write_text("4711\n")
    runner.all()
    first, made, again, updated = runner.calls()
    body = made["body"]

    assert body.startswith("<!-- xpc build --against -->\n### What this changes in the runs\n\n3 runs added, against ")
    assert "- <code>optimizer.lr</code>: <code>+ 0.001</code>\n" in body
    assert first["arguments"][:3] == ["api", "repos/lab/study/issues/7/comments", "--paginate"]
    assert made["arguments"][:4] == ["api", "--method", "POST", "repos/lab/study/issues/7/comments"]
    assert updated["arguments"][:4] == ["api", "--method", "PATCH", "repos/lab/study/issues/comments/4711"]
    assert [call["token"] for call in (first, made, again, updated)] == ["T0KEN"] * 4
    assert updated["body"] == body
    assert (runner.place / "summary").read_text() == 2 * body


def test_a_mistake_ends_the_job_with_annotations(runner: Runner) -> None:
    """GitHub shows them at their lines; nothing is commented."""
    study = runner.checkout / "Experimentfile"
    study.write_text(study.read_text().replace("{steps}", "{step}"))
    step = next(step for step in runner.job["steps"] if step.get("name") == "Check the study")
    done = runner.run(step)

    assert done.returncode == 1
    assert done.stdout.startswith("::error file=Experimentfile,line=18,col=42,endLine=18,endColumn=46,title=XP021::")
    assert runner.calls() == []


def test_the_workflow_gives_strangers_nothing() -> None:
    """No untrusted text is put into a script, the token goes to the last step alone, and no credentials stay behind."""
    found = workflow()
    job = found["jobs"]["runs"]
    steps = job["steps"]

    assert found[True] == {"pull_request": None}  # YAML 1.1 reads `on` as true
    assert found["permissions"] == {}
    assert job["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert [step["run"] for step in steps if "${{" in step.get("run", "")] == []
    assert [step.get("name") for step in steps if "github.token" in json.dumps(step)] == ["Comment on the pull request"]
    assert "GH_TOKEN" not in job["env"]
    assert steps[0]["with"] == {"fetch-depth": 0, "persist-credentials": False}
    assert steps[-1]["if"] == "github.event.pull_request.head.repo.full_name == github.repository"


def test_github_would_take_it() -> None:
    """The workflow fits GitHub's schema; nothing is misspelt in it."""
    program = Path(sys.executable).parent / "check-jsonschema"
    if not program.exists():
        pytest.skip("check-jsonschema is not installed")
    done = subprocess.run(
        [program, "--builtin-schema", "vendor.github-workflows", str(WORKFLOW)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, "ok -- validation done\n"), done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_scripts_of_the_steps_are_sound(tmp_path: Path) -> None:
    """shellcheck finds nothing in them."""
    for number, step in enumerate(step for step in workflow()["jobs"]["runs"]["steps"] if "run" in step):
        script = tmp_path / f"{number}.sh"
        script.write_text(f"#!/bin/bash\n{step['run']}")
        done = subprocess.run(["shellcheck", str(script)], capture_output=True, text=True, check=False)

        assert (done.returncode, done.stdout) == (0, "")
