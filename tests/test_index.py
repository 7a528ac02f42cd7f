"""The index of records: it is a cache, so every answer is that of the files."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from recorded import Recorded, claim, end, journal, series

from xpc.runtime.index import Index
from xpc.runtime.index_place import MEMORY, index_place, is_local
from xpc.runtime.store import Store


@pytest.fixture(name="study")
def _study(tmp_path: Path) -> Recorded:
    study = Recorded(tmp_path)
    for row in range(3):
        study.write(row, metrics=series("loss", [1.0 + row]))
    return study


def states(store: Store) -> list[str]:
    return [store.state("train", id) for id in store.ids("train")]


def reads(study: Recorded, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the paths below `runs` that opening the store and reading a metric opens."""
    opened: list[str] = []
    real = os.open

    def watched(path: str, *arguments: int, **named: int) -> int:
        opened.append(os.fspath(path))
        return real(path, *arguments, **named)

    monkeypatch.setattr(os, "open", watched)
    store = study.store()
    store.reduced("train", "loss", "last")
    monkeypatch.setattr(os, "open", real)
    return [path for path in opened if "/runs/" in path]


def settle(study: Recorded) -> None:
    """Let the experiments' folders look as if nothing had changed in them for long."""
    for folder in (study.folder / "runs").iterdir():
        os.utime(folder, (1_000_000_000, 1_000_000_000))


def test_ended_runs_are_read_once(study: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second look opens no journal of an ended run."""
    settle(study)

    assert len(reads(study, monkeypatch)) >= 3
    assert reads(study, monkeypatch) == []


def test_running_runs_are_read_again(study: Recorded) -> None:
    """What had not ended is looked at each time."""
    study.write(3, None, metrics=series("loss", [9.0]))
    settle(study)
    store = study.store()
    assert states(store).count("running") == 1
    assert store.reduced("train", "loss", "last")[study.tables["train"].id(3)] == 9.0

    study.write(3, metrics=series("loss", [9.0, 8.0]))
    settle(study)
    store = study.store()

    assert states(store).count("done") == 4
    assert store.reduced("train", "loss", "last")[study.tables["train"].id(3)] == 8.0


def test_folder_without_a_time(study: Recorded) -> None:
    """What an archive has restored may bear the first second of all time: that is no sign that nothing is in it."""
    train = study.folder / "runs/train"
    os.utime(train, (0, 0))
    assert states(study.store()) == ["done"] * 3

    study.write(3)
    os.utime(train, (0, 0))
    assert states(study.store()) == ["done"] * 4


def test_new_runs_are_found_by_their_folder(study: Recorded) -> None:
    """Without any hint."""
    study.store()
    study.write(7)

    assert len(states(study.store())) == 4


def test_a_folder_without_a_journal_is_looked_at_again(study: Recorded) -> None:
    """A run's folder is there a moment before its claim is."""
    folder = study.run(5)
    settle(study)
    assert "planned" in states(study.store())
    study.write(5)
    settle(study)
    assert folder.is_dir()

    assert states(study.store()) == ["done"] * 4


def test_a_later_attempt_is_found_by_its_hint(study: Recorded) -> None:
    """The log of events names the run that is tried again."""
    folder = study.write(4, "failed")
    settle(study)
    assert states(study.store()).count("failed") == 1
    values = {"seed": 1}
    (folder / "run.2.jsonl").write_text(journal(claim("train", folder.name, values, attempt=2), end()))
    assert states(study.store()).count("failed") == 1, "nobody has said so"
    events = study.folder / ".xpc/events"
    events.mkdir()
    (events / "cn1.log").write_text(
        'torn\n[1]\n{"event":"start","experiment":"train","run":"' + folder.name + '","attempt":2}\n{"event"'
    )

    assert states(study.store()).count("done") == 4


def test_rescan_reads_everything(study: Recorded) -> None:
    """Also what was changed by hand."""
    settle(study)
    study.store()
    study.write(0, "failed")
    settle(study)

    assert states(study.store()).count("failed") == 0
    assert states(study.store(rescan=True)).count("failed") == 1


def test_removed_runs_are_forgotten(study: Recorded) -> None:
    """A folder that is gone takes its record and its metrics with it; another in its place is read."""
    store = study.store()
    store.reduced("train", "loss", "last")
    folder = study.run(0)
    folder.rename(folder.with_name(folder.name + ".v1"))

    store = study.store()
    assert len(states(store)) == 2
    assert len(store.reduced("train", "loss", "last")) == 2
    study.write(0, "failed")
    assert states(study.store()).count("failed") == 1


def test_new_declarations_are_applied_to_old_runs(tmp_path: Path) -> None:
    """A metric that is declared later is there for the runs of yesterday."""
    study = Recorded(tmp_path)
    study.write(0, stdout="acc=0.5 err=0.25\n")
    assert study.ask("from train show accuracy limit 1").records() == [{"accuracy": 0.5}]

    text = (tmp_path / "Experimentfile").read_text()
    (tmp_path / "again").mkdir()
    (tmp_path / "runs").rename(tmp_path / "again" / "runs")
    (tmp_path / ".xpc").rename(tmp_path / "again" / "kept")
    changed = text.replace("metric loss", 'metric err from stdout matching "err=([0-9.]+)"\n    metric loss')
    study = Recorded(tmp_path / "again", changed)

    assert study.ask("from train show err, accuracy limit 1").records() == [{"err": 0.25, "accuracy": 0.5}]


@pytest.mark.parametrize("damage", [b"", b"not a database at all" * 100, None])
def test_a_damaged_index_is_made_anew(study: Recorded, damage: bytes | None) -> None:
    """Without a word, and with the right answer."""
    index = study.folder / ".xpc/index.sqlite"
    study.store().reduced("train", "loss", "last")
    data = index.read_bytes()
    index.write_bytes(data[:200] + b"\xff" * (len(data) - 200) if damage is None else damage)

    assert study.ask("from train show sum(loss)").records() == [{"sum(loss)": 6.0}]
    assert study.ask("from train show sum(loss)").records() == [{"sum(loss)": 6.0}]


def test_a_damaged_index_that_others_have_open_is_left_to_them(study: Recorded) -> None:
    """A writer's journal would be taken for that of the new file. The answer is the same, from memory."""
    place = str(study.folder / ".xpc/index.sqlite")
    held, other = study.store(), Index(study.folder, place)
    before = os.stat(place).st_ino
    other.recover(sqlite3.DatabaseError("database disk image is malformed"))
    assert (other.place, os.stat(place).st_ino) == (MEMORY, before)
    other.close()

    held.close()
    alone = Index(study.folder, place)
    alone.recover(sqlite3.DatabaseError("database disk image is malformed"))
    assert (alone.place, alone.runs()) == (place, {})
    assert os.stat(place).st_ino != before
    alone.close()


def test_rescan_while_others_look(study: Recorded) -> None:
    """All is forgotten in one step: who looks sees the old or the new, and no file is replaced."""
    first = study.store()
    expected = first.reduced("train", "loss", "last")
    inode = (study.folder / ".xpc/index.sqlite").stat().st_ino

    assert study.store(rescan=True).reduced("train", "loss", "last") == expected
    assert first.reduced("train", "loss", "last") == expected
    first.refresh()
    assert first.reduced("train", "loss", "last") == expected
    assert (study.folder / ".xpc/index.sqlite").stat().st_ino == inode


def test_an_index_of_another_version_is_made_anew(study: Recorded) -> None:
    """Nobody reads a schema that they do not know."""
    study.store().close()
    with closing(sqlite3.connect(study.folder / ".xpc/index.sqlite", isolation_level=None)) as connection:
        connection.execute("DROP TABLE series")
        connection.execute("PRAGMA user_version = 999")

    assert study.ask("from train show sum(loss)").records() == [{"sum(loss)": 6.0}]


def test_an_index_of_another_project_is_made_anew(study: Recorded, tmp_path: Path) -> None:
    """A copied project has a copied index, and its own files."""
    study.store().close()
    other = tmp_path / "copy"
    other.mkdir()
    copy = Recorded(other)
    (other / ".xpc/index.sqlite").write_bytes((study.folder / ".xpc/index.sqlite").read_bytes())
    copy.write(0, "failed")

    assert states(copy.store()) == ["failed"]


def test_two_readers_at_once(study: Recorded) -> None:
    """Many that start with no index agree."""
    found: list[object] = []

    def ask() -> None:
        found.append(study.ask("from train show sum(loss), count(loss)").records())

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [[{"sum(loss)": 6.0, "count(loss)": 3}]] * 6


def test_a_locked_index_does_not_stop_a_reader(study: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that somebody holds for too long is left to them."""
    monkeypatch.setattr("xpc.runtime.index.WAIT", 0.05)
    study.store().close()
    holder = sqlite3.connect(study.folder / ".xpc/index.sqlite", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")

    assert study.ask("from train show sum(loss)").records() == [{"sum(loss)": 6.0}]
    holder.execute("ROLLBACK")
    holder.close()


def test_an_index_that_breaks_meanwhile(study: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    """Damaged or locked between opening and asking: the answer is the same."""
    monkeypatch.setattr("xpc.runtime.index.WAIT", 0.05)
    index = study.folder / ".xpc/index.sqlite"
    expected = study.store().reduced("train", "loss", "last")
    index.unlink()
    locked = study.store()
    holder = sqlite3.connect(index, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    assert locked.reduced("train", "loss", "last") == expected
    holder.execute("ROLLBACK")
    holder.close()

    damaged = study.store()
    data = index.read_bytes()
    index.write_bytes(data[:100] + b"\xff" * (len(data) - 100))
    assert damaged.reduced("train", "loss", "last") == expected
    assert study.store().reduced("train", "loss", "last") == expected


# ------------------------------------------------------------------ where it lies


def test_place(tmp_path: Path) -> None:
    """XPC_CACHE_DIR, else the project, else the user's cache folder, else memory."""
    project, cache, home = tmp_path / "project", tmp_path / "cache", tmp_path / "home"
    (project / ".xpc").mkdir(parents=True)
    bare = tmp_path / "bare"
    bare.mkdir()

    assert Path(index_place(project, {"XPC_CACHE_DIR": str(cache)})).parent == cache
    assert index_place(project, {"HOME": str(home)}) == str(project / ".xpc/index.sqlite")
    assert Path(index_place(bare, {"HOME": str(home)})).parent == home / ".cache/xpc"
    assert Path(index_place(bare, {"XDG_CACHE_HOME": str(cache)})).parent == cache / "xpc"
    (tmp_path / "file").write_text("")
    assert index_place(bare, {"XDG_CACHE_HOME": str(tmp_path / "file")}) == MEMORY


def test_network_file_systems_are_not_local(tmp_path: Path) -> None:
    """Their locks can't be trusted; the kernel's list of mounts tells."""
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "1 0 8:1 / / rw - ext4 /dev/sda rw\n"
        f"2 1 0:5 / {tmp_path}/on\\040nfs rw shared:1 - nfs4 server:/x rw\n"
        f"3 2 0:6 / {tmp_path}/on\\040nfs/scratch rw - ext4 /dev/sdb rw\n"
    )

    assert is_local(tmp_path, mounts)
    assert not is_local(tmp_path / "on nfs" / "project", mounts)
    assert is_local(tmp_path / "on nfs" / "scratch", mounts)
    assert is_local(tmp_path, tmp_path / "no list")


@pytest.mark.parametrize("text", ["{", "[]", '{"claim":{}}', "\0\0"])
def test_page_that_only_looks_whole(study: Recorded, text: str) -> None:
    """What a crash has left in the index, and SQLite takes for whole, is no record: the index is made anew."""
    study.store().close()
    with closing(sqlite3.connect(study.folder / ".xpc/index.sqlite", isolation_level=None)) as connection:
        connection.execute("UPDATE runs SET record = ?", (text,))
    store = study.store()
    ids = list(store.ids("train"))

    assert store.field("train", ids, "duration") == [60.0] * 3
    assert states(store) == ["done"] * 3


def test_index_of_an_earlier_boot(study: Recorded) -> None:
    """An index does not wait for the disk: after a power loss nobody knows which of its pages are whole."""
    study.store().close()
    path = study.folder / ".xpc/index.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DELETE FROM runs")
        connection.execute("UPDATE folders SET touched = 1")
        connection.execute("UPDATE place SET boot = 'another'")
    settle(study)

    assert states(study.store()) == ["done"] * 3
