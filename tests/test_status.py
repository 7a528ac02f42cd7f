"""The state of a study, what failed alike, single runs and their logs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from recorded import START, Recorded, claim, end, half_finished, journal

from xpc.grammar.diagnostic import Diagnostics
from xpc.runtime.logs import read_log
from xpc.runtime.named_run import find_run
from xpc.runtime.show import render_run, run_record
from xpc.runtime.status import render_status, rough, status_of
from xpc.runtime.triage import mask

NOW = datetime(2026, 11, 21, 9, 31, 1, tzinfo=UTC)  # a minute after the runs of `recorded` have started


@pytest.fixture(name="study")
def _study(tmp_path: Path) -> Recorded:
    return half_finished(tmp_path)


def test_status(study: Recorded) -> None:
    """Counts by experiment and state, progress, time left; failures by their last line, with a log each."""
    first = study.tables["train"].id(9)[:7]

    assert render_status(status_of(study.view(), now=NOW)) == (
        "experiment  planned  running  done  failed  skipped\n"
        "train             1        1     8       2           67 %  about 2 min\n"
        "evaluate         10                               2   0 %\n"
        "\n"
        "2 failed: ValueError: shape (9, 5) at 0x7f9\n"
        f"          xpc logs {first}"
    )


def test_json(study: Recorded) -> None:
    """`{runs, experiments, failures, waiting, notes}`."""
    ids = [study.tables["train"].id(row) for row in (9, 10)]

    assert status_of(study.view()).record() == {
        "runs": {"planned": 11, "running": 1, "done": 8, "failed": 2, "skipped": 2},
        "experiments": {
            "train": {"planned": 1, "running": 1, "done": 8, "failed": 2},
            "evaluate": {"planned": 10, "skipped": 2},
        },
        "failures": [
            {
                "state": "failed",
                "line": "ValueError: shape (9, 5) at 0x7f9",
                "runs": ids,
                "experiments": ["train"],
                "log": f"runs/train/{ids[0]}/stderr.log",
                "shared": {},
            }
        ],
        "waiting": [],
        "notes": [],
    }


def test_what_failures_share(tmp_path: Path) -> None:
    """A value that all failed runs have and no done one is named."""
    study = Recorded(tmp_path)
    for row in range(12):
        mlp = study.tables["train"].value(("model", "name"), row) == "mlp"
        study.write(row, *(() if mlp else ("failed",)), exit=0 if mlp else 1, stderr="" if mlp else f"died of {row}\n")
    status = status_of(study.view())

    assert [dict(group.shared) for group in status.failures] == [{"model.name": "cnn"}]
    assert "6 failed: died of 3\n          all have model.name = cnn (none of the 6 done has)      xpc logs " in (
        render_status(status)
    )


def test_states_are_explained_by_what_is_known(tmp_path: Path) -> None:
    """Our own reason, a signal, an exit status, a broken record; each group has its own."""
    study = Recorded(tmp_path)
    study.write(0, "timeout", reason="over the time limit of 60 s", stdout="epoch 3\n")
    study.write(1, "failed", exit=3)
    study.write(2, "killed", signal="SIGTERM")
    (study.run(3) / "run.jsonl").write_text("x\n")

    assert [(group.state, group.line) for group in status_of(study.view()).failures] == [
        ("failed", "exit status 3"),
        ("timeout", "over the time limit of 60 s"),
        ("killed", "ended by SIGTERM"),
        ("broken", "its journal has no claim"),
    ]


def test_status_of_some_rows(study: Recorded) -> None:
    """`--where` has picked them."""
    assert status_of(study.view(), {"train": [0, 9]}).record()["experiments"] == {
        "train": {"done": 1, "failed": 1},
        "evaluate": {},
    }


def test_no_estimate_before_three_have_ended(tmp_path: Path) -> None:
    """Nor when nothing runs."""
    study = Recorded(tmp_path)
    study.write(0)
    study.write(1)
    study.write(2, None)
    assert status_of(study.view(), now=NOW).experiments[0].left is None

    study.write(3)
    assert status_of(study.view(), now=NOW).experiments[0].left == 0.0
    study.write(2)
    assert status_of(study.view(), now=NOW).experiments[0].left is None


@pytest.mark.parametrize(
    ("seconds", "text"), [(5, "a minute"), (200, "3 min"), (5400, "2 h"), (86_400, "24 h"), (300_000, "3 d")]
)
def test_estimates_are_rough(seconds: float, text: str) -> None:
    """One unit, no digits behind the point."""
    assert rough(seconds) == text


def test_masks() -> None:
    """What differs from run to run is no part of a failure's kind; names keep their digits."""
    assert mask("shape (64, 3) at 0x7fAB12, loss=1.5e-3, run 3fa2c81d90b1e4f7, conv2d") == (
        "shape (#, #) at @, loss=#, run @, conv2d"
    )


# ------------------------------------------------------------------ one run


def test_show(study: Recorded) -> None:
    """All that is known of a run, in sections."""
    view = study.view()
    id = study.tables["train"].id(3)

    assert render_run(run_record("train", id, view), study.folder) == (
        f"run       {id} of train\n"
        "status    done\n"
        "attempt   1\n"
        "started   2026-11-21T09:30:01.000Z\n"
        "ended     2026-11-21T09:31:00.000Z\n"
        "duration  1 min\n"
        "memory    1 MiB at most\n"
        "asked     2 CPU, 4 GiB\n"
        "host      elsewhere\n"
        "code      snapshot 4f2a91c, commit 8bd0e3d\n"
        "command   python train.py\n"
        f"journal   runs/train/{id}/run.jsonl\n"
        f"logs      runs/train/{id}/stdout.log\n"
        f"folder    runs/train/{id}\n"
        "\n"
        "config\n"
        "  optimizer.lr  0.1\n"
        "  model.name    cnn\n"
        "  seed          0\n"
        "\n"
        "metrics\n"
        "  loss      0.63   best 0.53 at step 10\n"
        "  accuracy  0.93"
    )


SILENT = """
experiment train:
    repeat 2
    run "true"
    metric loss from stdout matching "loss=([0-9.]+)"
    metric acc maximize
    metric "v/x" from "log.txt" matching "x=(.*)"
    metric nan from stdout matching "nan=(.*)"
"""


def test_show_of_metrics_without_a_value(tmp_path: Path) -> None:
    """Of a done run it is said where the values of a declared metric were looked for; NaN is a value."""
    study = Recorded(tmp_path, SILENT)
    study.write(0, stdout="Loss: 0.3\nnan=nan\n")
    study.write(1, "failed", stdout="")
    view = study.view()
    done, failed = (run_record("train", study.tables["train"].id(row), view) for row in (0, 1))

    assert render_run(done, study.folder).splitlines()[-5:] == [
        "metrics",
        "  nan   null",
        "  loss  no value: nothing in stdout matches",
        "  acc   no value: it was never logged",
        "  v/x   no value: nothing in `log.txt` matches",
    ]
    assert list(done["without_value"]) == ["loss", "acc", "v/x"]
    assert "without_value" not in failed


def test_show_of_earlier_attempts(study: Recorded) -> None:
    """Each with how it ended; of the last one also its exit status, its job, what it came after."""
    folder = study.write(9, "failed", exit=3, reason="no luck")
    line = claim("train", folder.name, {"seed": 0}, attempt=2, parents=["3fa2c81d90b1e4f7"], tags=["paper"])
    line["scheduler"] = {"kind": "slurm", "job": "481", "task": 4}
    (folder / "run.2.jsonl").write_text(journal(line, START, end("failed", exit=2, witness="mixed")))

    lines = render_run(run_record("train", folder.name, study.view()), study.folder).splitlines()

    assert [line for line in lines if line.partition(" ")[0] in ("exit", "job", "tags", "after", "code")] == [
        "exit      2",
        "job       481_4",
        "tags      paper",
        "code      snapshot 4f2a91c, commit 8bd0e3d; modules of the live project were loaded, too",
        "after     3fa2c81",
    ]
    assert lines[-2:] == ["before", "  attempt 1  failed, 2026-11-21T09:30:01.000Z: no luck"]


def test_show_of_a_planned_run(study: Recorded) -> None:
    """What will be run is known."""
    found = run_record("train", study.tables["train"].id(11), study.view())

    assert (found["status"], found["config"]) == ("planned", {"optimizer.lr": 0.01, "model.name": "cnn", "seed": 2})


def test_show_of_odd_records(study: Recorded) -> None:
    """Fields of the wrong type are not there."""
    folder = study.write(0, duration="long", peak_memory=[1], outputs=3, artifacts={}, reason=["x"], progress="half")

    text = render_run(run_record("train", folder.name, study.view()), ".")

    assert f"{folder.name} of train\nstatus   done\nattempt  1\n" in text
    assert "duration" not in text


def test_find_run(study: Recorded) -> None:
    """By the first digits of its id."""
    view, diagnostics = study.view(), Diagnostics()
    id = study.tables["train"].id(0)

    assert find_run(id[:9], view, diagnostics) == ("train", id)
    assert find_run("zzz", view, diagnostics) is None
    assert find_run("", view, diagnostics) is None
    assert [(d.code, d.message) for d in diagnostics.found] == [
        ("XR001", "there is no run `zzz`"),
        ("XR001", "there is no run ``"),
    ]


def test_logs(study: Recorded) -> None:
    """A log without what a terminal would obey; or its last lines; or as it is."""
    folder = study.write(0, stdout="a\x1b[31mred\x1b[0m\n10%\r20%\nlast\n")
    record = study.store().record("train", folder.name)
    assert record is not None

    assert read_log(record, "stdout") == "ared\n10%\n20%\nlast\n"
    assert read_log(record, "stdout", raw=True) == "a\x1b[31mred\x1b[0m\n10%\r20%\nlast\n"
    assert read_log(record, "stdout", tail=1) == "last\n"
    assert read_log(record, "stderr") is None


def test_tails_of_long_logs(study: Recorded) -> None:
    """Read from behind, whatever the blocks."""
    folder = study.write(0, stdout="".join(f"line {n} {'x' * 50}\n" for n in range(5000)) + "no end")
    record = study.store().record("train", folder.name)
    assert record is not None

    found = read_log(record, "stdout", tail=3000)
    assert found is not None
    lines = found.split("\n")
    assert (len(lines), lines[0].split()[1], lines[-1]) == (3000, "2001", "no end")
    assert read_log(record, "stdout", tail=0) == ""
