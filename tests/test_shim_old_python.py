"""The shim under the oldest Python that a node may have."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hand_build import Experiment, write_build

from xpc.runtime.shim import archive


def old_python() -> str | None:
    """Find a Python 3.8 on the path or among pyenv's."""
    home = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for candidate in (shutil.which("python3.8"), *sorted(home.glob("versions/3.8.*/bin/python3.8"))):
        if candidate is not None:
            asked = [candidate, "-c", "import sys; sys.exit(sys.version_info[:2] != (3, 8))"]
            if subprocess.run(asked, check=False).returncode == 0:
                return str(candidate)
    return None


@pytest.mark.skipif(old_python() is None, reason="there is no Python 3.8 here; CI has one")
def test_task_runs_under_python_3_8(tmp_path: Path) -> None:
    """A whole task, from its claim to its end line."""
    build = write_build(tmp_path, [Experiment("train", "echo hello", runs=2)])
    (build / "xpc.pyz").write_bytes(archive.build())
    python = old_python()
    assert python is not None

    command = [python, "-I", str(build / "xpc.pyz"), "array", "--project", str(tmp_path), "--build", str(build)]
    done = subprocess.run([*command, "--array", "train-1"], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert [log.read_text() for log in tmp_path.glob("runs/train/*/stdout.log")] == ["hello\n", "hello\n"]
