"""What holds for all tests: which Python the runs find, and that what it compiles is kept."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

# Each process of a test run would otherwise rewrite the assertions of all tests anew, and each `xpc` that a test types
# would compile xpc anew, where the environment says that nothing compiled shall be kept.
sys.dont_write_bytecode = False

# Runs call `python3`: they find this one, as the manual advises, and no script that looks for a version first.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

# What runs whole studies, containers, browsers or a second account takes half the time: `make unit` leaves it out.
WHOLE = {
    *("test_against", "test_campaign", "test_ci_workflow", "test_cli", "test_containers", "test_docs_python"),
    *("test_freshness", "test_plot_command", "test_plots_files", "test_renames", "test_report_page"),
    *("test_reproduce", "test_rerun", "test_security_bytes", "test_security_project", "test_shim_again"),
    *("test_submit", "test_two_people"),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.stem in WHOLE:
            item.add_marker("whole")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Give how many processes `-n auto` starts: tests wait for a third of their time, for programs and deadlines."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores + (cores + 1) // 2
