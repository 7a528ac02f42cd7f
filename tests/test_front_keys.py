"""Keys with quotes, dots, blanks and letters of all alphabets, from the file to run ids and listings."""

from __future__ import annotations

from pathlib import Path

import pytest

from xpc.cli.session import Session
from xpc.compiler.identity import run_id

STUDY = r"""
config base:
    "a.b" = 1
    a.b = 2
    "q\"uote" = 3
    "back\\slash" = 4
    "two words".'ünï' = 5
    größe = 6
    copy = config."q\"uote" + config."a.b"

grid sweep:
    "a.b" in [10, 20]
    "q\"uote" in [30]

experiment train:
    config base
    grid sweep
    run 'python t.py {config."a.b"} {a.b} {config."q\\"uote"} {config."back\\\\slash"} {config."two words".ünï} {größe}'
    ignore "two words"
"""


def session(folder: Path, *settings: str) -> Session:
    (folder / "Experimentfile").write_text(STUDY, encoding="utf-8")
    found = Session(folder, settings)
    found.check()
    return found


def test_every_key_keeps_its_name(tmp_path: Path) -> None:
    """A quoted segment is one segment, whatever is in it, and ids see it by its quoted name."""
    study = session(tmp_path)
    table = study.tables["train"]

    assert study.diagnostics.found == []
    assert table.values(1) == {
        ("a.b",): 20,
        ("a", "b"): 2,
        ('q"uote',): 30,
        ("back\\slash",): 4,
        ("two words", "ünï"): 5,
        ("größe",): 6,
        ("copy",): 50,
    }
    assert table.id(1) == run_id("train", table.values(1), ignore=study.study.experiments["train"].ignore)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("setting", "path"),
    [
        ('"a.b"=7', ("a.b",)),
        ("a.b=7", ("a", "b")),
        (r'"q\"uote"=7', ('q"uote',)),
        (r'"back\\slash"=7', ("back\\slash",)),
        ('"two words"."ünï"=7', ("two words", "ünï")),
        ("größe=7", ("größe",)),
        ('train."a.b"=7', ("a.b",)),
    ],
)
def test_a_setting_reaches_every_key(setting: str, path: tuple[str, ...], tmp_path: Path) -> None:
    """`--set` names a key as the file does, with quotes where it needs them."""
    study = session(tmp_path, setting)

    assert study.diagnostics.found == []
    assert {row[path] for row in map(study.tables["train"].values, range(study.tables["train"].count))} == {7}
