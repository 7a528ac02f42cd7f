"""The HTML page: what stands in it, what it may do, and that the same records give the same bytes."""

from __future__ import annotations

import json
import re
import sys
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from console import run
from html_pages import EVIL, Page, data_of, document, evil_study, full_study, write_run
from hypothesis import given
from hypothesis import strategies as st
from recorded import STUDY, Recorded, half_finished

from xpc.runtime.html.document import Picture, Section, embedded, render


def digest(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()


# ------------------------------------------------------------------ what it may do


def test_only_its_own_script_and_style_may_run(tmp_path: Path) -> None:
    """The policy names the digests of the two, allows images out of the file itself, and nothing else."""
    page = Page(document(*full_study(tmp_path)).text)
    (policy,) = [tag["content"] for tag in page.attributes("meta") if tag.get("http-equiv")]
    style, data, script = page.raw

    assert [style[0], data[0], script[0]] == ["style", "script", "script"]
    assert policy == (
        f"default-src 'none'; style-src '{digest(style[1])}'; script-src '{digest(script[1])}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    assert [attributes for attributes in page.attributes("script") if attributes] == [
        {"type": "application/json", "id": "data"}
    ]


def test_nothing_is_loaded(tmp_path: Path) -> None:
    """No element names anything outside of the file, has a handler or a style of its own."""
    page = Page(document(*full_study(tmp_path)).text)

    assert [
        (tag, name, value)
        for tag, attributes in page.tags
        for name, value in attributes.items()
        if name.startswith("on") or name in ("style", "srcset", "action") or (name in ("src", "href") and value)
        if not (name == "href" and str(value).startswith("#")) and not str(value).startswith("data:")
    ] == []
    assert not re.search(r"@import|url\(", page.raw[0][1])
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|fetch\(|XMLHttp", page.raw[2][1]
    )


def test_data_can_end_no_element() -> None:
    """Whatever stands in the data, no character of it begins a tag or a comment."""
    text = embedded({EVIL: [EVIL, "\u2028\u2029", "<!--<script>"]})

    assert "<" not in text
    assert "\u2028" not in text


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_data_comes_out_as_it_went_in(data: object) -> None:
    """The escapes are those of JSON."""
    text = embedded({"data": data})

    assert json.loads(text) == {"data": data}
    assert "<" not in text


def test_hostile_texts_stand_as_they_are(tmp_path: Path) -> None:
    """Titles, columns, keys, values and metrics are texts, in the HTML and in the data."""
    study = evil_study(tmp_path)
    text = document(study).text
    page = Page(text)

    assert len(page.attributes("script")) == 2
    assert page.attributes("img") == []
    assert any(EVIL in cell for table in page.tables for row in table for cell in row)
    assert EVIL in data_of(text)["experiments"][0]["keys"][0]["pool"]


def test_plots_are_images(tmp_path: Path) -> None:
    """A plot is the address of an image, in which a script does not run."""
    study = half_finished(tmp_path)
    picture = Picture("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", f"loss {EVIL}")
    page = Page(render("p", [Section("a", [picture])], study.view(), None).text)
    (image,) = page.attributes("img")

    assert str(image["src"]).startswith("data:image/svg+xml;base64,")
    assert image["alt"] == f"loss {EVIL}"
    assert len(page.attributes("script")) == 2


PLOTS = """
report curves:
    title "How <b>fast</b> it learns"
    from train
    plot line x = step, y = loss by optimizer.lr
    show count()
    plot bar x = optimizer.lr, y = loss
"""


def test_plots_stand_where_the_report_has_them(tmp_path: Path) -> None:
    """Each says in words what it shows; the same records give the same bytes."""
    pytest.importorskip("matplotlib")
    study = Recorded(tmp_path, STUDY + PLOTS)
    for row in range(12):
        study.write(row, metrics=[{"step": n, "loss": row / (n + 1)} for n in range(5)])
    text = document(study).text
    page = Page(text)

    assert [image["alt"] for image in page.attributes("img")] == [
        "How <b>fast</b> it learns: loss over step, by optimizer.lr",
        "How <b>fast</b> it learns: loss over optimizer.lr",
    ]
    assert [tag for tag, _ in page.tags if tag in ("img", "table")] == ["table", "img", "table", "img"]
    assert text == document(study).text


def test_plots_without_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are drawn with characters, and the page says why."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    study = Recorded(tmp_path, STUDY + PLOTS)
    for row in range(12):
        study.write(row, metrics=[{"step": n, "loss": row / (n + 1)} for n in range(5)])
    page = Page(document(study).text)

    assert page.attributes("img") == []
    assert [drawn["aria-label"] for drawn in page.attributes("pre")] == [
        "How <b>fast</b> it learns: loss over step, by optimizer.lr",
        "How <b>fast</b> it learns: loss over optimizer.lr",
    ]


# ------------------------------------------------------------------ what stands in it


def test_tables_stand_in_the_html(tmp_path: Path) -> None:
    """Without a script the reports are there: headings with a scope, cells as in the terminal, the best in bold."""
    study, git = full_study(tmp_path)
    page = Page(document(study, git).text)

    assert page.tables[0] == [
        ["experiment", "runs", "planned", "done", "failed", "skipped"],
        ["train", "12", "1", "9", "2", ""],
        ["evaluate", "12", "10", "", "", "2"],
    ]
    assert page.tables[1] == [
        ["optimizer.lr", "model.name", "accuracy", "loss", "n", "not done"],
        ["0.01", "cnn", "0.904", "0.2667", "1", "1 failed, 1 planned"],
        ["0.01", "mlp", "0.874 ± 0.010", "0.2267", "3", ""],
        ["0.1", "cnn", "0.849 ± 0.007", "0.2067", "2", "1 failed"],
        ["0.1", "mlp", "0.814 ± 0.010", "0.1667", "3", ""],
    ]
    assert page.bold[:2] == ["0.904", "0.1667"]
    assert all(attributes.get("scope") in ("col", "row") for attributes in page.attributes("th"))
    assert '<h2>How accurate it is <span class="name quiet">accuracy</span></h2>' in document(study, git).text
    assert "Left out: 1 planned, 2 failed." in document(study, git).text


def test_titles_of_several_tables(tmp_path: Path) -> None:
    """Where the tables of a report have titles of their own, each stands above its table."""
    report = 'report r:\n    show count()\n    title "One"\n    show max(loss)\n    title "Two"\n'
    text = document(Recorded(tmp_path, STUDY + report)).text

    assert re.findall(r"<h[23]>.*?</h[23]>", text) == ["<h2>r</h2>", "<h3>One</h3>", "<h3>Two</h3>"]


def test_cells_tell_their_runs(tmp_path: Path) -> None:
    """Each row has the numbers of its runs, of those left out for their state, and of those without a value."""
    study, git = full_study(tmp_path)
    first, _, third, _ = data_of(document(study, git).text)["tables"][0]["rows"]

    assert first == {"runs": [[10, 1]], "absent": [[9, 1], [11, 1]]}
    assert third == {"runs": [[4, 2]], "absent": [[3, 1]]}


def test_a_cell_without_a_value_for_some_runs(tmp_path: Path) -> None:
    """Its own runs are those with a value; the others are named as missing."""
    study = Recorded(
        tmp_path, STUDY + "report r:\n    from train\n    group by optimizer.lr\n    show mean(loss), count()\n"
    )
    for row in range(12):
        study.write(row, metrics=[{"loss": 1.0}] if row % 6 else [])
    rows = data_of(document(study).text)["tables"][0]["rows"]

    assert rows[0] == {"runs": [[0, 6]], "cells": {"mean(loss)": {"used": [[1, 5]], "missing": [[0, 1]]}}}


def test_cells_that_compare(tmp_path: Path) -> None:
    """A cell with a difference names the runs that it was compared with, and those that had no partner."""
    report = (
        "report r:\n    from train\n    group by optimizer.lr\n    show diff(loss, baseline = (optimizer.lr == 0.1))\n"
    )
    study = Recorded(tmp_path, STUDY + report)
    for row in range(12):
        study.write(row, metrics=[{"loss": 1.0}], state="failed" if row == 1 else "done")
    (study.run(2) / "metrics.jsonl").unlink()
    _, second = data_of(document(study).text)["tables"][0]["rows"]
    (cell,) = second["cells"].values()

    assert second["runs"] == [[6, 6]]
    assert (cell["baseline"], cell["unpaired"]) == ([[0, 2], [3, 3]], [[8, 1]])


def test_earlier_results_are_counted_apart(tmp_path: Path) -> None:
    """A result before a run's present one stands with its own time and code, and not as the run."""
    clauses = (
        "from train",
        "with superseded",
        "where seed == 0 and loss is not null",
        "group by version",
        "show count()",
    )
    report = "\nreport all:\n" + "".join(f"    {clause}\n" for clause in clauses)
    study = Recorded(tmp_path, STUDY + report)
    folder = study.write(0, metrics=[{"loss": 2.0}])
    folder.rename(f"{folder}.v1")
    study.write(0, metrics=[{"loss": 1.0}])

    (table,) = data_of(document(study).text)["tables"]

    now, before = (row["runs"] for row in table["rows"])
    assert now == [[0, 1]]
    assert [(item[:3], item[5], item[7]) for item in before] == [([0, 1, "done"], "4f2a91c0", 1)]


def test_earlier_attempts_are_counted_apart(tmp_path: Path) -> None:
    """An attempt before a run's last one stands with its own state, and not as the run."""
    clauses = ("from train", "with all attempts", "where seed == 0 and status in [failed, done]", "show count()")
    report = "\n    ".join(("report r:", *clauses)) + "\n"
    study = Recorded(tmp_path, STUDY + report)
    write_run(study, 0, state="failed", started={"time": "2026-11-21T09:00:00Z"}, claimed={"snapshot": "a" * 40})
    write_run(study, 0, attempt=2)
    write_run(study, 3)
    (row,) = data_of(document(study).text)["tables"][0]["rows"]

    time = 1795251600
    ended = 1795253460
    assert row["runs"] == [[0, 1], [3, 1], [0, 1, "failed", time, ended, "a" * 40, None]]


def test_a_run_in_full(tmp_path: Path) -> None:
    """Its details hold what its folder says: logs without terminal codes, attempts, outputs, curves, what changed."""
    study, git = full_study(tmp_path)
    data = data_of(document(study, git).text)
    first, failed, twice = (data["details"][number] for number in ("0", "9", "4"))

    assert first["command"] == "python train.py"
    assert first["outputs"] == [["weights", "files/w.npz", "2 KiB", False]]
    assert first["stdout"]["lines"][0] == "epoch 0 acc=0.800"
    assert failed["stderr"] == {
        "lines": ["Traceback (most recent call last):", "ValueError: red"],
        "bytes": 60,
        "cut": False,
    }
    assert ["reason", "exit code 1"] in failed["facts"]
    assert [(one["number"], one["state"]) for one in twice["attempts"]] == [(1, "killed"), (2, "done")]
    steps, values, count = first["series"]["loss"]
    assert (data["steps"][steps], values[0], values[5], count) == ([0, 10, 20, 30, 40, 50], 1, 0.166667, 6)
    assert "11" not in data["details"]  # it never began


def test_what_changed_in_the_code(tmp_path: Path) -> None:
    """Each snapshot of an experiment is compared with the one before it; the first one with none."""
    study, git = full_study(tmp_path)
    changes = data_of(document(study, git).text)["changes"]["train"]
    (before, nothing), (after, difference) = changes.items()

    assert nothing is None
    assert (difference["before"], difference["after"]) == (before, after)
    assert difference["files"] == [["model.py → network.py", 0, 0], ["notes.md", 1, 0], ["train.py", 2, 1]]
    assert difference["lines"][-4:] == [" import model", "-print('one')", "+print('two')", "+print('three')"]


def test_code_that_is_gone(tmp_path: Path) -> None:
    """Where git has no such tree, the page says so and is made all the same."""
    study, git = full_study(tmp_path)
    write_run(study, 11, claimed={"snapshot": "f" * 40}, started={"time": "2026-11-21T11:00:00Z"})
    changes = data_of(document(study, git).text)["changes"]["train"]

    assert changes["f" * 40]["missing"] is True
    assert all(
        found is None or found["missing"] for found in data_of(document(study, None).text)["changes"]["train"].values()
    )


def test_half_finished_studies(tmp_path: Path) -> None:
    """Runs that go on, damaged journals and empty folders are rows with their state."""
    study = half_finished(tmp_path)
    (study.run(8) / "run.jsonl").write_text("{}\n" * 3)
    (study.run(11) / "run.jsonl").write_text("")
    (study.run(10) / "stderr.log").write_bytes(b"\xff\xfe\x00" * 100)
    text = document(study).text

    assert data_of(text)["experiments"][0]["states"].count(data_of(text)["states"].index("done")) == 8
    assert "broken" in text


# ------------------------------------------------------------------ bounds


def test_a_run_after_many(tmp_path: Path) -> None:
    """Of the runs that it came after a hundred are named, and the others counted."""
    study = Recorded(tmp_path, STUDY)
    write_run(study, 0, claimed={"parents": [f"{n:016x}" for n in range(2000)]})
    (found,) = data_of(document(study).text)["details"].values()

    assert (len(found["parents"]), found["more"]["parents"]) == (100, 1900)


def test_many_runs_are_rows_and_some_are_whole(tmp_path: Path) -> None:
    """All runs are listed; those with a page are the failed ones up to half, then those behind the tables."""
    study, git = full_study(tmp_path)
    page = document(study, git, most=4)
    data = data_of(page.text)

    assert (page.runs, page.whole, len(data["experiments"][0]["ids"])) == (24, 4, 12)
    assert list(data["details"]) == ["3", "6", "9", "10"]
    assert data_of(document(study, git, most=0).text)["details"] == {}


def test_same_records_same_bytes(tmp_path: Path) -> None:
    """No clock, no order of folders, no host has a part in it."""
    study, git = full_study(tmp_path)

    assert document(study, git).text == document(study, git).text
    assert "newest record 2026-11-21 10:45 UTC" in document(study, git).text


def test_packed_runs_give_the_same_page(tmp_path: Path) -> None:
    """Whether a run is a folder or in a pack, its records, logs and curves are the same."""
    study, git = full_study(tmp_path)
    before = document(study, git).text
    packed = run("xpc gc --pack --yes", tmp_path)

    assert packed.returncode == 0, packed.stdout + packed.stderr
    assert not study.run(1).joinpath("run.jsonl").exists()
    study.run(1).rmdir()
    assert document(study, git).text == before


def test_past_runs_that_a_table_names(tmp_path: Path) -> None:
    """A run that the study no longer asks for is listed when a report shows it, else not."""
    study, git = full_study(tmp_path)
    gone = tmp_path / "runs" / "train" / ("a" * 16)
    (study.run(0)).rename(gone)
    text = (gone / "run.jsonl").read_text().replace(study.tables["train"].id(0), "a" * 16)
    (gone / "run.jsonl").write_text(text)
    without = data_of(document(study, git).text)
    more = Recorded.__new__(Recorded)
    more.folder, more.tables, more.study = study.folder, study.tables, study.study
    assert "a" * 16 not in without["experiments"][0]["ids"]

    (tmp_path / "Experimentfile").write_text(STUDY + "report r:\n    from train\n    with past\n")
    (tmp_path / ".xpc" / "index.sqlite").unlink(missing_ok=True)
    from xpc.cli.session import Session

    session = Session(tmp_path)
    more.tables, more.study = session.tables, session.study
    runs = data_of(document(more, git).text)["experiments"][0]
    assert runs["ids"][runs["past"] :] == ["a" * 16]


# ------------------------------------------------------------------ the command


def test_the_command_writes_one_file(tmp_path: Path) -> None:
    """It says what is in it; a page can be made where no report is."""
    study, _ = full_study(tmp_path)
    done = run("xpc report --html report.html --details 3", tmp_path)

    assert done.stderr == ""
    assert re.fullmatch(
        r"report\.html: 2 tables, 24 runs, 3 of them with logs and curves, [0-9.]+ KiB\.\n", done.stdout
    )
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")
    (tmp_path / "Experimentfile").write_text(STUDY)
    assert run("xpc report --html none.html", tmp_path).stdout.startswith("none.html: 0 tables, 24 runs, ")
    assert "logs and curves" not in run("xpc report --html none.html", tmp_path).stdout  # none is left out
    assert study.folder == tmp_path


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    """The command says why, and leaves nothing behind."""
    Recorded(tmp_path, STUDY)
    done = run("xpc report --html no/such/report.html", tmp_path)

    assert done.returncode == 3
    assert "No such file or directory" in done.stderr
    assert not list(tmp_path.glob(".report*"))
