"""Packs: a thousand folders become one file, everything reads it, and a cut at any moment loses nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import console
import pytest
from recorded import Recorded, claim, end, journal, series
from test_shim_old_python import old_python

from xpc.runtime.gc import packings
from xpc.runtime.lock import take_lock
from xpc.runtime.logs import read_log
from xpc.runtime.pack import batches, candidate, pack, tidy
from xpc.runtime.records import read_attempt, read_run
from xpc.runtime.shim import packs

QUESTION = "from train where status is not null show id, status, duration, loss, loss.min, accuracy sort by id"
STEPS = ("write", "verify", "rename", "remove", "moved")


@pytest.fixture(name="study")
def _study(tmp_path: Path) -> Recorded:
    study = Recorded(tmp_path)
    for row in range(4):
        study.write(row, metrics=series("loss", [2.0 + row, 1.0 + row]), stdout=f"acc=0.{row}5\n")
    study.write(4, "failed", stderr="ValueError: no\n", exit=1)
    return study


def packed(study: Recorded) -> list[str]:
    """Pack what can be packed; give the ids."""
    found = [run for packing in packings(study.store()) for run in packing.runs]
    return pack(str(study.folder / "runs/train"), found)[1]


def answers(study: Recorded) -> object:
    return study.ask(QUESTION).records()


def contents(folder: Path) -> dict[str, bytes]:
    """Give every file of every run, packed or not, by run and name."""
    found = {}
    for path in packs.pack_paths(str(folder)):
        with zipfile.ZipFile(path) as archive:
            found |= {name: archive.read(name) for name in archive.namelist()}
    for file in folder.glob("*/*"):
        if file.is_file() and file.parent.name != packs.FOLDER:
            found[f"{file.parent.name}/{file.name}"] = file.read_bytes()
    return found


# ------------------------------------------------------------------ what goes into packs


def test_everything_reads_packed_runs(study: Recorded) -> None:
    """States, records, metrics, patterns in output, logs and earlier attempts are what they were, index or none."""
    failed = study.run(4)
    (failed / "run.2.jsonl").write_text(journal(claim("train", failed.name, {}, attempt=2), end("oom")))
    before, records = answers(study), {id: read_run(study.run(row)) for row, id in enumerate(["a", "b", "c", "d", "e"])}
    log = read_log(read_run(failed), "stderr", attempt=1)  # type: ignore[arg-type]  # it is there

    assert len(packed(study)) == 5
    assert sorted(os.listdir(study.folder / "runs/train")) == [packs.FOLDER]
    assert answers(study) == before
    (study.folder / ".xpc/index.sqlite").unlink()
    assert answers(study) == before

    folders = [study.folder / "runs/train" / study.tables["train"].id(row) for row in range(5)]
    assert {id: read_run(folder) for id, folder in zip("abcde", folders, strict=True)} == records
    assert read_log(read_run(folders[4]), "stderr", attempt=1) == log == "ValueError: no\n"  # type: ignore[arg-type]
    assert read_attempt(str(folders[4]), 1).end["state"] == "failed"  # type: ignore[union-attr,index]
    assert [record.attempt for record in study.store().earlier("train", folders[4].name)] == [1]


def test_a_packed_run_keeps_its_series_in_the_index(study: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packing moves a run; nobody reads its metrics again for that."""
    before = answers(study)
    packed(study)
    monkeypatch.setattr("xpc.runtime.store.read_metrics", lambda *_: pytest.fail("read again"))

    assert answers(study) == before


def test_only_ended_runs_without_outputs_are_packed(study: Recorded) -> None:
    """Not those that go on, not those with files, links or folders of their own."""
    study.write(5, None)
    (study.write(6) / "files").mkdir()
    (study.run(6) / "files/model.pt").write_text("x")
    (study.write(7) / "link").symlink_to("nowhere")
    (study.write(8) / "files").mkdir()

    found = [run.id for packing in packings(study.store()) for run in packing.runs]

    assert sorted(found) == sorted(study.tables["train"].id(row) for row in (0, 1, 2, 3, 4, 8))


def test_a_pack_is_a_plain_zip(study: Recorded) -> None:
    """Stored, so that any tool reads it; its comment says which runs it has."""
    ids = packed(study)

    with zipfile.ZipFile(study.folder / "runs/train/packs/1.zip") as archive:
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
        assert json.loads(archive.comment) == {
            "schema": "xpc.pack/1",
            "runs": {id: "failed" if id == study.tables["train"].id(4) else "done" for id in ids},
        }
        assert f"{ids[0]}/run.jsonl" in archive.namelist()


def test_packs_are_numbered_and_hold_a_thousand(study: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xpc.runtime.pack.MOST_RUNS", 2)
    (packing,) = packings(study.store())

    assert [len(batch) for batch in batches(packing.runs)] == [2, 2, 1]
    for batch in batches(packing.runs):
        pack(str(study.folder / "runs/train"), batch)
    assert [os.path.basename(path) for path in packs.pack_paths(str(study.folder / "runs/train"))] == [
        "1.zip",
        "2.zip",
        "3.zip",
    ]


def test_a_folder_comes_before_a_pack(study: Recorded) -> None:
    """A run that went on after it was packed is what its folder says; packed again, the later pack counts."""
    folder = study.run(4)
    packed(study)
    assert packs.restore(str(folder))
    (folder / "run.2.jsonl").write_text(journal(claim("train", folder.name, {}, attempt=2), end("done", duration=7.0)))

    assert study.store().state("train", folder.name) == "done"
    assert packed(study) == [folder.name]
    assert study.store().state("train", folder.name) == "done"
    assert packs.is_done(str(folder))


def test_a_damaged_pack_is_no_pack(study: Recorded) -> None:
    """What nobody can read holds nothing; nobody stumbles over it."""
    (study.folder / "runs/train/packs").mkdir()
    (study.folder / "runs/train/packs/1.zip").write_bytes(b"PK\x05\x06 torn")
    (study.folder / "runs/train/packs/2.zip").write_bytes(b"")

    assert packs.contents(str(study.folder / "runs/train")) == {}
    assert len(study.store().ids("train")) == 5  # type: ignore[arg-type]  # a list


def test_many_restore_at_once(study: Recorded) -> None:
    """One wins, the others find what it made; no half of a folder is ever seen."""
    experiment = study.folder / "runs/train"
    files = contents(experiment)
    run = packed(study)[0]
    program = "import sys; from xpc.runtime.shim import packs; assert packs.restore(sys.argv[1])"
    words = [sys.executable, "-c", program, str(experiment / run)]
    assert [process.wait() for process in [subprocess.Popen(words) for _ in range(4)]] == [0] * 4

    mine = {name: data for name, data in files.items() if name.startswith(run)}
    assert {f"{run}/{file.name}": file.read_bytes() for file in (experiment / run).iterdir()} == mine
    assert sorted(os.listdir(experiment)) == sorted([packs.FOLDER, run])


def test_a_pack_that_is_damaged_later(study: Recorded) -> None:
    """A journal with a flipped bit is a broken record, and said so; the others are read."""
    ids = packed(study)
    pack_file = study.folder / "runs/train/packs/1.zip"
    data = bytearray(pack_file.read_bytes())
    data[data.index(b'"event": "end"')] ^= 1
    pack_file.write_bytes(data)

    records = [read_run(study.folder / "runs/train" / id) for id in ids]
    assert [record.broken for record in records if record is not None and record.broken] == [
        f"its journal can't be read: the pack is damaged (bad crc-32 for file '{ids[0]}/run.jsonl')"
    ]
    assert study.store(rescan=True).states("train", ids).count("broken") == 1


# ------------------------------------------------------------------ cuts

KILLER = """
import os, signal, sys
from xpc.runtime.pack import candidate, pack
experiment, step, nth, *ids = sys.argv[1:]
seen = 0
def at(name):
    global seen
    if name == step:
        seen += 1
        if seen == int(nth):
            os.kill(os.getpid(), signal.SIGKILL)
pack(experiment, [candidate(os.path.join(experiment, id), "done") for id in ids], at)
"""


@pytest.mark.parametrize(("step", "nth"), [*((step, 1) for step in STEPS), ("moved", 3)])
def test_a_cut_loses_nothing(study: Recorded, step: str, nth: int) -> None:
    """Killed at any step, every file of every run is still read; the next call finishes what was begun."""
    experiment = study.folder / "runs/train"
    ids = [study.tables["train"].id(row) for row in range(4)]
    before, files = answers(study), contents(experiment)
    killed = subprocess.run([sys.executable, "-c", KILLER, str(experiment), step, str(nth), *ids], check=False)
    assert killed.returncode == -signal.SIGKILL

    assert answers(study) == before
    tidy(str(experiment))
    assert answers(study) == before
    assert contents(experiment) == files
    left = [candidate(str(experiment / id), "done") for id in ids if (experiment / id).is_dir()]
    if left:
        pack(str(experiment), [run for run in left if run is not None])
    assert answers(study) == before
    assert contents(experiment) == files
    assert not list(experiment.glob("packs/*.old")) + list(experiment.glob("packs/*.zip.*"))


def test_a_cut_in_the_middle_of_a_removal(study: Recorded) -> None:
    """A folder of which half is gone is not put back: the pack has the whole of it."""
    experiment, run = study.folder / "runs/train", study.tables["train"].id(0)
    before, files = answers(study), contents(experiment)
    packed(study)
    aside = experiment / "packs/1.zip.old" / run
    aside.mkdir(parents=True)
    (aside / "stdout.log").write_bytes(files[f"{run}/stdout.log"])

    tidy(str(experiment))

    assert not aside.exists()
    assert answers(study) == before


def test_what_is_written_meanwhile_is_put_back(study: Recorded) -> None:
    """A retry that comes between the pack and the removal of its folder keeps the folder."""
    experiment = study.folder / "runs/train"
    folder = study.run(4)
    run = candidate(str(folder), "failed")
    assert run is not None

    def retried(step: str) -> None:
        if step == "remove":
            (folder / "run.2.jsonl").write_text(journal(claim("train", folder.name, {}, attempt=2)))

    assert pack(str(experiment), [run], retried)[1] == []
    assert (folder / "run.2.jsonl").is_file()
    assert study.store().state("train", folder.name) == "running"


def test_a_run_that_changes_while_it_is_packed(study: Recorded) -> None:
    """Then nothing is packed, and nothing is left behind."""
    experiment = study.folder / "runs/train"
    run = candidate(str(study.run(0)), "done")
    assert run is not None
    files = contents(experiment)

    def written(step: str) -> None:
        if step == "verify":
            (study.run(0) / "metrics.jsonl").write_text('{"loss": 9}\n')

    with pytest.raises(OSError, match="written to while it was packed"):
        pack(str(experiment), [run], written)
    assert os.listdir(experiment / "packs") == []
    assert contents(experiment).keys() == files.keys()


# ------------------------------------------------------------------ the command


def test_command_is_dry_by_default(study: Recorded) -> None:
    """It says what it would do, then does it, then has nothing left to do."""
    said = console.run("xpc gc --pack", study.folder)
    assert said.stdout.splitlines()[0].split() == ["experiment", "runs", "packs", "size", "files", "less"]
    assert "Nothing was written. `xpc gc --pack --yes` packs them." in said.stdout
    assert not (study.folder / "runs/train/packs").exists()

    assert console.run("xpc gc --pack --yes", study.folder).stdout == "Packed 5 runs into 1 pack.\n"
    assert console.run("xpc gc", study.folder).stdout == "Nothing to pack: no run has ended without outputs.\n"
    shown = json.loads(console.run(f"xpc show {study.tables['train'].id(4)} --json", study.folder).stdout)
    assert (shown["status"], shown["exit"]) == ("failed", 1)
    logs = console.run(f"xpc logs {study.tables['train'].id(4)}", study.folder)
    assert logs.stdout == "ValueError: no\n"
    assert "1 failed: ValueError: no" in console.run("xpc status", study.folder).stdout


def test_command_waits_for_no_submit(study: Recorded) -> None:
    """Whoever holds the lock goes on; nothing is packed."""
    with take_lock(study.folder) as lock:  # type: ignore[union-attr]  # nobody else has it
        assert lock.held()
        said = console.run("xpc gc --pack --yes", study.folder)

    assert said.returncode == 1
    assert "a submit is going on" in said.stderr
    assert not (study.folder / "runs/train/packs").exists()


def test_command_is_misused(study: Recorded) -> None:
    assert console.run("xpc gc --yes", study.folder).returncode == 2


# ------------------------------------------------------------------ submitting

GRAPH = """\
grid sweep:
    n in [1, 2]

experiment work:
    grid sweep
    run "python work.py {n}"

experiment total:
    after all work
    run "python total.py {work.runs}"
"""
WORK = "import os, sys\nprint('value', sys.argv[1])\nsys.exit(os.environ.get('FAIL') == sys.argv[1])\n"
TOTAL = "import json, sys\nprint(sum(json.loads(line)['values']['n'] for line in open(sys.argv[1])))\n"


@pytest.fixture(name="graph")
def _graph(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    source.mkdir()
    for name, text in (("Experimentfile", GRAPH), ("work.py", WORK), ("total.py", TOTAL)):
        (source / name).write_text(text)
    return console.fresh_project(source, tmp_path / "project")


def test_packed_runs_are_done(graph: Path) -> None:
    """Submit sends no packed run again; a child finds its packed parents done, and reads what they were."""
    assert console.run("xpc submit work", graph).returncode == 0
    assert console.run("xpc gc --pack --yes", graph).stdout == "Packed 2 runs into 1 pack.\n"

    said = console.run("xpc submit", graph)
    assert said.returncode == 0, said.stderr
    assert sorted(os.listdir(graph / "runs/work")) == [packs.FOLDER]
    (log,) = graph.glob("runs/total/*/stdout.log")
    assert log.read_text() == "3\n"
    status = json.loads(console.run("xpc status --json", graph).stdout)
    assert status["experiments"] == {"work": {"done": 2}, "total": {"done": 1}}
    assert "Nothing to run: 3 done." in console.run("xpc submit", graph).stderr


def test_a_packed_run_is_tried_again(graph: Path) -> None:
    """A failed one comes out of its pack, whole; its attempts go on where they were."""
    assert console.run("env FAIL=2 xpc submit work", graph).returncode == 1
    assert console.run("xpc gc --pack --yes", graph).stdout == "Packed 2 runs into 1 pack.\n"

    assert console.run("xpc retry", graph).returncode == 0
    (folder,) = [path for path in (graph / "runs/work").iterdir() if path.name != packs.FOLDER]
    assert {"run.jsonl", "run.2.jsonl", "stdout.log", "stdout.2.log"} <= set(os.listdir(folder))
    shown = json.loads(console.run(f"xpc show --json {folder.name}", graph).stdout)
    assert (shown["status"], shown["attempt"]) == ("done", 2)
    # The child has run as well.
    assert console.run("xpc gc --pack --yes", graph).stdout == "Packed 2 runs into 2 packs.\n"
    assert json.loads(console.run(f"xpc show --json {folder.name}", graph).stdout) == shown | {"packed": True}


@pytest.mark.skipif(old_python() is None, reason="there is no Python 3.8 here; CI has one")
def test_old_pythons_read_packs(study: Recorded) -> None:
    """Nodes may have Python 3.8: what travels to them reads packs as we do."""
    old = old_python()
    assert old is not None
    ids = packed(study)
    program = "import sys; sys.path[:0] = [sys.argv[1]]; import packs; f = sys.argv[2]\n"
    program += "print(packs.is_done(f), packs.names(f))"
    arguments = [str(console.ROOT / "runtime/shim"), str(study.folder / "runs/train" / ids[0])]
    said = subprocess.run([old, "-c", program, *arguments], capture_output=True, text=True, check=True)

    assert said.stdout == "True ['metrics.jsonl', 'run.jsonl', 'stdout.log']\n"
