"""A setup line that fails: the run's reason names it, with and without a container, and the program never begins."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hand_build import Experiment, write_build
from test_containers import boxed, end_of, podman
from test_shim_task import folder, task

from xpc.runtime.shim import archive


def bare(project: Path, setup: list[dict[str, Any]], script: str = "touch began") -> Path:
    """Write a build whose run is set up by these lines."""
    build = write_build(project, [Experiment("train", script)])
    (build / "xpc.pyz").write_bytes(archive.build())
    plan = json.loads((build / "plan.json").read_text())
    plan["experiments"]["train"]["environment"]["setup"] = setup
    (build / "plan.json").write_text(json.dumps(plan))
    return build


def line(script: str, *args: str) -> dict[str, Any]:
    return {"script": script, "args": [[arg] for arg in args]}


@pytest.mark.parametrize(
    ("script", "args", "code", "reason"),
    [
        ("false", (), 1, 'setup line "false" gave 1'),
        ("module load cuda", (), 127, 'setup line "module load cuda" gave 127'),
        ('test "${1}" = 12', ("11",), 1, 'setup line "test 11 = 12" gave 1'),
        ("exit 3", (), 3, 'setup line "exit 3" gave 3'),
        ("exit 0", (), 1, 'setup line "exit 0" left before the program began'),
        ("cd /nowhere | cat\necho not here", (), 1, 'setup line "cd /nowhere | cat" gave 1'),
    ],
)
def test_reason_names_the_line(tmp_path: Path, script: str, args: tuple[str, ...], code: int, reason: str) -> None:
    """Of several lines it is the one that failed; its values are in it."""
    build = bare(tmp_path, [line("export OK=1"), line(script, *args), line("export LATER=1")])
    environ = {name: value for name, value in os.environ.items() if not name.startswith("BASH_FUNC_")}

    assert task(tmp_path, build, **environ)[0] == 1
    end = end_of(tmp_path)
    assert (end["state"], end["exit"], end["reason"]) == ("failed", code, reason)
    assert not (folder(tmp_path) / "files/began").exists()


def test_program_that_fails_after_its_setup(tmp_path: Path) -> None:
    """The status of the program is its own, and no setup line is blamed; `$?` and traps of the setup do not matter."""
    build = bare(tmp_path, [line("true"), line("false || true")], "echo gone >&2; exit 9")
    task(tmp_path, build)
    end = end_of(tmp_path)
    assert (end["state"], end["exit"], end["reason"]) == ("failed", 9, None)


def test_program_that_is_not_there(tmp_path: Path) -> None:
    """Behind a setup, too, a command that is not found is the program's."""
    build = bare(tmp_path, [line("true")])
    plan = json.loads((build / "plan.json").read_text())
    plan["experiments"]["train"]["command"] = {"kind": "argv", "words": [["no-such-program"]]}
    (build / "plan.json").write_text(json.dumps(plan))
    task(tmp_path, build)
    end = end_of(tmp_path)
    assert (end["state"], end["exit"]) == ("failed", 127)
    assert end["reason"] is None or "setup" not in end["reason"]


@podman
@pytest.mark.parametrize("script", ["false", "module-that-is-not-there"])
def test_reason_before_a_container(tmp_path: Path, script: str) -> None:
    """The setup runs on the node, before the container: nothing is said of the image."""
    build = boxed(tmp_path, ["touch", "began"], environment={"setup": [line("true"), line(script)]})
    task(tmp_path, build)
    end = end_of(tmp_path)
    assert end["reason"] == f'setup line "{script}" gave {end["exit"]}'
    assert not (folder(tmp_path) / "files/began").exists()
