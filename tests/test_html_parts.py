"""The parts of the HTML page: curves, logs, differences of code, the choice of runs, colours."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from html_pages import data_of, document
from hypothesis import given
from hypothesis import strategies as st
from recorded import STUDY, Recorded
from repository import Repo

from xpc.compiler.git_calls import open_repository
from xpc.runtime.html.catalog import Catalog, ExperimentRuns, number, pooled, seconds
from xpc.runtime.html.choose import choose
from xpc.runtime.html.code_diff import difference
from xpc.runtime.html.curves import FEWEST, POINTS, Steps, curves, points_of, thin
from xpc.runtime.html.log_tail import BYTES, LINES, WIDTH, log_tail
from xpc.runtime.metrics import Series
from xpc.runtime.records import read_run

# ------------------------------------------------------------------ curves


@given(st.lists(st.floats(), max_size=300), st.integers(20, 60))
def test_thinning_keeps_the_looks(values: list[float], most: int) -> None:
    """First, last, least and greatest point stay, in order, and no more than asked for."""
    kept = thin(values, most)

    assert kept == sorted(set(kept))
    assert len(kept) <= most
    if len(values) <= most:
        assert kept == list(range(len(values)))
        return
    assert {0, len(values) - 1} <= set(kept)
    finite = [value for value in values if math.isfinite(value)]
    left = [values[at] for at in kept if math.isfinite(values[at])]
    assert not finite or (min(left), max(left)) == (min(finite), max(finite))


def test_curves_share_their_steps() -> None:
    """Runs that logged at the same steps have one list of them; a value that is no number is a gap."""
    steps = Steps()
    first, second = Series(), Series()
    for step, value in ((0.0, 1.0), (10.0, math.nan), (20.0, 1 / 3)):
        first.add(step, value)
        second.add(step, 2.0)
    alone = Series()
    alone.add(0.0, 1.0)

    assert curves({"loss": first, "alone": alone}, steps) == {"loss": [0, [1, None, 0.333333], 3]}
    assert curves({"loss": second}, steps) == {"loss": [0, [2, 2, 2], 3]}
    assert steps.lists == [[0, 10, 20]]


def test_points_fit_the_page() -> None:
    """Few runs have all their points; with many each has fewer, down to a least number."""
    assert points_of(10, 3) == POINTS
    assert points_of(500, 24) == 83
    assert points_of(100_000, 24) == FEWEST


# ------------------------------------------------------------------ values


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1, 1),
        (0.1, 0.1),
        (math.nan, None),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (True, None),
        ("1", None),
        (None, None),
    ],
)
def test_numbers(value: object, shown: object) -> None:
    """JSON has no infinity and no NaN."""
    assert number(value) == shown


def test_times() -> None:
    """They are seconds since the epoch; what is no time is none."""
    assert seconds("2026-11-21T09:30:00.900Z") == 1795253400
    assert seconds("2026-11-21T10:30:00+01:00") == 1795253400
    assert seconds("2026-11-21T09:30:00") == 1795253400
    assert [seconds(wrong) for wrong in ("soon", "", None, 5, "99999-01-01")] == [None] * 5


def test_pools_rank_their_values() -> None:
    """Numbers come by size before texts, and no value last; `1`, `1.0`, `true` and `"1"` are four values."""
    found = pooled([10, 9.5, "x", None, 1, True, "1", 1.0, 10])

    assert found["pool"] == ["10", "9.5", "x", "", "1", "true", "1", "1.0"]
    assert found["codes"] == [0, 1, 2, 3, 4, 5, 6, 7, 0]
    assert sorted(range(8), key=found["order"].__getitem__) == [4, 7, 1, 0, 6, 5, 2, 3]
    assert found["numeric"] is False
    assert pooled([10**400, 1, None])["numeric"] is True


# ------------------------------------------------------------------ logs


def tail_of(folder: Path, text: bytes) -> dict[str, object] | None:
    study = Recorded(folder, STUDY)
    run = study.write(0)
    (run / "stdout.log").write_bytes(text)
    record = read_run(run)
    assert record is not None
    return log_tail(record, "stdout")


def test_a_log_without_what_a_terminal_obeys(tmp_path: Path) -> None:
    """Colours, titles and cursor movements are gone; a progress bar is as it was last; a tab is blanks."""
    text = b"\x1b[31mred\x1b[0m\n\x1b]0;title\x07a\tb\n  0%\r 50%\r100%\r\n\xff\n"

    assert tail_of(tmp_path, text) == {"lines": ["red", "a    b", "100%", "\ufffd"], "bytes": len(text), "cut": False}


def test_a_long_log(tmp_path: Path) -> None:
    """Its last lines are there, from the beginning of a line; long lines are shortened."""
    text = b"".join(b"%06d\n" % line for line in range(50_000)) + b"x" * 1000 + b"\n"
    found = tail_of(tmp_path, text)
    assert found is not None
    lines = found["lines"]

    assert isinstance(lines, list)
    assert len(lines) == LINES
    assert lines[0] == "049901"
    assert lines[-1] == "x" * (WIDTH - 1) + "…"
    assert (found["cut"], found["bytes"]) == (True, len(text))


def test_a_log_of_one_endless_line(tmp_path: Path) -> None:
    """No more than its end is read."""
    found = tail_of(tmp_path, b"x" * (BYTES * 4))

    assert found == {"lines": ["x" * (WIDTH - 1) + "…"], "bytes": BYTES * 4, "cut": True}


def test_an_empty_log(tmp_path: Path) -> None:
    assert tail_of(tmp_path, b"") is None


# ------------------------------------------------------------------ differences of code


def test_a_difference_runs_nothing_of_the_repository(tmp_path: Path) -> None:
    """An external diff and a text converter that the repository sets are not called; its settings change no byte."""
    repo = Repo(tmp_path / "r", {"a.txt": "one\n", "b.bin": "\0\1", ".gitattributes": "*.txt diff=evil\n"})
    before = repo.git("rev-parse", "HEAD^{tree}")
    repo.write({"a.txt": "two\n", "b.bin": "\0\2", "ä b.txt": "<b>\n"})
    repo.commit()
    after = repo.git("rev-parse", "HEAD^{tree}")
    plain = difference(open_repository(repo.path), before, after)
    touched = tmp_path / "touched"
    for name, value in {
        "diff.external": f"touch {touched}",
        "diff.evil.textconv": f"touch {touched};",
        "diff.evil.command": f"touch {touched}",
        "diff.noprefix": "true",
        "diff.context": "0",
        "diff.renames": "false",
        "core.quotePath": "false",
        "color.ui": "always",
    }.items():
        repo.git("config", name, value)

    assert difference(open_repository(repo.path), before, after) == plain
    assert not touched.exists()
    assert plain.files == [("a.txt", 1, 1), ("b.bin", None, None), ("ä b.txt", 1, 0)]
    assert list(plain.lines)[:5] == ["diff --git a/a.txt b/a.txt", "--- a/a.txt", "+++ b/a.txt", "@@ -1 +1 @@", "-one"]


def test_a_large_difference_is_cut(tmp_path: Path) -> None:
    """It says how many lines are left out; without room only the files are listed."""
    repo = Repo(tmp_path, {"a.txt": ""})
    before = repo.git("rev-parse", "HEAD^{tree}")
    repo.write({"a.txt": "".join(f"{line}\n" for line in range(5000))})
    repo.commit()
    after = repo.git("rev-parse", "HEAD^{tree}")
    git = open_repository(tmp_path)
    cut, listed = difference(git, before, after), difference(git, before, after, 0)

    assert len(cut.lines) == 1500
    assert len(cut.lines) + cut.left == 5004
    assert (listed.lines, listed.files) == ([], [("a.txt", 5000, 0)])
    assert cut.bytes < 64 << 10


@pytest.mark.parametrize("tree", ["--output=x", "HEAD", "", "a" * 40])
def test_no_tree(tmp_path: Path, tree: str) -> None:
    """What is no tree of this repository is never given to git as an option or a name."""
    repo = Repo(tmp_path, {"a.txt": ""})
    found = difference(open_repository(tmp_path), tree, repo.git("rev-parse", "HEAD^{tree}"))

    assert found.missing
    assert not (tmp_path / "x").exists()


# ------------------------------------------------------------------ the choice of runs


def runs_with(*states: str) -> Catalog:
    ids = [f"{at:016x}" for at in range(len(states))]
    attempts = [None if state in ("planned", "queued", "skipped") else 1 for state in states]
    runs = ExperimentRuns("train", 0, len(ids), ids, states, [None] * len(ids), {"attempt": attempts})
    return Catalog((runs,), {id: at for at, id in enumerate(ids)}, 7)


def test_all_runs_that_began_are_chosen() -> None:
    assert choose(runs_with("done", "planned", "queued", "failed", "skipped", "running"), [], 5) == [0, 3, 5]


def test_failed_ones_first_then_one_of_each_row() -> None:
    """Faults get half of the places at most; tables share the rest, row by row."""
    runs = runs_with("done", "done", "done", "done", "failed", "failed", "oom", "running", "planned")

    assert choose(runs, [[0, 1], [2, 3]], 5) == [0, 4, 5, 6, 7]
    assert choose(runs, [[0, 1], [2, 3]], 6) == [0, 2, 4, 5, 6, 7]
    assert choose(runs, [], 1) == [4]
    assert choose(runs, [], 0) == []


# ------------------------------------------------------------------ colours


def luminance(colour: str) -> float:
    """Give the relative luminance of `#rrggbb`, as WCAG 2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def themes(folder: Path) -> list[dict[str, str]]:
    text = document(Recorded(folder, STUDY)).text
    blocks = re.findall(r"color-scheme: (?:light|dark);(.*?)\}", text, re.DOTALL)
    return [dict(re.findall(r"--([a-z0-9]+): (#[0-9a-f]{6})", block)) for block in blocks]


def test_texts_and_lines_stand_out(tmp_path: Path) -> None:
    """In both themes text has a contrast of 4.5 at least on every ground it stands on, and lines 3."""
    found = themes(tmp_path)
    texts = ("ink", "quiet", "accent", "good", "bad", "busy")
    lines = [f"c{at}" for at in range(8)] + [f"r{at}" for at in range(9)]
    weak = [
        (theme, name, ground)
        for theme, colours in enumerate(found)
        for names, least in ((texts, 4.5), (lines, 3.0))
        for name in names
        for ground in ("paper", "raised", "tint")
        if contrast(colours[name], colours[ground]) < least
    ]

    assert len(found) == 3
    assert found[1] == found[2]  # dark by the system's wish, and by the reader's
    assert weak == []


def test_null_and_absent_keys(tmp_path: Path) -> None:
    """Keys that are the same in all runs are told once, in the order of the config."""
    study = Recorded(
        tmp_path, 'config base:\n    b = null\n    a = 1\nexperiment train:\n    config base\n    run "true"\n'
    )
    study.write(0)
    (runs,) = data_of(document(study).text)["experiments"]

    assert runs["constants"] == [["b", "null"], ["a", "1"]]
    assert runs["order"] == ["b", "a"]
