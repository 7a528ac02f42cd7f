"""Values and secrets on this machine: the first arrive byte for byte, the second are recorded nowhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from bytes_study import SECRET, check, files, holders
from repository import Repo
from strangers import answer


@pytest.fixture(name="project")
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study that has run; what the commands printed is in `said` beside it."""
    monkeypatch.setenv("STUDY_SECRET", SECRET)
    folder = tmp_path / "project"
    Repo(folder, files("local"))
    status, said = answer(folder, "submit")
    assert status == 0, said
    (tmp_path / "said").write_text(said)
    return folder


def test_values_arrive_and_secrets_do_not(project: Path) -> None:
    """Through arguments, bash, variables and configs; afterwards no file and no answer holds the secret."""
    check(project)
    said = (project.parent / "said").read_text()
    run = next(path.name for path in (project / "runs/direct").iterdir() if len(path.name) == 16)
    commands = (["status", "--json"], ["show", run, "--json"], ["show", run], ["query", "show config", "--explain"])
    for command in (
        *commands,
        ["build", "--json"],
        ["list", "--json"],
        ["list", "-v"],
        ["report", "--html", "page.html"],
    ):
        said += answer(project, *command)[1]

    assert "top-secret" not in said
    assert holders(project) == []
    for target in ("slurm", "oar"):
        answer(project, "build", "--target", target)
    assert holders(project) == []


@pytest.mark.parametrize("umask", [0o077, 0o027, 0o002])
def test_umask_is_followed(tmp_path: Path, umask: int) -> None:
    """What is made is open to those to whom the owner's umask opens it, and to no others."""
    folder = tmp_path / "project"
    Repo(folder, files("local", ["a"]))
    before = set(folder.rglob("*"))
    os.environ["STUDY_SECRET"] = SECRET
    old = os.umask(umask)
    try:
        status, said = answer(folder, "submit")
    finally:
        os.umask(old)
        del os.environ["STUDY_SECRET"]
    assert status == 0, said

    for path in set(folder.rglob("*")) - before:
        if not path.is_symlink():
            assert path.stat().st_mode & umask == 0, f"{path} {path.stat().st_mode:o}"
    if umask == 0o002:  # a group that works together: each may add to what another one made
        for path in ("runs", "runs/direct", ".xpc", ".xpc/builds", ".xpc/submissions", ".xpc/events"):
            assert (folder / path).stat().st_mode & 0o020, path


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a second group is given to a folder")
def test_group_of_a_setgid_project_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below a folder with the setgid bit, everything new belongs to its group, and new folders have the bit."""
    group = 54321
    folder = tmp_path / "project"
    folder.mkdir()
    os.chown(folder, -1, group)
    folder.chmod(0o2775)
    Repo(folder, files("local", ["a", "b"]))
    before = set(folder.rglob("*"))
    monkeypatch.setenv("STUDY_SECRET", SECRET)
    old = os.umask(0o002)
    try:
        status, said = answer(folder, "submit")
        answer(folder, "gc", "--pack")
    finally:
        os.umask(old)
    assert status == 0, said

    for path in set(folder.rglob("*")) - before:
        if path.is_symlink():
            continue
        assert path.stat().st_gid == group, path
        if path.is_dir() and ".xpc/snapshots/" not in f"{path}/":
            assert path.stat().st_mode & 0o2000, path


PRIVATE = """
environment private:
    secret STUDY_SECRET

experiment open:
    run "true"

experiment closed:
    environment private
    run "true"
"""


def test_secret_that_is_not_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is started where a run would lack a secret; runs that need none are, and what is done asks for none."""
    monkeypatch.delenv("STUDY_SECRET", raising=False)
    folder = tmp_path / "project"
    Repo(folder, {"Experimentfile": PRIVATE})
    status, said = answer(folder, "submit")
    assert status == 1
    assert said == (
        "error[XS006]: experiment `closed` needs the secret `STUDY_SECRET`, and it is not set\n"
        "help: `export STUDY_SECRET=…` in the shell that submits\n"
    )
    assert not (folder / "runs").exists()

    assert answer(folder, "submit", "open")[0] == 0
    monkeypatch.setenv("STUDY_SECRET", SECRET)
    assert answer(folder, "submit")[0] == 0
    monkeypatch.delenv("STUDY_SECRET")
    assert answer(folder, "submit") == (0, "Nothing to run: 2 done.\n")


def test_secret_that_would_never_arrive(tmp_path: Path) -> None:
    """Variables of xpc's own prefix are taken out before a program starts: such a secret is refused at its place."""
    folder = tmp_path / "project"
    Repo(folder, {"Experimentfile": PRIVATE.replace("STUDY_SECRET", "XPC_TOKEN")})
    status, said = answer(folder, "check")
    assert status == 1
    assert said == (
        "error[XP045]: a secret called `XPC_TOKEN` would never arrive: variables that begin with `XPC_` are xpc's own\n"
        " --> Experimentfile:3:12\n"
        "  |\n"
        "3 |     secret XPC_TOKEN\n"
        "  |            ^^^^^^^^^ never arrives\n"
        "  |\n"
        "help: give it another name, such as `TOKEN`\n"
        "\n1 error. Nothing was written.\n"
    )


KEYED = """
config base:
    token = "none"

environment private:
    secret STUDY_SECRET
{more}
experiment train:
    config base
    environment private
    run "true {{token}}"
"""


@pytest.mark.parametrize(
    ("more", "setting"),
    [
        ("", ("--set", "token=s3cret-value")),
        ('    NOTE = "it is s3cret-value"\n', ()),
        ('\ntarget far = slurm:\n    slurm.comment = "s3cret-value"\n', ("--target", "far")),
    ],
)
def test_secret_that_would_be_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str, setting: tuple[str, ...]
) -> None:
    """A value of a key, a variable's text or an option that holds what a secret is: nothing is written with it."""
    monkeypatch.setenv("STUDY_SECRET", "s3cret-value")
    folder = tmp_path / "project"
    Repo(folder, {"Experimentfile": KEYED.format(more=more)})
    before = set(folder.rglob("*"))
    for command in ("build", "submit"):
        status, said = answer(folder, command, *setting)
        assert status == 1
        assert said == (
            "error[XP037]: the value of the secret `STUDY_SECRET` stands in what is recorded of `train`\n"
            "help: take it out of the keys, texts and `--set`: the program finds it in its environment\n"
            'help: if it is none, write `STUDY_SECRET = env("STUDY_SECRET")` in place of `secret STUDY_SECRET`\n'
            "\n1 error. Nothing was written.\n"
        )
    made = {path for path in set(folder.rglob("*")) - before if path.is_file() and ".git/" not in str(path)}
    assert [path for path in made if b"s3cret-value" in path.read_bytes() and path.name != "Experimentfile"] == []
    assert not (folder / "runs").exists()


def test_failing_with_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reasons, setup lines and what is recorded of programs and environments do not hold it either."""
    monkeypatch.setenv("STUDY_SECRET", "s3cret-value")
    folder = tmp_path / "project"
    private = 'environment private:\n    secret STUDY_SECRET\n    setup "test -z \\"$STUDY_SECRET\\""\n'
    run = '\nexperiment train:\n    environment private\n    run "true"\n    output model = "model.pt"\n'
    Repo(folder, {"Experimentfile": private + run})
    status, said = answer(folder, "submit")
    assert status == 1
    assert "setup line" in answer(folder, "status")[1]
    for command in (["status"], ["query", "show reason, command"], ["list"], ["report", "--html", "page.html"]):
        said += answer(folder, *command)[1]
    assert "s3cret-value" not in said
    found = [path for path in folder.rglob("*") if path.is_file() and b"s3cret-value" in path.read_bytes()]
    assert found == []
