"""Runs as objects that read their records when they are asked: config, fields, metrics, files, logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from xpc._run import Config
from xpc.runtime.cell_text import plain
from xpc.runtime.logs import read_log
from xpc.runtime.metrics import Series
from xpc.runtime.names import split_key
from xpc.runtime.query.view import View
from xpc.runtime.record_fields import OF_RECORD
from xpc.runtime.records import RunRecord
from xpc.runtime.show import run_values

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 7  # digits of an id
LISTED = 20  # runs that a notebook shows
_METRIC_ID = {"id": "metric.id"}  # as a query calls it: `id` is the run's


class StoredRun:
    """One run of a project, as it was when it was asked for.

    Beside the properties below it has the fields of queries as attributes, ``None`` where they are not known:
    ``attempt``, ``started`` and ``ended`` (ISO texts), ``duration``, ``queue_wait`` and ``cpu_time`` (seconds),
    ``memory`` and ``peak_memory`` (bytes), ``cpus``, ``gpus``, ``host``, ``user``, ``exit``, ``signal``, ``reason``,
    ``commit``, ``dirty``, ``build``, ``job``.
    """

    def __init__(self, view: View, experiment: str, id: str, row: int | None) -> None:
        self._view = view
        self._row = row  # in the table of the experiment; none: the study does not ask for it any more
        self.experiment = experiment
        self.id = id

    # -------------------------------------------------------------- what it is

    @cached_property
    def values(self) -> dict[str, Any]:
        """The resolved config by dotted key."""
        return run_values(self.experiment, self._row, self._record if self._row is None else None, self._view)

    @property
    def config(self) -> Config:
        """The resolved config: a read-only mapping with attribute access, as the run itself has it."""
        nested: dict[str, Any] = {}
        for name, value in self.values.items():
            *groups, last = split_key(name)
            inner = nested
            for group in groups:
                inner = inner.setdefault(group, {})
            inner[last] = value
        return Config(nested)

    @property
    def status(self) -> str:
        """`done`, `failed`, `running`, `planned` …"""
        if self._row is None:
            return self._view.store.state(self.experiment, self.id)
        return self._view.states(self.experiment)[self._row]

    @cached_property
    def _record(self) -> RunRecord | None:
        return self._view.store.whole_record(self.experiment, self.id)

    def __getattr__(self, name: str) -> Any:
        if name not in OF_RECORD:
            raise AttributeError(f"a run has no {name}; it has {', '.join(['id', 'config', 'status', *OF_RECORD])}")
        return None if self._record is None else OF_RECORD[name](self._record)

    # -------------------------------------------------------------- what it made

    @property
    def metrics(self) -> Metrics:
        """Its series by name, read from its files now."""
        return Metrics(self._view.store.series(self.experiment, self.id))

    @property
    def folder(self) -> Path:
        """Where its records are, or would be: a planned run has none yet, a packed one no longer."""
        return Path(self._view.store.folder(self.experiment, self.id))

    def path(self, name: str = "") -> Path:
        """Give the path of a file that it wrote in its working directory."""
        declared = self._outputs.get(name)
        return self.folder / (declared if declared is not None else Path("files", name))

    @property
    def _outputs(self) -> dict[str, str]:
        """The declared outputs by name, relative to the folder."""
        outputs = (self._record.end or {}).get("outputs") if self._record is not None else None
        made = {name: it.get("path") for name, it in outputs.items()} if isinstance(outputs, dict) else {}
        return {name: path for name, path in made.items() if isinstance(path, str)}

    def log(self, stream: Literal["stdout", "stderr"] = "stdout", *, tail: int | None = None) -> str:
        """Give what its last attempt printed, or the last *tail* lines of it; empty if that is nothing."""
        return "" if self._record is None else read_log(self._record, stream, tail=tail, raw=True) or ""

    def __repr__(self) -> str:
        return f"<run {self.id[:SHOWN]} of {self.experiment}: {self.status}>"

    def _repr_html_(self) -> str:
        rows = {"run": f"{self.id} of {self.experiment}", "status": self.status, **self.values}
        cells = (f"<tr><th>{escape(name)}</th><td>{escape(plain(value))}</td></tr>" for name, value in rows.items())
        return f"<table>{''.join(cells)}</table>"


class Metrics(Mapping[str, "pd.Series[float]"]):
    """The series of one run by name: values over steps."""

    def __init__(self, series: Mapping[str, Series]) -> None:
        self._series = series

    def __getitem__(self, name: str) -> pd.Series[float]:
        """Give a metric's values with their steps as the index; raises ``KeyError`` with the names that there are."""
        import pandas as pd

        if name not in self._series:
            raise KeyError(f"no metric `{name}`; there are: {', '.join(self._series) or 'none'}")
        series = self._series[name]
        whole = all(step.is_integer() for step in series.steps)
        index = pd.Index([int(step) for step in series.steps] if whole else list(series.steps), name="step")
        return pd.Series(list(series.values), index=index, name=name, dtype="float64")

    def __iter__(self) -> Iterator[str]:
        return iter(self._series)

    def __len__(self) -> int:
        return len(self._series)

    @property
    def frame(self) -> pd.DataFrame:
        """All metrics as columns, a row a step; of a step that was logged several times the last value counts."""
        import pandas as pd

        columns = {name: _last_of_each_step(self[name]) for name in self}
        return pd.DataFrame(columns).rename_axis("step") if columns else pd.DataFrame()

    def __repr__(self) -> str:
        return f"<metrics {', '.join(self._series) or 'none'}>"


def _row(run: StoredRun) -> dict[str, Any]:
    own = {"experiment": run.experiment, "status": run.status}
    return own | {f"config.{key}" if key in own else key: value for key, value in run.values.items()}


def _last_of_each_step(series: pd.Series[float]) -> pd.Series[float]:
    return series[~series.index.duplicated(keep="last")].sort_index()


class Runs(Sequence[StoredRun]):
    """Runs in row order."""

    def __init__(self, runs: Sequence[StoredRun]) -> None:
        self._runs = runs

    @overload
    def __getitem__(self, index: int) -> StoredRun: ...
    @overload
    def __getitem__(self, index: slice) -> Runs: ...
    def __getitem__(self, index: int | slice) -> StoredRun | Runs:
        return Runs(self._runs[index]) if isinstance(index, slice) else self._runs[index]

    def __len__(self) -> int:
        return len(self._runs)

    @property
    def frame(self) -> pd.DataFrame:
        """A row a run: experiment, status and config; the index is the id. A key called `status` is `config.status`."""
        import pandas as pd

        rows = [_row(run) for run in self._runs]
        return pd.DataFrame(rows, index=pd.Index([run.id for run in self._runs], name="id"))

    def metrics(self, *names: str) -> pd.DataFrame:
        """Give the series of all runs, long: columns `id`, `step`, and one for each metric (by default all of them).

        A metric called `id` is `metric.id`.
        """
        import pandas as pd

        frames = []
        for run in self._runs:
            frame = run.metrics.frame
            if not frame.empty:
                frames.append(frame.rename(columns=_METRIC_ID).reset_index().assign(id=run.id))
        whole = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["id", "step"])
        chosen = [_METRIC_ID.get(name, name) for name in names] or [
            name for name in whole.columns if name not in ("id", "step")
        ]
        return whole.reindex(columns=["id", "step", *chosen])

    def __repr__(self) -> str:
        return f"<{len(self):,} run{'' if len(self) == 1 else 's'}>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(run.id[:SHOWN])}</td><td>{escape(run.experiment)}</td><td>{escape(run.status)}</td></tr>"
            for run in self._runs[:LISTED]
        )
        more = f"<p>and {len(self) - LISTED:,} more</p>" if len(self) > LISTED else ""
        return f"<table><tr><th>id</th><th>experiment</th><th>status</th></tr>{rows}</table>{more}"
