"""Build folders: the same bytes for the same input, every row found by its offset, whole or not there at all."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import struct
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from xpc.compiler import emit as emitting
from xpc.compiler.emit import Build, emit

from .planning import COMPILE, EVERYTHING, EVERYTHING_FILES, attempt, check_golden, plan_of, read_study

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
STUDIES = ("everything", "smallest")  # `clusters` is in test_emit_clusters


def build_of(text: str = EVERYTHING, files: dict[str, str] = EVERYTHING_FILES, **more: object) -> Build:
    return emit(plan_of(text, files, **more), b"shim")


def rows(folder: Path) -> list[list[Any]]:
    """Read every row by its offset."""
    offsets = [value for (value,) in struct.iter_unpack("<Q", (folder / "points.idx").read_bytes())]
    data = (folder / "points.jsonl").read_bytes()
    assert offsets[-1] == len(data)
    return [json.loads(data[start:end]) for start, end in pairwise(offsets)]


def shapes(folder: Path) -> list[dict[str, Any]]:
    with (folder / "points.jsonl").open() as file:
        found: list[dict[str, Any]] = json.loads(file.readline())["shapes"]
    return found


# ------------------------------------------------------------------ whole builds


@pytest.mark.parametrize("name", STUDIES)
def test_study(name: str, tmp_path: Path) -> None:
    """A study's build, byte for byte."""
    source = COMPILE / name
    folder = build_of(*read_study(name)).write(tmp_path, {})
    written = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    shown = [path for path in written if path not in ("xpc.pyz", "provenance.json", "points.idx")]
    for path in shown:
        check_golden(f"{name}/expected/{path}", (folder / path).read_text())
    check_golden(f"{name}/expected/id", folder.name + "\n")
    expected = sorted(str(p.relative_to(source / "expected")) for p in (source / "expected").rglob("*") if p.is_file())
    assert expected == sorted([*shown, "id"])


def test_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    """Place, time and provenance are in no file that is hashed."""
    one = build_of().write(tmp_path / "a", {"time": "now"})
    two = build_of().write(tmp_path / "b" / "c", {"time": "then"})

    assert one.name == two.name
    for path in sorted(p.relative_to(one) for p in one.rglob("*") if p.is_file() and p.name != "provenance.json"):
        assert (one / path).read_bytes() == (two / path).read_bytes(), path
        assert str(tmp_path).encode() not in (one / path).read_bytes()
    assert json.loads((two / "provenance.json").read_text()) == {"time": "then"}


def test_id_is_known_without_writing(tmp_path: Path) -> None:
    """A dry run shows the id that the build would have."""
    assert build_of().id == build_of().write(tmp_path, {}).name


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("range(2)", "range(3)"),
        ("0.1, 1e-5", "0.1, 1e-6"),
        ("train.py", "t.py"),
        ('"final"', '"draft"'),
        ("90s", "5min"),
    ],
)
def test_id_follows_the_content(old: str, new: str) -> None:
    """A change of any row, command or request is another build."""
    assert old in EVERYTHING
    assert build_of(EVERYTHING.replace(old, new)).id != build_of().id


def test_id_follows_the_shim() -> None:
    assert emit(plan_of(EVERYTHING, EVERYTHING_FILES), b"other").id != build_of().id


# ------------------------------------------------------------------ rows


def test_rows_hold_what_the_table_holds(tmp_path: Path) -> None:
    """Each row with its shape gives back every value of its point, its parents and its ancestors."""
    plan = plan_of(EVERYTHING, EVERYTHING_FILES)
    folder = emit(plan, b"").write(tmp_path, {})
    found, known = rows(folder), shapes(folder)
    at = 0
    for name, planned in plan.experiments.items():
        assert planned.first == at
        for index in range(planned.runs):
            row, table = planned.row(index), planned.table
            run, shape, number, values, _texts, parents, ancestors = (found[at] + [[], [], [], []])[:7]
            config = {key: values[v] if isinstance(v, int) else v["value"] for key, v in known[shape]["config"]}
            assert run == table.id(row)
            assert known[shape]["experiment"] == name
            assert number == planned.class_of(row)
            assert config == {_dotted(key): value for key, value in table.values(row).items()}
            assert list(config) == [_dotted(key) for key in table.values(row)]
            assert parents == [[plan.tables[p.experiment].id(r) for r in p.of(row)] for p in table.parents]
            expected = [[plan.tables[e].id(r) for r in p.of(row)] for e, p in planned.ancestors.items()]
            assert ancestors == expected
            at += 1
    assert len(found) == at


def _dotted(path: tuple[str, ...]) -> str:
    from xpc.compiler.values import dotted

    return dotted(path)


def test_rows_of_several_chunks(tmp_path: Path) -> None:
    """Many rows, grouped by class, are each where the index says."""
    text = """
    grid g:
        a in range(200)
        b in range(100)
    resources r:
        cpus = 1 + b % 3
    experiment train:
        grid g
        resources r
        run "p {a * b}"
    """
    plan = plan_of(text)
    found = rows(emit(plan, b"").write(tmp_path, {}))

    assert len(found) == 20_000
    assert [row[2] for row in found] == sorted(row[2] for row in found)
    assert all(row[4] == [str(row[3][0] * row[3][1])] for row in found)
    assert {row[3][1] % 3 for row in found if row[2] == 1} == {1}


def test_values_that_are_awkward_in_json(tmp_path: Path) -> None:
    """Quotes, newlines, other scripts, large numbers and nested values come back as they were."""
    values = ['"', "\\", "\n", "é🎲", 2**60, 1e-300, True, None, [1, [2.5, "x"]]]
    text = (
        "config base:\n    x = null\ngrid g:\n    x in "
        + json.dumps(values)
        + '\nexperiment train:\n    config base\n    grid g\n    run "p {x}"\n'
    )

    assert [row[3][0] for row in rows(build_of(text, {}).write(tmp_path, {}))] == values


def test_experiment_without_runs_is_left_out(tmp_path: Path) -> None:
    """What was not chosen is in no file of the build."""
    folder = build_of(rows={"evaluate": [0]}).write(tmp_path, {})

    assert list(json.loads((folder / "plan.json").read_text())["experiments"]) == ["evaluate"]
    assert {shape["experiment"] for shape in shapes(folder)} == {"evaluate"}
    assert len(json.loads((folder / "plan.json").read_text())["resources"]) == 1
    assert sorted(path.name for path in (folder / "arrays").iterdir()) == ["evaluate-1.sh"]


# ------------------------------------------------------------------ writing


def test_build_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk refuses in the middle, nothing is left."""

    def refuse(*_args: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(emitting.os, "rename", refuse)
    with pytest.raises(OSError, match="no space"):
        build_of().write(tmp_path, {})

    assert list(tmp_path.iterdir()) == []


def test_build_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    """Building again gives the folder that is there, with its first provenance, and leaves nothing beside it."""
    first = build_of().write(tmp_path, {"n": 1})
    again = build_of().write(tmp_path, {"n": 2})

    assert again == first
    assert json.loads((first / "provenance.json").read_text()) == {"n": 1}
    assert [path.name for path in tmp_path.iterdir()] == [first.name]


def test_modes_follow_the_umask(tmp_path: Path) -> None:
    """Scripts can be executed, and a group that may read may read."""
    before = os.umask(0o027)
    try:
        folder = build_of().write(tmp_path, {})
    finally:
        os.umask(before)

    def mode(path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    assert (mode(folder), mode(folder / "submit.sh"), mode(folder / "arrays/train-1.sh")) == (0o750, 0o750, 0o750)
    assert mode(folder / "plan.json") == 0o640


# ------------------------------------------------------------------ scripts


def scripted(tmp_path: Path, statuses: dict[str, int]) -> Path:
    """Write a build whose shim only says how it was called, below a project with a blank in its name."""
    shim = f"import sys\nprint(*sys.argv[1:])\nsys.exit({statuses!r}.get(sys.argv[-1], 0))\n"
    text = """
    grid g:
        n in range(3)
    experiment a:
        grid g
        run "a {n}"
    experiment b:
        after all a
        run "b"
    """
    return emit(plan_of(text), shim.encode()).write(tmp_path / "my project" / ".xpc/builds", {})


def call(script: Path, *words: str, cwd: Path | None = None) -> tuple[int, list[str]]:
    done = subprocess.run(["bash", str(script), *words], capture_output=True, text=True, cwd=cwd, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def task(folder: Path, array: str, index: int) -> str:
    return f"task --project . --build .xpc/builds/{folder.name} --array {array} --index {index}"


def test_array_script_runs_its_tasks_in_order(tmp_path: Path) -> None:
    """From any folder, all tasks or those that are named; a failure stops no other task."""
    folder = scripted(tmp_path, {"1": 3})

    assert call(folder / "arrays/a-1.sh", cwd=tmp_path) == (3, [task(folder, "a-1", i) for i in range(3)])
    assert call(Path("a-1.sh"), "2", "0", cwd=folder / "arrays") == (0, [task(folder, "a-1", i) for i in (2, 0)])


def test_submit_script_runs_all_arrays_in_order(tmp_path: Path) -> None:
    """Parents before children, to the end even if one fails."""
    folder = scripted(tmp_path, {"2": 1})
    expected = [*(task(folder, "a-1", i) for i in range(3)), task(folder, "b-1", 0)]

    assert call(folder / "submit.sh", cwd=tmp_path) == (1, expected)


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_scripts_are_clean(tmp_path: Path) -> None:
    folder = scripted(tmp_path, {})
    scripts = [str(folder / "submit.sh"), *map(str, (folder / "arrays").iterdir())]

    subprocess.run(["shellcheck", *scripts], check=True)


def test_no_plan_after_an_error() -> None:
    """A study with a mistake is not built."""
    assert attempt('experiment train:\n    run "p {x"\n').plan is None


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("harm", ["cut", "zeros", "gone"])
@pytest.mark.parametrize(
    "name", ["plan.json", "points.jsonl", "points.idx", "xpc.pyz", "submit.sh", "arrays/train-1.sh", "provenance.json"]
)
def test_damaged_file_is_made_again(tmp_path: Path, name: str, harm: str, known: bool) -> None:
    """What a power failure left of a build is no build: the next one of the same id puts that file right, and leaves
    all others as they are."""
    first = build_of().write(tmp_path, {"commit": "8bd0e3d"})
    (first / "logs/train-1.out").write_text("said\n")
    whole = {path: path.read_bytes() for path in first.rglob("*") if path.is_file()}
    inodes = {path: path.stat().st_ino for path in whole}
    data = whole[first / name]
    if harm == "gone":
        (first / name).unlink()
    else:
        half = len(data) // 2
        (first / name).write_bytes(data[:half] + b"\0" * (len(data) - half) * (harm == "zeros"))
    again = build_of()
    if known:
        assert again.id == first.name

    assert again.write(tmp_path, {"commit": "8bd0e3d"}) == first
    assert {path: path.read_bytes() for path in first.rglob("*") if path.is_file()} == whole
    changed = {path for path, inode in inodes.items() if path.stat().st_ino != inode}
    assert changed <= {first / name, first / "points.idx"}
    assert [path.name for path in tmp_path.iterdir()] == [first.name]


def test_half_made_builds_are_swept(tmp_path: Path) -> None:
    """What a killed build left goes with the next one; what another process or host makes just now stays."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    here = socket.gethostname()
    names = [f".new-{here}-{gone.pid}-x", ".new-elsewhere-7-old", f".new-{here}-{os.getppid()}-y", ".new-elsewhere-7-z"]
    for name in names:
        (tmp_path / name / "arrays").mkdir(parents=True)
    os.utime(tmp_path / names[1], (1, 1))

    build = build_of().write(tmp_path, {})
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*names[2:], build.name])
