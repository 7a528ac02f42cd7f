"""What failures share: a value that no done run has, or two values that no done run has together."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from recorded import Recorded

from xpc.runtime.status import render_status, status_of
from xpc.runtime.triage import mask, shared_values

STUDY = """
grid sweep:
    width in [128, 256, 512]
    depth in [1, 2, 3, 4]
    seed in range(4)

experiment train:
    grid sweep
    run "python train.py"
"""

RUN = st.dictionaries(st.sampled_from("abcd"), st.sampled_from([1, 2, True, "x", [1]]), min_size=1)


def test_one_value() -> None:
    """All failed runs have it, none of the done ones; 1 is not true, a key that is missing is no value."""
    failed = [{"a": 1, "b": 2}, {"a": 1, "b": 3}]

    assert shared_values(failed, [{"a": 2, "b": 2}, {"a": True}, {}]) == {"a": 1}
    assert shared_values(failed, []) == {}, "nothing is done"
    assert shared_values(failed[:1], [{"a": 2}]) == {}, "one run shares everything with itself"


def test_two_values_together() -> None:
    """Only where no key does it alone, and where chance would have given some done runs both."""
    failed = [{"a": 1, "b": 1, "c": c} for c in range(3)]
    done = [{"a": a, "b": b, "c": c} for a in (1, 2) for b in (1, 2) for c in range(8) if not (a == b == 1)]

    assert shared_values(failed, done) == {"a": 1, "b": 1}
    assert shared_values(failed, done[6:10]) == {}, "with four done ones it may well be chance"
    assert shared_values(failed[:2], done) == {}, "of two failures, too"
    assert shared_values(failed, [*done, {"a": 1, "b": 1}]) == {}
    assert shared_values([{**run, "d": 0} for run in failed], [{**run, "d": 1} for run in done]) == {"d": 0}


@given(st.lists(RUN, min_size=1), st.lists(RUN))
def test_what_is_said_is_so(failed: list[dict[str, object]], done: list[dict[str, object]]) -> None:
    """All failed runs have all of it, and no done one has all of it."""
    shared = shared_values(failed, done)

    def has(run: dict[str, object]) -> bool:
        return all(key in run and repr(run[key]) == repr(value) for key, value in shared.items())

    assert all(map(has, failed))
    assert not shared or not any(map(has, done))


def test_status_names_a_pair(tmp_path: Path) -> None:
    """As a person would have found it out."""
    study = Recorded(tmp_path, STUDY)
    failing = []
    for row in range(study.tables["train"].count):
        values = {".".join(path): value for path, value in study.tables["train"].values(row).items()}
        bad = values["width"] == 512 and values["depth"] == 4
        said = f"CUDA out of memory at 0x{row}f\n" if bad else ""
        study.write(row, "failed" if bad else "done", exit=int(bad), stderr=said)
        failing += [row] if bad else []
    first = study.tables["train"].id(failing[0])[:7]

    assert render_status(status_of(study.view())).splitlines()[-2:] == [
        f"4 failed: CUDA out of memory at 0x{failing[0]}f",
        f"          all have width = 512 and depth = 4 (none of the 44 done has both)      xpc logs {first}",
    ]


def test_numbers_and_addresses_are_masked() -> None:
    assert mask("shape (3, 5.5e-1) at 0x7f00 of 3fa2c81d90b1e4f7, conv2d") == "shape (#, #) at @ of @, conv2d"
