"""Grouped answers against pandas: the same numbers, whatever runs logged and however they ended."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import Recorded

STATES = ["done", "done", "done", "failed", "timeout"]
VALUES = st.one_of(st.none(), st.just("NaN"), st.floats(-1e6, 1e6), st.integers(-1000, 1000))
RUNS = st.lists(st.tuples(st.sampled_from(STATES), VALUES, VALUES), min_size=12, max_size=12)
QUERY = (
    "from train where status == done group by optimizer.lr, model.name show mean(a) as mean, std(a) as std, "
    "sum(a) as sum, min(a) as min, max(a) as max, median(a) as median, var(a) as var, sem(a) as sem, "
    "count(a) as n, count() as size, "
    "quantile(a, 0.25) as q, mean(a - b) as less"
)


@settings(max_examples=40, deadline=None)
@given(runs=RUNS)
def test_groups(runs: list[tuple[str, object, object]]) -> None:
    """Rows, their order, their sizes, and every aggregate of every group."""
    with tempfile.TemporaryDirectory() as folder:
        study = Recorded(Path(folder))
        table = study.tables["train"]
        frame = pd.DataFrame([{".".join(k): v for k, v in table.values(row).items()} for row in range(12)])
        for row, (state, a, b) in enumerate(runs):
            logged = {name: value for name, value in (("a", a), ("b", b)) if value is not None}
            study.write(row, state, metrics=[{"always": 1, **logged}])
        if not any(a is not None for _, a, _ in runs) or not any(b is not None for _, _, b in runs):
            return
        found = study.ask(QUERY)

    for name, place in (("a", 1), ("b", 2)):
        frame[name] = [np.nan if run[place] in (None, "NaN") else float(run[place]) for run in runs]  # type: ignore[arg-type]
    frame["less"] = frame["a"] - frame["b"]
    done = frame[[run[0] == "done" for run in runs]]
    groups = done.groupby(["optimizer.lr", "model.name"], sort=False)
    wanted = pd.DataFrame(
        {
            "mean": groups["a"].mean(),
            "std": groups["a"].std(),
            "sum": groups["a"].sum(),
            "min": groups["a"].min(),
            "max": groups["a"].max(),
            "median": groups["a"].median(),
            "var": groups["a"].var(),
            "sem": groups["a"].sem(),
            "n": groups["a"].count(),
            "size": groups.size(),
            "q": groups["a"].quantile(0.25),
            "less": groups["less"].mean(),
        }
    ).reset_index()
    assert found.size == len(wanted)
    for row, own in enumerate(found.records()):
        for name, value in own.items():
            other = wanted[name][row]
            if value is None:
                assert math.isnan(other)
            else:
                assert value == (other if isinstance(value, str) else pytest.approx(other, rel=1e-7, abs=1e-6))
