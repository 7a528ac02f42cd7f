"""Opens a folder of runs with MLXP's Reader and asks one grouped query: ``python ask.py FOLDER``, in its venv."""

from __future__ import annotations

import statistics
import sys
import time

import mlxp

began = time.perf_counter()
reader = mlxp.Reader(sys.argv[1], refresh=True)
opened = time.perf_counter()
runs = reader.filter("info.status == 'COMPLETE'")
found = {
    keys: (
        statistics.fmean(series[-1] for series in (run["train.loss"] for run in group)),
        statistics.stdev(series[-1] for series in (run["train.loss"] for run in group)),
        min(max(run["train.accuracy"]) for run in group),
        len(group),
    )
    for keys, group in runs.groupby("config.lr").items()
}
answered = time.perf_counter()
print(f"{opened - began} {answered - opened} {sum(row[3] for row in found.values())}")
