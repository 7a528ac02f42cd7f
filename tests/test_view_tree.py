"""`xpc view`: links by values, nothing overwritten, nothing removed that it did not make."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import console
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import Recorded, half_finished

from xpc.runtime.view_tree import LIST, safe_name


@pytest.fixture(name="study")
def _study(tmp_path: Path) -> Recorded:
    return half_finished(tmp_path)


def tree(folder: Path) -> dict[str, str]:
    """Give all links by path, with the run that each leads to."""
    found = {}
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            link = Path(place, name)
            if link.is_symlink():
                assert not os.path.isabs(os.readlink(link))
                found[str(link.relative_to(folder))] = link.resolve().name
    return found


def test_links_lead_to_runs(study: Recorded) -> None:
    """By the values in the order of the keys; runs without a folder are counted."""
    said = console.run("xpc view by --by optimizer.lr,seed train --where 'status == done'", study.folder)
    ids = [study.tables["train"].id(row) for row in range(8)]

    assert (said.returncode, said.stdout) == (0, "8 links in by: 8 made, 0 kept.\n"), said.stderr
    found = tree(study.folder / "by")
    assert sorted(found.values()) == sorted(ids)
    assert found[f"0.1/0/{ids[0][:7]}"] == ids[0]
    every = console.run("xpc view all --by status", study.folder).stdout
    assert every == "11 links in all: 11 made, 0 kept.\n13 runs left out: not started, or packed.\n"
    assert f"train/failed/{study.tables['train'].id(9)[:7]}" in tree(study.folder / "all")


def test_it_is_brought_up_to_date(study: Recorded) -> None:
    """Again it makes nothing; what is stale goes, with the folders that are empty then; what is not its own stays."""
    by = study.folder / "by"
    console.run("xpc view by --by seed train --where 'status == done'", study.folder)
    before = tree(by)
    again = console.run("xpc view by --by seed train --where 'status == done'", study.folder)
    assert again.stdout == "8 links in by: 0 made, 8 kept.\n"
    assert tree(by) == before
    (by / "0/notes.txt").write_text("mine")

    fewer = console.run("xpc view by --by seed train --where 'seed == 1 and status == done'", study.folder)
    assert fewer.stdout == "3 links in by: 0 made, 3 kept, 5 removed.\n"
    assert sorted(os.listdir(by)) == [".gitignore", LIST, "0", "1"]
    assert (by / "0/notes.txt").read_text() == "mine"

    other = console.run("xpc view by --by model.name train --where 'seed == 1 and status == done'", study.folder)
    assert other.stdout == "3 links in by: 3 made, 0 kept, 3 removed.\n"
    assert sorted(os.listdir(by)) == [".gitignore", LIST, "0", "cnn", "mlp"]


def test_nothing_is_overwritten(study: Recorded) -> None:
    """Not a folder with things in it, not a file, not a link of somebody else."""
    mine = study.folder / "mine"
    mine.mkdir()
    (mine / "notes.txt").write_text("x")
    said = console.run("xpc view mine --by seed train", study.folder)
    assert said.returncode == 1
    assert said.stderr == (
        "error[XR010]: `mine` has something in it that `xpc view` did not make\n"
        "help: name a folder that is empty or not there, or one that `xpc view` has made\n"
    )
    assert os.listdir(mine) == ["notes.txt"]
    assert console.run("xpc view mine/notes.txt --by seed train", study.folder).returncode == 1

    console.run("xpc view by --by seed train", study.folder)
    outside = study.folder / "outside"
    outside.mkdir()
    (study.folder / "by/cnn").symlink_to(outside)
    said = console.run("xpc view by --by model.name train", study.folder)
    assert "`by/cnn` is in the way, and `xpc view` did not make it" in said.stderr
    assert os.listdir(outside) == []


def test_a_list_that_lies_leads_nowhere(study: Recorded) -> None:
    """Paths out of the folder are not followed, whoever wrote them down."""
    console.run("xpc view by --by seed train", study.folder)
    victim = study.folder / "victim"
    victim.symlink_to("nowhere")
    with (study.folder / "by" / LIST).open("a") as file:
        file.write(f"../victim\tnowhere\n{victim}\tnowhere\ntorn")

    assert console.run("xpc view by --by model.name train", study.folder).returncode == 0
    assert victim.is_symlink()


def test_it_is_no_code(study: Recorded) -> None:
    """A tree in the project is not in git, and so makes no run stale; an ignore file that is a link is left alone."""
    subprocess.run(["git", "init", "-q"], cwd=study.folder, check=True)
    done = console.run("xpc view by --by seed train --where 'status == done'", study.folder)
    assert done.returncode == 0, done.stderr
    seen = subprocess.run(["git", "status", "--porcelain"], cwd=study.folder, capture_output=True, check=True).stdout
    assert b"?? runs/\n" in seen
    assert b" by/" not in seen

    victim = study.folder.parent / "victim"
    (study.folder / "by/.gitignore").unlink()
    (study.folder / "by/.gitignore").symlink_to(victim)
    assert console.run("xpc view by --by seed train", study.folder).returncode == 0
    assert not victim.exists()


def test_a_key_that_there_is_not(study: Recorded) -> None:
    said = console.run("xpc view by --by optimizer.rl train", study.folder)

    assert said.returncode == 1
    assert "did you mean `optimizer.lr`?" in said.stderr
    assert not (study.folder / "by").exists()


@settings(deadline=None)
@given(st.text() | st.floats() | st.lists(st.text()) | st.none())
def test_names_are_safe(value: object) -> None:
    """One folder, visible, of a length that a disk takes."""
    name = safe_name(value)

    assert name not in ("", ".", "..")
    assert not set(name) & set("/\\\0\n\x1b")
    assert not name.startswith((".", "-"))
    assert len(os.fsencode(name.encode("utf-8", "replace"))) <= 400
