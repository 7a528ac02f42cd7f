"""What the shim says in the log of its task."""

from __future__ import annotations

import subprocess
import sys


def test_full_disk_changes_no_exit_status() -> None:
    """Python ends with 120 if it can't write what it has buffered; the shim's 74 must come through."""
    code = "import sys; from xpc.runtime.shim.said import tell; tell('no \\udcff space'); sys.exit(74)"
    with open("/dev/full", "wb") as full:
        assert subprocess.run([sys.executable, "-c", code], stderr=full, check=False).returncode == 74
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (said.returncode, said.stderr) == (74, b"no \xff space\n")
