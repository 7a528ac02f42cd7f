"""Results to text: whole tables as people and papers get them, CSV and JSON as machines do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from recorded import Recorded, half_finished, series

from xpc.runtime.query.result import Result, ResultColumn
from xpc.runtime.tables import render

GROUPED = (
    "from train where status == done group by optimizer.lr, model.name "
    "show mean(accuracy) ± std(accuracy) as acc, count() as n sort by acc desc"
)


@pytest.fixture(name="study")
def _study(tmp_path: Path) -> Recorded:
    return half_finished(tmp_path)


def result(*columns: ResultColumn, **more: object) -> Result:
    size = len(columns[0].values)
    return Result(columns=columns, size=size, total=size, grouped=False, **more)  # type: ignore[arg-type]


def test_groups(study: Recorded) -> None:
    """Values have the digits that their errors give a meaning to; what is not done stands beside and below."""
    assert study.table(GROUPED) == (
        "optimizer.lr  model.name            acc  n\n"
        "0.01          mlp         0.965 ± 0.007  2  1 running\n"
        "0.1           cnn         0.940 ± 0.010  3\n"
        "0.1           mlp         0.910 ± 0.010  3\n"
        "Left out: 1 planned, 1 running, 2 failed."
    )


def test_runs(study: Recorded) -> None:
    """Runs have the keys that differ, flush right if they are numbers; null is empty in keys and a dash in metrics."""
    assert study.table("from train where seed == 2 limit 3") == (
        "optimizer.lr  model.name  status     loss  accuracy\n"
        "         0.1  mlp         done     0.6200    0.9200\n"
        "         0.1  cnn         done     0.6500    0.9500\n"
        "        0.01  mlp         running  0.9000         –\n"
        "The first 3 of 4 rows.\n"
        "Not done: 1 planned, 1 running."
    )


def test_units() -> None:
    """Durations and sizes have their units, counts their thousands."""
    columns = (
        ResultColumn("duration", [0.5, 75, 5400, 200_000, None], unit="duration"),
        ResultColumn("memory", [512, 1 << 20, 3 << 29, 1 << 42, None], unit="size"),
        ResultColumn("count()", [1, 1000, 1_234_567, 0, None]),
        ResultColumn("seed", [1, 1000, 1_234_567, 0, None], key=True),
    )

    assert render(result(*columns), "table").splitlines() == [
        "  duration   memory    count()     seed",
        "     0.5 s    512 B          1        1",
        "1 min 15 s    1 MiB      1,000     1000",
        "1 h 30 min  1.5 GiB  1,234,567  1234567",
        "   2 d 8 h    4 TiB          0        0",
        "         –        –          –",
    ]


def test_numbers_keep_four_digits() -> None:
    """Numbers of one column have the same decimals; very different ones have their own form."""
    columns = (
        ResultColumn("a", [0.123456, 12.5]),
        ResultColumn("b", [1e-9, 123456.0]),
        ResultColumn("c", [float("inf"), 2.0]),
        ResultColumn("d", [0.0, 0.0]),
        ResultColumn("e", [40.0, None]),
    )

    assert render(result(*columns), "table") == (
        "    a          b      c  d   e\n 0.12      1e-09    inf  0  40\n12.50  1.235e+05  2.000  0   –"
    )


def test_numbers_of_a_list_keep_four_digits() -> None:
    """An interval is rounded as a number is; the values of a key are left as they are."""
    value = [0.661394375, 1.0, 3]
    columns = (ResultColumn("interval", [value]), ResultColumn("key", [value], key=True))

    assert render(result(*columns), "table") == "interval        key\n0.6614, 1.0, 3  0.661394375, 1.0, 3"


def test_lists_in_lists_are_told_apart() -> None:
    """Inside a list another one has its brackets, and an empty one is not nothing."""
    lists = [[1, [2, 3]], [[1, 2], 3], [1, 2, 3], []]
    columns = (ResultColumn("key", lists, key=True), ResultColumn("x", lists))

    assert [line.split("  ")[0] for line in render(result(*columns), "table").splitlines()[1:]] == [
        "1, [2, 3]", "[1, 2], 3", "1, 2, 3", "[]",
    ]  # fmt: skip


def test_ids_are_cut_to_what_tells_them_apart() -> None:
    """Seven digits at least."""
    column = ResultColumn("id", ["3fa2c81d90b1e4f7", "3fa2c81da0b1e4f7", "91bc07e000000000"])

    assert render(result(column), "table") == "id\n3fa2c81d9\n3fa2c81da\n91bc07e00"


def test_a_wide_table_fits() -> None:
    """Headings lose what they do not need, then texts are cut, then the table is parted."""
    long = "w" * 200
    columns = (
        ResultColumn("optimizer.schedule.warmup.steps", [10], key=True),
        ResultColumn("model.name", [long], key=True),
        *(ResultColumn(f"metric_number_{i}", [0.5]) for i in range(8)),
    )
    text = render(result(*columns), "table")

    assert max(map(len, text.splitlines())) <= 100
    assert text.splitlines()[0].split()[:3] == ["steps", "name", "metric_number_0"]
    assert all(f"metric_number_{i}" in text for i in range(8))


def test_what_is_not_done_is_never_cut() -> None:
    """Beside a row of a table that is too wide its states stand whole."""
    columns = (ResultColumn("model", ["a long name of a model"], key=True), ResultColumn("loss", [0.5]))
    found = result(*columns, undone=({"running": 1, "failed": 2, "planned": 3},))

    text = render(found, "table", 56)

    assert text.splitlines()[1].endswith("1 running, 2 failed, 3 planned")
    assert max(map(len, text.splitlines())) <= 56


def test_no_rows(study: Recorded) -> None:
    """An empty table says so, and why."""
    assert study.table("from train where status == oom") == (
        "No runs.\nLeft out: 1 planned, 1 running, 8 done, 2 failed."
    )


def test_control_characters_never_reach_a_terminal() -> None:
    """A value that a program chose can't move the cursor."""
    column = ResultColumn("name", ["a\x1b]0;evil\x07b\nc"])

    for format in ("table", "github", "latex"):
        assert not {"\x1b", "\x07"} & set(render(result(column), format))
    assert len(render(result(column), "table").splitlines()) == 2


def test_csv(study: Recorded) -> None:
    """CSV has full precision, two columns for `±`, and nothing for null."""
    assert study.table(
        "from train where seed == 2 show optimizer.lr, loss ± seed as loss sort by loss limit 2", "csv"
    ) == ("optimizer.lr,loss,loss_err\n0.1,0.62,2\n0.1,0.65,2")
    column = ResultColumn("x", [0.1 + 0.2, None, True, ["a", 1], 'say "hi", ok'])
    assert render(result(column), "csv") == ('x\n0.30000000000000004\n""\ntrue\n"[""a"", 1]"\n"say ""hi"", ok"')


def test_json(study: Recorded) -> None:
    """JSON is a list of rows; it has no NaN and no infinity."""
    assert json.loads(study.table(GROUPED + " limit 1", "json")) == [
        {
            "optimizer.lr": 0.01,
            "model.name": "mlp",
            "acc": pytest.approx(0.965),
            "acc_err": pytest.approx(0.0070710678),
            "n": 2,
        }
    ]
    column = ResultColumn("x", [float("inf"), [1, "é"], None])
    assert json.loads(render(result(column), "json")) == [{"x": None}, {"x": [1, "é"]}, {"x": None}]


def test_github(study: Recorded) -> None:
    """A Markdown table; a pipe in a value is no new column."""
    assert study.table(GROUPED + " limit 1", "github") == (
        "|   optimizer.lr | model.name   |           acc |   n |\n"
        "|---------------:|:-------------|--------------:|----:|\n"
        "|           0.01 | mlp          | 0.965 ± 0.007 |   2 |"
    )
    assert "a\\|b" in render(result(ResultColumn("x", ["a|b"])), "github")


def test_latex(study: Recorded) -> None:
    """A booktabs table; numbers stand in math mode, the best ones bold."""
    assert study.table(GROUPED + " limit 2", "latex") == (
        "\\begin{tabular}{rlrr}\n"
        "\\toprule\n"
        "optimizer.lr & model.name & acc & n \\\\\n"
        "\\midrule\n"
        "$0.01$ & mlp & $\\mathbf{0.965 \\pm 0.007}$ & $2$ \\\\\n"
        "$0.1$ & cnn & $0.940 \\pm 0.010$ & $3$ \\\\\n"
        "\\bottomrule\n"
        "\\end{tabular}"
    )


def test_latex_escapes_everything() -> None:
    """No value is LaTeX."""
    columns = (
        ResultColumn(r"100%_#&$", [r"\input{x}~^"]),
        ResultColumn("n", [1_234_567]),
        ResultColumn("e", [1e-05], key=True),
    )

    assert render(result(*columns), "latex").splitlines()[2:5] == [
        r"100\%\_\#\&\$ & n & e \\",
        r"\midrule",
        r"\textbackslash{}input\{x\}\textasciitilde{}\textasciicircum{} & $1{,}234{,}567$ & $1 \times 10^{-5}$ \\",
    ]


def test_broken_records_are_named(study: Recorded) -> None:
    """A record that can't be read is a row with its state, and a line below."""
    (study.run(0) / "run.jsonl").write_text("not json\n")

    assert study.table("from train show count()") == (
        "count()\n     12\n"
        "Not done: 1 planned, 1 running, 2 failed, 1 broken.\n"
        f"Records that can't be read: runs/train/{study.tables['train'].id(0)}."
    )


def test_done_runs_without_values_are_said(tmp_path: Path) -> None:
    """A mean over fewer runs than there are says so."""
    study = Recorded(tmp_path)
    for row in range(12):
        study.write(row, metrics=series("loss", [row / 4]) if row else [])

    assert study.table("from train show mean(loss), count()") == (
        "mean(loss)  count()\n     1.500       12\nDone without a value: `loss` in 1 run."
    )
