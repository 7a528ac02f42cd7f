"""The shim under the oldest Python that a node may have."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
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


def test_python_that_is_too_old_is_told_so(tmp_path: Path) -> None:
    """The start of the archive is read by any Python, and ends where the shim would not be understood."""
    start = archive.START.replace(b"(3, 8)", b"(9, 8)")
    (tmp_path / "__main__.py").write_bytes(start)

    done = subprocess.run([sys.executable, str(tmp_path)], capture_output=True, text=True, check=False)

    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert done.returncode == 78
    assert done.stderr == f"Python 3.8 or newer is needed, and {sys.executable} is {version}\n"
