"""Every folder of examples/: the commands of its README are typed in a fresh copy, and all of them work."""

from pathlib import Path

import console
import pytest

EXAMPLES = sorted(p for p in (console.ROOT / "examples").iterdir() if (p / "Experimentfile").exists())


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda p: p.name)
def test_example_runs_as_its_readme_says(example: Path, tmp_path: Path) -> None:
    """Each command of the README ends with status 0, and at the end every run is done."""
    folder = console.fresh_project(example, tmp_path / "project")
    for step in console.steps((example / "README.md").read_text()):
        done = console.shell(step.command, folder)

        assert done.returncode == 0, f"$ {step.command}\n{done.stdout}{done.stderr}"
    left = console.shell('xpc query "where status != done show count() as left" --format json', folder)

    assert left.stdout.replace(" ", "").replace("\n", "") == '[{"left":0}]', left.stderr
