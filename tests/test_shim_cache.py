"""The cache of the compiled shim: what a killed node left half-written goes, and nothing else."""

import os
import socket
import subprocess
from pathlib import Path

from xpc.runtime.shim_cache import FOLDER, sweep_shims


def test_half_written_shims_are_swept(tmp_path: Path) -> None:
    """Of a process of this host that has ended, or of another host after an hour; what is whole or written just now
    stays."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    here = socket.gethostname()
    whole = "d6082ce790dde406.cpython-311.zip"
    names = [
        f"{whole}.{here}-{gone.pid}",
        f"{whole}.cn-7-15",
        whole,
        f"{whole}.{here}-{os.getpid()}",
        f"{whole}.cn-7-16",
    ]
    folder = tmp_path / FOLDER
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).touch()
    for name in names[1:3]:
        os.utime(folder / name, (1, 1))

    sweep_shims(tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == sorted(names[2:])


def test_project_without_a_cache(tmp_path: Path) -> None:
    """Most projects have none."""
    sweep_shims(tmp_path)
