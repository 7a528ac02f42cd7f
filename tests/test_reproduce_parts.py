"""What `xpc reproduce` takes for equal: series, files, numbers in texts, environments; and what it believes."""

from __future__ import annotations

import json
import math
from array import array
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpc.runtime.environments import change_rows, changes, read_environment, summary
from xpc.runtime.metrics import Series
from xpc.runtime.records import RunRecord
from xpc.runtime.reproduce_metrics import chosen, close, compare_metrics
from xpc.runtime.reproduce_outputs import OutputPair, Side, compare_outputs
from xpc.runtime.reproduce_project import read_reproductions

NAN, INF = math.nan, math.inf
numbers = st.floats(allow_nan=True, allow_infinity=True)


def series(*values: float) -> Series:
    return Series(array("d", range(len(values))), array("d", values))


# ------------------------------------------------------------------ metrics


def test_series_are_equal_to_the_bit() -> None:
    """NaN is NaN; one value more, or one that is a bit off, is none."""
    one = {"a": series(1.0, NAN, INF), "b": series(0.1), "c": series(0.5), "d": series(1.0)}
    other = {"a": series(1.0, NAN, INF), "b": series(0.1 + 1e-16 * 2), "c": series(0.5, 0.5), "e": series(1.0)}

    found = {pair.name: pair for pair in compare_metrics(one, other, (), 0.0)}

    assert {name: pair.equal for name, pair in found.items()} == {
        "a": True, "b": False, "c": False, "d": False, "e": False,
    }  # fmt: skip
    assert (found["b"].differing, found["b"].step) == (1, 0.0)
    assert (found["d"].lengths, found["e"].lengths) == ((1, 0), (0, 1))
    within = {pair.name: pair.equal for pair in compare_metrics(one, other, ("b", "c"), 1e-9)}
    assert within == {"b": True, "c": False}


def test_where_a_series_goes_another_way() -> None:
    """The first step that differs, how many do, and how far apart they get."""
    [pair] = compare_metrics({"loss": series(1.0, 0.5, 0.25)}, {"loss": series(1.0, 0.4, 0.5)}, (), 0.05)

    assert (pair.equal, pair.differing, pair.step) == (False, 2, 1.0)
    assert pair.most == 0.25
    assert pair.record()["a"] == 0.25


def test_steps_count() -> None:
    later = Series(array("d", [10.0]), array("d", [1.0]))

    assert not compare_metrics({"loss": series(1.0)}, {"loss": later}, (), 0.1)[0].equal


def test_patterns_choose_metrics() -> None:
    names = ["acc", "accuracy", "loss", "seconds"]

    assert chosen(names, ()) == names
    assert chosen(names, ("acc*",)) == ["acc", "accuracy"]
    assert chosen(names, ("!seconds", "!l*")) == ["acc", "accuracy"]
    assert chosen(names, ("acc*", "!acc")) == ["accuracy"]


@given(numbers, numbers, st.floats(min_value=0, max_value=1))
def test_closeness(a: float, b: float, tolerance: float) -> None:
    """As math.isclose, symmetric; every number is like itself, and without a tolerance like no other."""
    assert close(a, a, tolerance)
    assert close(a, b, tolerance) == close(b, a, tolerance)
    if not math.isnan(a):
        assert close(a, b, 0.0) == (a == b)
        assert close(a, b, tolerance) == (
            a == b or (tolerance > 0 and math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance))
        )


# ------------------------------------------------------------------ outputs


def side(folder: Path, **outputs: object) -> Side:
    end = {"outputs": {name: {"path": path} for name, path in outputs.items()}, "artifacts": ["files/plot.svg"]}
    record = RunRecord(folder.name, "train", str(folder), 1, {}, None, end, None, False, None, False)
    return Side(str(folder), record, (str(folder), str(folder.parent)))


def pair_of(tmp_path: Path, one: bytes | None, other: bytes | None, tolerance: float = 0.0) -> OutputPair:
    sides = []
    for name, content in (("a", one), ("b", other)):
        (tmp_path / name / "run/files").mkdir(parents=True, exist_ok=True)
        if content is not None:
            (tmp_path / name / "run/files/out").write_bytes(content)
        sides.append(side(tmp_path / name / "run", out="files/out"))
    return next(pair for pair in compare_outputs(*sides, tolerance) if pair.name == "out")


@pytest.mark.parametrize(
    ("one", "other", "tolerance", "verdict", "detail"),
    [
        (b"x\0\1", b"x\0\1", 0.0, "equal", ""),
        (b"x\0\1", b"x\0\2", 1.0, "differs", "other bytes"),
        (b"a,1.0\n", b"a,1.00\n", 0.0, "differs", "1 number, the first 1.0 → 1.00"),
        (b"a,1.0\n", b"a,1.00\n", 1e-12, "close", ""),
        (b'{"loss": 0.123, "n": [1, 2e3]}', b'{"loss": 0.1230001, "n": [1, 2000]}', 1e-3, "close", ""),
        (b'{"loss": 0.1, "n": -5}', b'{"loss": 0.2, "n": 5}', 1e-3, "differs", "2 numbers, the first 0.1 → 0.2"),
        (b"one\ntwo\n", b"one\nthree\n", 1.0, "differs", "from line 2 on"),
        (b"v1 x2\n", b"v2 x2\n", 10.0, "differs", "from line 1 on"),
        (b"a", None, 0.0, "missing", ""),
        (None, b"a", 0.0, "gone", ""),
    ],
)
def test_outputs(
    tmp_path: Path, one: bytes | None, other: bytes | None, tolerance: float, verdict: str, detail: str
) -> None:
    found = pair_of(tmp_path, one, other, tolerance)

    assert (found.verdict, found.detail) == (verdict, detail)
    assert found.equal == (verdict in ("equal", "close"))


def test_paths_of_the_project_are_no_difference(tmp_path: Path) -> None:
    one, other = (f"saved to {tmp_path / name / 'run/files/x'}\n".encode() for name in "ab")

    assert pair_of(tmp_path, one, other).verdict == "paths"


def test_folders_are_compared_file_by_file(tmp_path: Path) -> None:
    sides = []
    for name, number in (("a", "0.5"), ("b", "0.5000001")):
        folder = tmp_path / name / "run/files/model/deep"
        folder.mkdir(parents=True)
        (folder / "w.csv").write_text(f"w,{number}\n")
        (folder / "same").write_text("same")
        sides.append(side(tmp_path / name / "run", model="files/model"))

    assert compare_outputs(*sides, 0.0)[0].detail == "`deep/w.csv`: 1 number, the first 0.5 → 0.5000001"
    assert compare_outputs(*sides, 1e-3)[0].verdict == "close"
    (tmp_path / "b/run/files/model/new").write_text("")
    assert compare_outputs(*sides, 1e-3)[0].detail == "`new` is in one alone"


def test_recorded_paths_stay_in_the_run(tmp_path: Path) -> None:
    """A record may say anything: nothing outside of the run's folder is read."""
    found = side(tmp_path, up="../../etc/passwd", root="/etc/passwd", fine="files/x", odd=7)

    assert found.outputs == {"fine": "files/x", "files/plot.svg": "files/plot.svg"}


# ------------------------------------------------------------------ environments and records


def test_environments_are_compared() -> None:
    one = {
        "python": {"build": "3.11.7", "packages": {"a": "1", "b": "1"}},
        "machine": {"cpu": "X", "gpus": ["A100"], "cpus": 4},
        "variables": {"LANG": "C"},
        "container": {"image": "box:1", "id": "sha256:1", "digest": None},
    }
    other = {
        "python": {"build": "3.12.1", "packages": {"b": "2", "c": "1"}},
        "machine": {"cpu": "X", "gpus": [], "cpus": 8},
        "modules": ["gcc"],
        "container": {"image": "other:2", "id": "sha256:1", "digest": "sha256:2"},
    }

    assert change_rows(changes(one, other)) == [
        ("Python", "3.11.7 → 3.12.1"),
        ("package a", "1 → —"),
        ("package b", "1 → 2"),
        ("package c", "— → 1"),
        ("modules", "— → gcc"),
        ("CPUs", "4 → 8"),
        ("GPUs", "A100 → —"),
        ("variable LANG", "C → —"),
    ]
    assert changes(one, one) == []


FIELDS = ["python", "packages", "machine", "container", "variables", "modules", "gpus", "x", "version"]
anything = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(FIELDS), inner),
)


@given(anything)
def test_a_record_may_hold_anything(found: object) -> None:
    """Whoever wrote it: it is told and compared, and stops nobody."""
    record = found if isinstance(found, dict) else {"python": found, "machine": {"gpus": found}}
    summary(record)
    changes(record, {})
    change_rows(changes({}, record))


def test_a_hostile_record_leads_nowhere(tmp_path: Path) -> None:
    """Neither a hash that is a path, nor a reproduction whose project is somebody else's."""
    (tmp_path / "secret.json").write_text(json.dumps({"schema": "xpc.environment/1"}))
    assert read_environment(tmp_path, "../../secret") is None

    home = tmp_path / ".xpc/reproductions/abc-1"
    home.mkdir(parents=True)
    said = {
        "schema": "xpc.reproduction/1", "project": "../../..", "original": {"build": "b"}, "experiment": "e",
        "run": "abc", "target": "local", "notes": [], "code": {},
    }  # fmt: skip
    (home / "reproduction.json").write_text(json.dumps(said))
    assert read_reproductions(tmp_path, "abc") == []
    (home / "reproduction.json").write_text(json.dumps(said | {"project": "."}))
    assert [found.name for found in read_reproductions(tmp_path, "abc")] == ["abc-1"]
    for damaged in ("", "[]", '{"schema": "xpc.reproduction/1"}', "\0"):
        (home / "reproduction.json").write_text(damaged)
        assert read_reproductions(tmp_path, "abc") == []
