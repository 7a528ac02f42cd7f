"""`xpc report` and `xpc query`: formats, `--explain`, `--strict`, `--check`, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from recorded import START, STUDY, Recorded, claim, end, journal, series

from xpc.cli.failure import run_guarded

REPORTS = """
report accuracy:
    title "Accuracy of all models"
    from train
    where status == done
    group by optimizer.lr, model.name
    show mean(accuracy) ± std(accuracy) as acc, count() as n
    sort by acc desc

report both:
    from train
    where seed == 0
    show optimizer.lr, model.name, loss
    show mean(loss) as mean
"""
CODE = {"code": "aaaa1111"}


def write(study: Recorded, row: int, state: str = "done", code: str = "aaaa1111", snapshot: str = "4f2a91c0") -> None:
    """Write a run with its code version."""
    table = study.tables["train"]
    values = {".".join(path): value for path, value in table.values(row).items()}
    began = claim("train", table.id(row), values, fingerprint={"code": code}, snapshot=snapshot)
    folder = study.write(row, metrics=series("loss", [0.6 + row / 100]), stdout=f"acc=0.{90 + row}\n")
    (folder / "run.jsonl").write_text(journal(began, START, end(state)))


@pytest.fixture(name="study")
def _study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorded:
    monkeypatch.chdir(tmp_path)
    return Recorded(tmp_path, STUDY + REPORTS)


@pytest.fixture(name="whole")
def _whole(study: Recorded) -> Recorded:
    """A study of which every training run is done, with one code."""
    for row in range(12):
        write(study, row)
    return study


def typed(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> tuple[str, str]:
    """Type a command; give what it wrote on both streams."""
    assert run_guarded(list(words)) == status
    return capsys.readouterr()


# ------------------------------------------------------------------ formats


def test_a_title_stands_above_its_table(whole: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    """Each format has its own place for it."""
    out, _ = typed(capsys, "report", "accuracy")
    assert out.startswith("Accuracy of all models\n\noptimizer.lr  model.name ")
    assert typed(capsys, "report", "accuracy", "--format", "github")[0].startswith("### Accuracy of all models\n\n|")
    assert typed(capsys, "report", "accuracy", "--format", "latex")[0].startswith("% Accuracy of all models\n\\begin")
    assert "<caption>Accuracy of all models</caption>" in typed(capsys, "report", "accuracy", "--format", "html")[0]


def test_all_reports(whole: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a name all of them; in JSON they are one document."""
    out, _ = typed(capsys, "report", "--format", "json")

    assert [(table["report"], table["title"], len(table["rows"])) for table in json.loads(out)] == [
        ("accuracy", "Accuracy of all models", 4),
        ("both", None, 4),
        ("both", None, 1),
    ]
    assert isinstance(json.loads(typed(capsys, "report", "accuracy", "--format", "json")[0])[0], dict)


def test_an_unknown_report(study: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    """The nearest name is offered."""
    assert typed(capsys, "report", "acuracy", status=1)[1] == (
        "error: no report is called `acuracy`\nhelp: did you mean `accuracy`?\n"
    )


# ------------------------------------------------------------------ --explain


def test_explain(study: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    """Under each row stand its cells with their number of runs, and the runs with state, code and time."""
    for row in (0, 1):
        write(study, row)
    write(study, 2, "failed")
    out, _ = typed(capsys, "report", "accuracy", "--explain")
    ids = [study.tables["train"].id(row)[:7] for row in range(3)]

    assert out == (
        "optimizer.lr 0.1, model.name mlp\n"
        "  acc 0.905 ± 0.007, n 2: n = 2\n"
        f"  {ids[0]}  done    snapshot 4f2a91c  commit 8bd0e3d  2026-11-21 09:31\n"
        f"  {ids[1]}  done    snapshot 4f2a91c  commit 8bd0e3d  2026-11-21 09:31\n"
        f"  {ids[2]}  failed  snapshot 4f2a91c  commit 8bd0e3d  2026-11-21 09:31  left out\n"
        "\nLeft out: 9 planned, 1 failed.\n"
    )


def test_explain_nothing(study: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    """A table without rows says why."""
    assert typed(capsys, "report", "accuracy", "--explain")[0] == "No rows.\n\nLeft out: 12 planned.\n"


def test_explain_as_data(study: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    """Machines get every run of every row, whole."""
    write(study, 0)
    out, _ = typed(capsys, "query", "from train where seed == 0 group by model.name show mean(loss) as l", "--explain",
                   "--format", "json")  # fmt: skip
    (table,) = json.loads(out)
    row = table["rows"][0]
    ids = [study.tables["train"].id(number) for number in (0, 6)]

    assert row["values"] == {"model.name": "mlp", "l": 0.6}
    assert [(run["id"], run["state"], run["code"]) for run in row["runs"]] == [
        (ids[0], "done", "aaaa1111"),
        (ids[1], "planned", None),
    ]
    none = {"baseline": [], "unpaired": [], "above": []}
    assert row["cells"]["l"] == {"n": 1, "used": [ids[0]], "missing": [ids[1]], **none}


def test_explain_is_for_people_or_machines(whole: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    """It has no form in a paper."""
    assert typed(capsys, "report", "--explain", "--format", "latex", status=2)[1] == (
        "error: `--explain` has no format `latex`\nhelp: write `--format table` or `--format json`\n"
    )


# ------------------------------------------------------------------ --strict


def test_strict_is_content_with_a_whole_study(whole: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    """All runs done, one code: nothing is said."""
    assert typed(capsys, "report", "--strict")[1] == ""


def test_strict_tells_what_cells_lack(whole: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    """A failed run, a row without a done run, and a run without a value are told with their cells."""
    for row, state in ((1, "failed"), (3, "failed"), (4, "oom"), (5, "timeout")):
        write(whole, row, state)
    (whole.run(7) / "stdout.log").write_text("nothing\n")
    _, said = typed(capsys, "report", "accuracy", "--strict", status=1)
    short = [whole.tables["train"].id(row)[:7] for row in range(12)]

    assert said == (
        "error[XQ021]: accuracy, optimizer.lr 0.01, model.name mlp, acc: 1 run done without a value, "
        f"{short[7]}\n"
        "help: `xpc show` tells what such a run has logged\n\n"
        "error[XQ021]: accuracy, optimizer.lr 0.1, model.name mlp: 2 of 3 runs done; "
        f"1 failed ({short[1]})\n"
        "help: submit or retry them, or leave the row out with `where`\n\n"
        "error[XQ021]: accuracy: 1 failed, 1 timeout, 1 oom among the runs of rows "
        "that it does not show\n"
        "help: they could make further rows, or change which ones are kept\n"
    )


def test_strict_counts_what_a_condition_on_values_leaves_out(
    whole: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run that is not done has no loss to compare, and might have had one: its cell lacks it."""
    path = whole.folder / "Experimentfile"
    path.write_text(
        STUDY + "\nreport r:\n    from train\n    where loss < 10\n    group by model.name\n    show mean(loss)\n"
    )
    typed(capsys, "report", "r", "--strict")
    (whole.run(3) / "run.jsonl").unlink()
    (whole.run(3) / "metrics.jsonl").unlink()

    assert (
        "model.name cnn: 5 of 6 runs done; 1 planned"
        in typed(capsys, "report", "r", "--strict", "--rescan", status=1)[1]
    )


def test_strict_looks_at_the_runs_above(study: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    """What a done run reads of one above that has failed is no number for a paper."""
    report = "report r:\n    from evaluate\n    where status == done and seed == 0\n    show mean(train.loss) as loss\n"
    (study.folder / "Experimentfile").write_text(STUDY + report)
    rows = [row for row, values in enumerate(map(study.tables["train"].values, range(12))) if values["seed",] == 0]
    for row in rows:
        write(study, row, "failed" if row == rows[0] else "done")
        study.write(row, experiment="evaluate")
    id = study.tables["train"].id(rows[0])[:7]

    said = typed(capsys, "report", "r", "--strict", status=1)[1]

    assert said == (
        f"error[XQ021]: r, all runs, loss: it reads runs above that are not done; 1 failed ({id})\n"
        "help: submit or retry them, and then what comes after them\n"
    )


def test_strict_tells_code_versions_apart(whole: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    """A cell is of one program; two snapshots with the same code are one version."""
    write(whole, 0, snapshot="cccc3333")
    typed(capsys, "report", "accuracy", "--strict")
    write(whole, 4, code="bbbb2222", snapshot="cccc3333")
    _, said = typed(capsys, "report", "accuracy", "--strict", "--rescan", status=1)
    short = [whole.tables["train"].id(row)[:7] for row in range(12)]

    assert said == (
        "error[XQ022]: accuracy, optimizer.lr 0.1, model.name cnn: 2 code versions of `train`; "
        f"aaaa111 (snapshot 4f2a91c): {short[3]}, {short[5]}; bbbb222 (snapshot cccc333): {short[4]}\n"
        "help: `xpc submit --rerun stale` runs those with other code again, `xpc accept` keeps them\n"
    )


# ------------------------------------------------------------------ --check


@pytest.mark.parametrize(
    ("file", "format"), [("t.csv", "csv"), ("t.json", "json"), ("t.md", "github"), ("t.tex", "latex")]
)
def test_check(whole: Recorded, capsys: pytest.CaptureFixture[str], file: str, format: str) -> None:
    """A table that was kept is what the records say, until one of them changes; then the cells are told."""
    Path(file).write_text(typed(capsys, "report", "--format", format)[0])
    assert typed(capsys, "report", "--check", file) == (f"{file} is what the records say.\n", "")

    (whole.run(1) / "stdout.log").write_text("acc=0.5\n")
    out, said = typed(capsys, "report", "--check", file, "--rescan", status=1)
    number = len(out.splitlines()) - 1
    assert said == (
        f"error[XQ023]: `{file}` is not what the records say: {number} cell{'s differ' if number > 1 else ' differs'}\n"
        f"help: if the new ones are right: `xpc report --format {format} > {file}`\n"
    )
    heading, first, *_ = out.splitlines()
    assert heading.split() == ["row", "column", "file", "now"]
    assert "mlp" in first
    assert "acc" in first


def test_check_shows_cell_by_cell(whole: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    """Rows are told by their keys, wherever they stand now."""
    text = typed(capsys, "report", "accuracy", "--format", "csv")[0]
    lines = text.splitlines()
    Path("t.csv").write_text("\n".join([lines[0], lines[2].replace(",3", ",4"), lines[1], *lines[3:4]]) + "\n")
    out, _ = typed(capsys, "report", "accuracy", "--check", "t.csv", status=1)

    assert out.split()[:4] == ["row", "column", "file", "now"]
    assert [[part.strip() for part in line.split("  ") if part.strip()] for line in out.splitlines()[1:]] == [
        ["optimizer.lr 0.1, model.name cnn", "n", "4", "3"],
        ["optimizer.lr 0.01, model.name cnn", "no such row", "a row"],
    ]


def test_check_finds_the_table_in_a_paper(whole: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    """A paper has other text and other tables around it."""
    table = typed(capsys, "report", "accuracy", "--format", "github")[0]
    Path("README.md").write_text(f"# Results\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nSee here:\n\n{table}\nThe end.\n")
    typed(capsys, "report", "accuracy", "--check", "README.md")

    Path("README.md").write_text("# Results\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n| c | d |\n|---|---|\n")
    out, _ = typed(capsys, "report", "accuracy", "--check", "README.md", status=1)
    assert "no such table" in out


def test_check_tells_how_to_make_the_file(whole: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing file, another ending, and a file that is no table."""
    assert typed(capsys, "report", "accuracy", "--check", "my results.csv", status=1)[1] == (
        "error: there is no file `my results.csv`\n"
        "help: make it: `xpc report accuracy --format csv > 'my results.csv'`\n"
    )
    assert "`.csv`, `.json`, `.md`" in typed(capsys, "report", "--check", "t.txt", status=2)[1]
    Path("t.json").write_text("{")
    assert "error: `t.json` holds no table: " in typed(capsys, "report", "--check", "t.json", status=1)[1]
    Path("t.json").write_bytes(b"\xff\xfe")
    assert "error: `t.json` holds no table: " in typed(capsys, "report", "--check", "t.json", status=1)[1]


def test_check_and_strict_together(whole: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    """A paper's CI wants both: the table as it was, of whole cells."""
    write(whole, 1, "failed")
    Path("t.csv").write_text(typed(capsys, "report", "accuracy", "--format", "csv")[0])
    out, said = typed(capsys, "report", "accuracy", "--check", "t.csv", "--strict", status=1)

    assert out == "t.csv is what the records say.\n"
    assert "2 of 3 runs done; 1 failed" in said


def test_one_form_at_a_time(whole: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    """Whether a table is compared, explained or written as a page is one choice."""
    assert typed(capsys, "report", "--check", "t.csv", "--explain", status=2)[1] == (
        "error: `--check` and `--explain` do not go together\nhelp: write one of them\n"
    )
