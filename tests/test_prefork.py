"""Commands that tests type without a shell: what they print, leave and see is what it is with one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import console
import prefork
import pytest
from hypothesis import given
from hypothesis import strategies as st

STUDY = """\
experiment train:
    run "umask; echo $HOME_OF_TEST; echo problem >&2"
"""


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    source.mkdir()
    (source / "Experimentfile").write_text(STUDY)
    return console.fresh_project(source, tmp_path / "project")


@given(st.text("ab '\"$`\\|*~#!=-{", max_size=12))
def test_words_are_those_of_a_shell(rest: str) -> None:
    """Whatever is taken for plain words, a shell reads as the very same words."""
    words = prefork.words_of(f"xpc {rest}")
    if words is not None:
        said = subprocess.run(["bash", "-c", f'xpc() {{ printf "%s\\0" "$@" .; }}; xpc {rest}'], capture_output=True)
        assert said.stdout.decode().split("\0")[:-2] == words


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("xpc list --where 'seed == 0 && lr > $x'", ["list", "--where", "seed == 0 && lr > $x"]),
        ('xpc query "from a show b" --format json', ["query", "from a show b", "--format", "json"]),
        ("xpc build --set a=1", ["build", "--set", "a=1"]),
        ("xpc list | head", None),
        ("xpc list > file", None),
        ("xpc list *.py", None),
        ('xpc list "$HOME"', None),
        ("cd sub; xpc list", None),
        ("git status", None),
        ("xpc list 'open", None),
    ],
)
def test_what_needs_a_shell(command: str, words: list[str] | None) -> None:
    assert prefork.words_of(command) == words


@pytest.mark.parametrize(
    "command", ["check", "list", "build --dry-run", "list nobody", "nonsense", "show x", "--version"]
)
def test_same_answer_as_in_a_shell(project: Path, command: str) -> None:
    """Status and both streams."""
    quick, slow = console.run(f"xpc {command}", project), console.shell(f"xpc {command}", project)
    assert (quick.returncode, quick.stdout, quick.stderr) == (slow.returncode, slow.stdout, slow.stderr)
    assert isinstance(quick.args, list)
    assert quick.args[0] == "xpc"


def test_each_command_has_its_own_environment(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folder, variables and umask are those of the test just then; nothing of one command is left to the next."""
    before = os.umask(0o027)
    try:
        for home, options in (("first", ""), ("second", " --force")):
            monkeypatch.setenv("HOME_OF_TEST", home)
            done = console.run(f"xpc submit{options}", project)
            assert isinstance(done.args, list)
            assert done.args[0] == "xpc"
            (log,) = project.glob("runs/train/*[0-9a-f][0-9a-f]/stdout.log")
            assert log.read_text() == f"0027\n{home}\n"
    finally:
        os.umask(before)


def test_variable_that_counts_before_xpc_runs(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then a shell starts it."""
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    done = console.run("xpc check", project)
    assert done.args[:2] == ["bash", "-c"]
    assert done.returncode == 0
