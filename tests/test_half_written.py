"""Files that tasks share: what a killed one left half-written goes, and nothing else."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from xpc.runtime.half_written import sweep_halves


@pytest.mark.parametrize(
    ("place", "whole", "more"),
    [
        (".xpc/shim", "d6082ce790dde406.cpython-311.zip", ""),
        (".xpc/environments", "python-c33797f6a598ef3d.json", "-30035554982566"),
    ],
)
def test_half_written_files_are_swept(tmp_path: Path, place: str, whole: str, more: str) -> None:
    """Of a process of this host that has ended, or of another host after an hour; what is whole or written just now
    stays."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    here = socket.gethostname()
    marks = (f"{here}-{gone.pid}", "cn-7-15", f"{here}-{os.getpid()}", "cn-7-16")
    names = [f"{whole}.{mark}{more}" for mark in marks]
    names.insert(2, whole)
    folder = tmp_path / place
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).touch()
    for name in names[1:3]:
        os.utime(folder / name, (1, 1))

    sweep_halves(tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == sorted(names[2:])


def test_project_without_a_cache(tmp_path: Path) -> None:
    """Most projects have none."""
    sweep_halves(tmp_path)
