"""The pages of the manual: their console blocks are typed, their links lead somewhere, nothing is left out."""

import re
from pathlib import Path

import console
import pytest

ROOT = console.ROOT
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_readme_shows_the_first_example() -> None:
    """The README's Experimentfile is the one of examples/first, to the letter."""
    shown = re.search(r"<!-- first -->\n```\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)

    assert shown is not None
    assert shown[1] == (ROOT / "examples/first/Experimentfile").read_text()


@pytest.mark.parametrize("page", [p for p in PAGES if "<!-- typed in" in p.read_text()], ids=lambda p: p.name)
def test_console_blocks_print_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    """Whoever types what the page says sees what the page shows (`…` stands for what differs)."""
    text = page.read_text()
    example = re.search(r"<!-- typed in (\S+) -->", text)
    assert example is not None
    folder = console.fresh_project(ROOT / example[1], tmp_path / "project")
    for step in console.steps(text):
        done = console.shell(step.command, folder)
        got = done.stdout + done.stderr

        assert console.matches(step.shown, got), f"$ {step.command}\n--- shown\n{step.shown}\n--- got\n{got}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_to_files(page: Path) -> None:
    """A relative link names a file that is there."""
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())

    assert [t for t in targets if not (page.parent / t).exists()] == []


def test_manual_holds_every_command() -> None:
    """docs/commands.md is what the commands' own help pages say: `python -m xpc.cli.manual > docs/commands.md`."""
    from xpc.cli.manual import manual

    assert (ROOT / "docs/commands.md").read_text() == manual()
