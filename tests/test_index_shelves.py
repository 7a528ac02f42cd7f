"""The index's shelves: whatever happens to runs, and whenever somebody looks, the answer is that of the files."""

from __future__ import annotations

import inspect
import os
import shutil
import subprocess
import sys
import tempfile
from hashlib import blake2b
from pathlib import Path

import pytest
from console import run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recorded import Recorded, claim, end, journal, series

from xpc.runtime import index_fields, record_fields
from xpc.runtime.gc import packings
from xpc.runtime.index_columns import decode, encode
from xpc.runtime.pack import pack
from xpc.runtime.shim import packs
from xpc.runtime.store import Store

STUDY = """
grid sweep:
    seed in range(12)

experiment train:
    grid sweep
    run "python train.py"
    metric loss minimize
"""
ROWS = range(12)
DEEDS = ("done", "failed", "running", "again", "gone", "stale", "pack", "look", "ask")

VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.lists(st.integers())
    | st.dictionaries(st.text(), st.booleans())
)


@given(
    st.lists(VALUES)
    | st.lists(st.floats(allow_nan=False) | st.none())
    | st.lists(st.integers(-(2**70), 2**70))
    | st.lists(st.text() | st.none())
)
def test_columns_come_back(values: list[object]) -> None:
    """Every value, and its type: 1, 1.0 and true are three."""
    assert [(type(value), value) for value in decode(encode(values))] == [(type(value), value) for value in values]


def test_fields_belong_to_the_version() -> None:
    """An index keeps what these functions gave: whoever changes one raises `index.VERSION`, then this sum."""
    text = inspect.getsource(record_fields) + inspect.getsource(index_fields)
    assert blake2b(text.encode(), digest_size=4).hexdigest() == "feaa9655"


def said(store: Store) -> object:
    """Give all that a store says of the runs of `train`."""
    ids = sorted(store.ids("train"))
    fields = {name: store.field("train", ids, name) for name in ("attempt", "host", "duration", "tags", "fingerprint")}
    metrics = {name: store.metric("train", ids, name, "last") for name in store.metric_names("train")}
    reduced = {name: store.reduced("train", name, "min") for name in metrics}
    records = [(r.attempt, r.end) if (r := store.record("train", id)) is not None else None for id in ids]
    states = store.states("train", ids)
    assert states == [store.state("train", id) for id in ids]
    return ids, states, fields, metrics, reduced, records, store.fingerprints("train"), sorted(store.ended("train"))


class Life:
    """Things that happen to the runs of a project."""

    def __init__(self, study: Recorded) -> None:
        self.study = study
        self.events = study.folder / ".xpc/events"
        self.events.mkdir()
        self.deeds = 0

    def hint(self, row: int) -> None:
        with (self.events / "cn1.log").open("a") as file:
            file.write(f'{{"experiment":"train","run":"{self.study.tables["train"].id(row)}"}}\n')

    def happen(self, deed: str, row: int) -> None:
        self.deeds += 1
        folder = self.study.folder / "runs/train" / self.study.tables["train"].id(row)
        match deed:
            case "done" | "failed" if not self.exists(folder):
                metrics = series("loss", [float(self.deeds), 2.0]) + series(f"m{row % 3}", [row])
                self.study.write(row, deed, metrics=metrics, duration=float(self.deeds))
                self.hint(row)  # as every attempt does; a new folder may have the inode of one that is gone
            case "running" if not self.exists(folder):
                self.study.write(row, None, metrics=series("loss", [float(self.deeds)]))
                self.hint(row)
            case "again" if folder.is_dir():
                self.again(folder, row)
            case "gone" if folder.is_dir():
                shutil.rmtree(folder)
            case "stale" if folder.is_dir():
                folder.rename(folder.with_name(f"{folder.name}.v{self.deeds}"))
            case "pack":
                self.pack()
            case _:
                return

    def exists(self, folder: Path) -> bool:
        return folder.is_dir() or packs.find(str(folder)) is not None

    def again(self, folder: Path, row: int) -> None:
        """The run is tried once more, and a hint says so; or its end line comes."""
        attempt = len(list(folder.glob("run*.jsonl")))
        last = folder / ("run.jsonl" if attempt == 1 else f"run.{attempt}.jsonl")
        if '"end"' not in last.read_text():
            with last.open("a") as file:
                file.write(journal(end("done", duration=float(self.deeds))))
            return
        line = claim("train", folder.name, {"seed": row}, attempt=attempt + 1)
        (folder / f"run.{attempt + 1}.jsonl").write_text(journal(line, end("oom", duration=float(self.deeds))))
        self.hint(row)

    def pack(self) -> None:
        for packing in packings(self.study.store(rescan=True)):
            pack(str(self.study.folder / "runs/train"), packing.runs[:3])


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(deeds=st.lists(st.tuples(st.sampled_from(DEEDS), st.sampled_from(ROWS)), min_size=5, max_size=40))
def test_an_old_index_says_what_a_new_one_does(deeds: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Shelves of two runs, runs that come, go on, go, are packed: at each look the answer is that of a rescan."""
    monkeypatch.setattr("xpc.runtime.index_shelves.ENOUGH", 2)
    with tempfile.TemporaryDirectory() as folder:
        study = Recorded(Path(folder), STUDY)
        life = Life(study)
        for deed, row in [*deeds, ("ask", 0)]:
            life.happen(deed, row)
            if deed == "look":
                study.store().close()
            if deed == "ask":
                fresh = Store(study.folder, {"XPC_CACHE_DIR": f"{folder}/.xpc/new"}, rescan=True)
                assert said(study.store()) == said(fresh)


def test_only_what_changed_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of runs on shelves no journal and no metrics are opened; of new ones, only theirs."""
    monkeypatch.setattr("xpc.runtime.index_shelves.ENOUGH", 2)
    study = Recorded(tmp_path, STUDY)
    for row in range(5):
        study.write(row, metrics=series("loss", [1.0]))
    said(study.store())
    new = study.write(5, metrics=series("loss", [3.0]))
    read: list[str] = []
    real_run, real_metrics = "xpc.runtime.index_refresh.read_run", "xpc.runtime.store.read_metrics"
    from xpc.runtime.metrics import read_metrics
    from xpc.runtime.records import read_run

    monkeypatch.setattr(real_run, lambda folder: read.append(os.fspath(folder)) or read_run(folder))
    monkeypatch.setattr(real_metrics, lambda folder, *rest: read.append(folder) or read_metrics(folder, *rest))
    store = study.store()

    assert len(store.reduced("train", "loss", "last")) == 6
    assert read == [str(new), str(new)]


def test_new_declarations_clear_the_shelves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Series that were read by other declarations are read again; with those of old once more, too."""
    monkeypatch.setattr("xpc.runtime.index_shelves.ENOUGH", 2)
    study = Recorded(tmp_path, STUDY)
    for row in range(5):
        study.write(row, stdout=f"err={row}.5\n", metrics=series("loss", [1.0]))
    assert study.ask("from train show sum(loss)").records() == [{"sum(loss)": 5.0}]
    (tmp_path / "other").mkdir()
    other = Recorded(tmp_path / "other", STUDY + '    metric err from stdout matching "err=([0-9.]+)"\n')
    other.folder = tmp_path

    for _ in range(2):
        assert other.ask("from train show sum(err), sum(loss)").records() == [{"sum(err)": 12.5, "sum(loss)": 5.0}]
        assert study.ask("from train show sum(loss)").records() == [{"sum(loss)": 5.0}]


HAMMER = """
import random, sys
from pathlib import Path
from xpc.runtime import index_shelves
from xpc.runtime.store import Store
index_shelves.ENOUGH = 3
folder, seed = Path(sys.argv[1]), int(sys.argv[2])
chance, before = random.Random(seed), 0
for _ in range(25):
    store = Store(folder, {}, rescan=chance.random() < 0.1)
    found = store.reduced("train", "loss", "last")
    assert all(value == 7.0 for value in found.values()), found
    assert len(found) >= before, (before, len(found))
    before = len(found)
    if chance.random() < 0.3:
        store.close()
print(before)
"""


def test_processes_at_once_agree(tmp_path: Path) -> None:
    """Three that look again and again while runs come, and at times begin anew: none fails, none loses a run."""
    study = Recorded(tmp_path, STUDY)
    study.write(0, metrics=series("loss", [7.0]))
    hammers = [
        subprocess.Popen([sys.executable, "-c", HAMMER, str(tmp_path), str(seed)], stderr=subprocess.PIPE)
        for seed in range(3)
    ]
    for row in range(1, 12):
        folder = tmp_path / "aside" / study.tables["train"].id(row)
        folder.mkdir(parents=True)
        values = {"seed": row}
        (folder / "metrics.jsonl").write_text('{"loss": 7.0}\n')
        (folder / "run.jsonl").write_text(journal(claim("train", folder.name, values), end()))
        folder.rename(tmp_path / "runs/train" / folder.name)
    for hammer in hammers:
        _, errors = hammer.communicate(timeout=120)
        assert (hammer.returncode, errors) == (0, b"")

    assert len(study.store().reduced("train", "loss", "last")) == 12


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root, to become nobody")
@pytest.mark.parametrize("indexed", [False, True])
def test_a_stranger_reads_a_project_that_is_not_theirs(indexed: bool) -> None:
    """Without a right to write anywhere but to /tmp, and with an index that they may not touch."""
    folder = Path(tempfile.mkdtemp(prefix="read-only-", dir="/var/tmp"))
    try:
        study = Recorded(folder, STUDY)
        for row in range(3):
            study.write(row, metrics=series("loss", [1.0]))
        if indexed:
            study.store().reduced("train", "loss", "last")
            study.write(3, metrics=series("loss", [1.0]))
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        before = sorted((path, path.stat().st_mtime_ns) for path in folder.rglob("*"))
        nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups env HOME=/nonexistent"
        if run(f"{nobody} xpc --version", folder).returncode:
            pytest.skip("xpc is installed where nobody else may read it")
        said = run(f"{nobody} xpc query 'show sum(loss)' --format csv", folder)

        assert (said.returncode, said.stdout, said.stderr) == (0, f"sum(loss)\n{4.0 if indexed else 3.0}\n", "")
        assert sorted((path, path.stat().st_mtime_ns) for path in folder.rglob("*")) == before
    finally:
        shutil.rmtree(folder)


def test_rescan_is_an_option(tmp_path: Path) -> None:
    """What was changed by hand shows when somebody asks for it."""
    study = Recorded(tmp_path, STUDY)
    study.write(0)
    os.utime(tmp_path / "runs/train", (1_000_000_000, 1_000_000_000))
    assert '"done": 1' in run("xpc status --json", tmp_path).stdout
    study.write(0, "failed")
    os.utime(tmp_path / "runs/train", (1_000_000_000, 1_000_000_000))

    assert '"done": 1' in run("xpc status --json", tmp_path).stdout
    assert '"failed": 1' in run("xpc status --json --rescan", tmp_path).stdout
