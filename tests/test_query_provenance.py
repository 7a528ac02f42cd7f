"""Where the rows and cells of a result come from: which runs, in which state, with which code."""

from __future__ import annotations

from pathlib import Path

import pytest
from recorded import START, Recorded, claim, end, half_finished, journal

from xpc.runtime.query.result import Result


@pytest.fixture(name="study")
def _study(tmp_path: Path) -> Recorded:
    return half_finished(tmp_path)


def ids(study: Recorded, *rows: int) -> list[str]:
    return [study.tables["train"].id(row) for row in rows]


def test_a_group_has_its_runs(study: Recorded) -> None:
    """A row tells its runs with state, code and times, and those of the group that `where` left out for their state."""
    result = study.ask("from train where status == done group by optimizer.lr show mean(loss) as loss, count()")
    found = result.provenance(1)

    assert [run.id for run in found.runs] == ids(study, 6, 7)
    assert [(run.id, run.state) for run in found.absent] == [
        (id, state)
        for id, state in zip(ids(study, 8, 9, 10, 11), ["running", "failed", "failed", "planned"], strict=True)
    ]
    assert (found.planned, len(found.undone)) == (6, 4)
    first = found.runs[0]
    assert (first.experiment, first.state, first.attempt, first.snapshot) == ("train", "done", 1, "4f2a91c0")
    assert (first.started, first.ended) == ("2026-11-21T09:30:01.000Z", "2026-11-21T09:31:00.000Z")
    assert found.absent[-1].attempt is None


def test_a_cell_has_the_runs_with_a_value(study: Recorded) -> None:
    """Of one row, cells are over different runs where some lack a metric; `count()` is over all."""
    study.write(1, metrics=[{"loss": "NaN"}], stdout="acc=0.5\n")
    result = study.ask(
        "from train where seed == 0 or seed == 1 group by optimizer.lr show mean(loss) ± std(loss) as loss, "
        "max(accuracy), count() as n"
    )
    cells = result.provenance(0).cells

    assert list(cells) == ["loss", "max(accuracy)", "n"]
    assert ([run.id for run in cells["loss"].used], [run.id for run in cells["loss"].missing]) == (
        ids(study, 0, 3, 4),
        ids(study, 1),
    )
    assert [cell.n for cell in cells.values()] == [3, 4, 4]


def test_rows_keep_their_runs_when_they_are_sorted_and_cut(study: Recorded) -> None:
    """Provenance follows the row, not its place."""
    text = "from train where status == done group by seed show mean(loss) as loss, count() sort by loss desc limit 2"
    result = study.ask(text)

    for row, of in enumerate(result.sources):
        found = result.provenance(row)
        assert [run.id for run in found.runs] == list(of)
        assert found.cells["count()"].n == result.columns[2].values[row]


def test_a_run_is_behind_its_own_row(study: Recorded) -> None:
    """Without groups a row is one run; a metric that it lacks is missing."""
    result = study.ask("from train show id, loss sort by status")
    row = next(i for i in range(result.size) if result.columns[1].values[i] is None)
    found = result.provenance(row)

    assert [run.id for run in found.runs] == [result.columns[0].values[row]]
    assert (found.cells["id"].n, found.cells["loss"].n, found.cells["loss"].missing) == (1, 0, found.runs)


def test_reductions_alone_leave_out_the_rest(study: Recorded) -> None:
    """One row over all runs knows those that `where` left out for their state."""
    found = study.ask("from train where status == done show mean(loss)").provenance(0)

    assert (len(found.runs), len(found.absent), found.planned) == (8, 4, 12)


def test_each_attempt_is_a_source(study: Recorded) -> None:
    """The code of an earlier attempt is the code that it ran with."""
    folder = study.write(0, "failed")
    again = claim("train", folder.name, {}, attempt=2, snapshot="beef", fingerprint={"code": "new"})
    (folder / "run.2.jsonl").write_text(journal(again, START, end()))
    result = study.ask(
        "from train where seed == 0 and optimizer.lr == 0.1 group by seed show count() with all attempts"
    )
    found = result.provenance(0)

    assert [(run.attempt, run.snapshot, run.code) for run in found.runs] == [
        (2, "beef", "new"),
        (1, "4f2a91c0", None),
        (1, "4f2a91c0", None),
    ]


def test_a_result_made_by_hand_has_no_provenance() -> None:
    """It is empty rather than an error."""
    assert Result(columns=(), size=1, total=1, grouped=False).provenance(0).runs == ()
