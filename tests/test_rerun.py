"""Done runs that are run again: nothing is overwritten, nothing is lost by a cut, no reader is disturbed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from console import run
from fresh_study import EVALUATE, TRAIN, Study, content, masked

from xpc.runtime.evidence_files import EvidenceWriter, Kept, read_evidence, superseded
from xpc.runtime.shim import packs
from xpc.runtime.store import Store
from xpc.runtime.superseded import supersede, versions


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = Study(tmp_path_factory.mktemp("done") / "project")
    study.xpc("submit")
    return study.folder


@pytest.fixture
def study(done: Path, tmp_path: Path) -> Study:
    shutil.copytree(done, tmp_path / "project", symlinks=True)
    return Study.opened(tmp_path / "project")


def test_rerun_of_stale_runs(study: Study) -> None:
    """What is stale goes, with what comes after it; the earlier results lie beside the new ones, byte for byte."""
    ids = {name: study.ids(name) for name in ("train", "evaluate")}
    before = {name: [content(study.folder / "runs" / name / id) for id in of] for name, of in ids.items()}
    study.write("train.py", TRAIN + "# better\n")
    text = masked(study.xpc("build --dry-run --rerun stale"))
    assert text.split("\n\n")[2] == (
        "stale: 2 runs of train: train.py changed (OLD → NEW)\n"
        "4 done runs will run again; the earlier results stay beside the new ones."
    )
    assert "To submit: 4 runs in 2 arrays" in text
    assert study.xpc("submit") == "Nothing to run: 4 done (2 stale: `xpc build` says why).\n"
    said = study.said("submit --rerun stale").splitlines()
    assert said[0] == "Kept 4 earlier results (`xpc show` names the folders)."
    assert said[-1].startswith("4 done")
    for name, of in ids.items():
        assert [content(study.folder / "runs" / name / f"{id}.v1") for id in of] == before[name]
    assert study.why() == {"train": [None, None], "evaluate": [None, None]}
    assert study.xpc("submit --rerun stale").startswith("Nothing to run: 4 done.")


def test_force_sends_what_was_named_and_not_what_comes_before(study: Study) -> None:
    assert study.json("submit evaluate --where 'seed == 0' --force")["sent"] == 1
    assert [len(versions(study.folder, "evaluate", id)) for id in study.ids("evaluate")] == [1, 0]
    assert not list(study.folder.glob("runs/train/*.v1"))
    assert study.json("submit --force")["sent"] == 4
    assert [len(versions(study.folder, "evaluate", id)) for id in study.ids("evaluate")] == [2, 1]


def test_build_counts_what_force_would_send(study: Study) -> None:
    text = study.xpc("build evaluate --dry-run --force")
    assert "2 done runs will run again" in text
    assert "To submit: 2 runs in 1 array" in text
    assert run("xpc build --force --rerun stale", study.folder).returncode == 2


def test_queries_do_not_see_earlier_results(study: Study) -> None:
    id = study.ids("train")[0]
    study.xpc("submit train --where 'seed == 0' --force")
    assert study.xpc("query 'from train show count()'").split()[-1] == "2"
    shown = study.json(f"show {id}")
    assert [(each["version"], each["folder"], each["status"]) for each in shown["earlier"]] == [
        (1, f"runs/train/{id}.v1", "done")
    ]
    text = study.xpc(f"show {id}")
    assert f"earlier   runs/train/{id}.v1, done {shown['earlier'][0]['ended']}\n" in text
    assert run(f"xpc show {id}.v2", study.folder).stderr == (
        f"error[XR001]: run `train {id[:7]}` has no earlier result `.v2`\n"
        f"help: there is `{id[:7]}.v1`; `xpc show {id[:7]}` tells what there is\n"
    )


def test_an_earlier_result_is_shown_and_compared(tmp_path: Path) -> None:
    """`RUN.v1` is the run before it was run again: its own code, metrics and logs."""
    study = Study(tmp_path / "project")
    log = "import xpc\nprint({})\nxpc.run().log(loss={})\n"
    study.write("train.py", TRAIN + log.format("'first'", 0.5))
    study.xpc("submit train")
    id = study.ids("train")[0]
    was = study.json(f"show {id}")
    study.write("train.py", TRAIN + log.format("'second'", 0.25))
    study.xpc("submit train --where 'seed == 0' --rerun stale")

    said = {"id": f"{id}.v1", "folder": f"runs/train/{id}.v1", "logs": [f"runs/train/{id}.v1/stdout.log"]}
    assert study.json(f"show {id[:7]}.v1") == was | said | {"version": 1}
    assert f"superseded  the run was run again since: runs/train/{id}\n" in study.xpc(f"show {id[:7]}.v1")
    assert (study.xpc(f"logs {id[:7]}.v1"), study.xpc(f"logs {id[:7]}")) == ("first\n", "second\n")
    told = study.json(f"diff {id[:7]}.v1 {id[:7]}")
    assert [told[side]["id"] for side in "ab"] == [f"{id}.v1", id]
    assert (told["metrics"], told["config"]) == ({"loss": {"a": 0.5, "b": 0.25}}, {})
    assert [file["path"] for file in told["code"]] == ["train.py"]
    assert "\n-print('first')\n" in study.xpc(f"diff {id[:7]}.v1 {id[:7]} --code")


def test_packed_runs_come_out_of_their_pack_first(study: Study) -> None:
    """The pack stays as it is; what was set aside does not count there any more."""
    study.xpc("gc --pack --yes")
    home = study.folder / "runs/evaluate"
    id = study.ids("evaluate")[0]
    journals = packs.journals(str(home / id))
    pack = (home / "packs/1.zip").read_bytes()
    assert len(journals) == 1
    assert study.json("submit --where 'seed == 0' --force")["sent"] == 2
    assert (home / f"{id}.v1/run.jsonl").read_bytes() == journals[0]
    assert (home / "packs/1.zip").read_bytes() == pack
    assert packs.find(str(home / id)) is None
    assert (home / id / "run.jsonl").read_bytes() != journals[0]
    study.xpc("gc --pack --yes")
    assert packs.find(str(home / id)) == (str(home / "packs/2.zip"), "done")
    assert study.xpc("submit").startswith("Nothing to run: 4 done.")
    os.unlink(home / "packs/2.zip")
    assert study.json("submit")["sent"] == 1  # the first pack is not asked again
    study.xpc("gc --pack --yes")


@pytest.mark.parametrize("at", ["restore", "note", "rename"])
@pytest.mark.parametrize("packed", [False, True])
def test_cut_between_setting_aside_and_sending(study: Study, at: str, packed: bool) -> None:
    """Each run is done or planned afterwards, with all its results, and the next submit completes the study."""
    if packed:
        study.xpc("gc --pack --yes")
    store = Store(study.folder)
    runs = [(name, id) for name in ("train", "evaluate") for id in store.ids(name)]
    seen: list[str] = []

    class CutError(Exception):
        pass

    def step(name: str) -> None:
        seen.append(name)
        if name == at and seen.count(name) == (1 if at == "note" else 2):
            raise CutError

    if packed or at == "rename":
        with pytest.raises(CutError):
            supersede(store, runs, step)
    store.close()
    kept = sum(len(versions(study.folder, *run)) for run in runs)
    standing = study.json("list")
    assert [each["status"] for each in standing].count("planned") == kept
    assert study.json("submit")["sent"] == kept
    assert {each["status"] for each in study.json("list")} == {"done"}


def test_killed_between_setting_aside_and_sending(study: Study) -> None:
    """For real: a submit that dies right after the renames leaves planned runs, which the next one sends."""
    script = (
        "import os, signal, sys\n"
        "import xpc.runtime.superseded as s\n"
        "import xpc.runtime.schedulers.local as local\n"
        "local.choose = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from xpc.cli.failure import run_guarded\n"
        "run_guarded(['submit', '--force'])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=study.folder, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL
    assert {each["status"] for each in study.json("list")} == {"planned"}
    assert study.json("submit")["sent"] == 4
    assert all(len(versions(study.folder, "train", id)) == 1 for id in study.ids("train"))


def test_nothing_is_put_over_anything(study: Study) -> None:
    """A folder that somebody has made by hand keeps its number."""
    id = study.ids("train")[0]
    (study.folder / f"runs/train/{id}.v1").mkdir()
    (study.folder / f"runs/train/{id}.v7").mkdir()
    study.xpc("submit train --where 'seed == 0' --force")
    assert not any((study.folder / f"runs/train/{id}.v1").iterdir())
    assert (study.folder / f"runs/train/{id}.v8/run.jsonl").exists()


def test_folder_that_may_not_be_renamed(study: Study) -> None:
    """Nothing is sent then; what was set aside before it is planned."""
    script = (
        "import errno, os, sys\n"
        "real = os.rename\n"
        "def rename(old, new):\n"
        "    if str(new).endswith('.v1') and not os.path.exists('first'):\n"
        "        open('first', 'w').close()\n"
        "    elif str(new).endswith('.v1'):\n"
        "        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), old)\n"
        "    real(old, new)\n"
        "os.rename = rename\n"
        "from xpc.cli.failure import run_guarded\n"
        "sys.exit(run_guarded(['submit', '--force']))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=study.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert masked(done.stderr).replace(study.ids("train")[1], "ID") == (
        "error[XS009]: the folder of `train` `ID` can't be set aside: Permission denied\n"
        "help: it is renamed to `runs/train/ID.v1`, for which `runs/train` has to be yours to write to\n"
        "help: nothing was sent; what was set aside before it is sent by the next `xpc submit`\n"
    )
    assert study.json("submit")["sent"] == 1


@contextmanager
def running(study: Study) -> Iterator[subprocess.Popen[bytes]]:
    """Have the children run: until the end they wait for a file."""
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    process = subprocess.Popen(["xpc", "submit", "-j", "2"], cwd=study.folder, env=env, stderr=subprocess.PIPE)
    assert process.stderr is not None
    try:
        while not list(study.folder.glob("runs/evaluate/*/here")):
            assert process.poll() is None
        yield process
    finally:
        (study.folder / "go").touch()
        process.communicate(timeout=60)


def test_run_that_is_read_just_now_is_left_alone_and_named(tmp_path: Path) -> None:
    """Its folder stays where the running child looks for it."""
    study = Study(tmp_path / "project")
    wait = "import os, time\nopen(os.environ['XPC_RUN_DIR'] + '/here', 'w')\n"
    wait += "while not os.path.exists(os.environ['XPC_PROJECT'] + '/go'): time.sleep(0.05)\n"
    study.write("evaluate.py", wait)
    with running(study):
        study.write("train.py", TRAIN + "# better\n")
        text = masked(study.xpc("build --dry-run --rerun stale"))
    assert "left alone: train ID, since evaluate ID comes after it and is under way" in text
    assert "will run again" not in text


def test_done_run_below_a_failed_one_is_left_alone(tmp_path: Path) -> None:
    """It could not be sent, so its result stays where it is."""
    study = Study(tmp_path / "project")
    study.xpc("submit")
    study.write("train.py", "raise SystemExit(3)\n")
    assert run("xpc submit train --where 'seed == 0' --force", study.folder).returncode == 1
    study.write("evaluate.py", EVALUATE + "# better\n")
    done = run("xpc submit --rerun stale", study.folder)
    assert done.returncode == 1
    found = masked(done.stderr).splitlines()
    assert found[0] == "Kept 2 earlier results (`xpc show` names the folders)."
    assert found[1] == "Left alone: evaluate ID, since train ID comes before it and is not done."
    states = [(each["experiment"], each["status"]) for each in study.json("list")]
    assert states == [("train", "failed"), ("train", "failed"), ("evaluate", "done"), ("evaluate", "skipped")]


def test_retry_of_a_done_run_says_what_to_type(study: Study) -> None:
    id = study.ids("train")[0]
    done = run(f"xpc retry {id[:7]}", study.folder)
    assert f"""`xpc submit train --force --where 'run.id == "{id}"'` runs it again""" in done.stderr
    assert run(f"""xpc submit train --force --json --where 'run.id == "{id}"'""", study.folder).returncode == 0
    assert [len(versions(study.folder, "train", each)) for each in study.ids("train")] == [1, 0]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"schema":"xpc.superseded/1","runs":[]}', '{"schema":"xpc.superseded/1","runs":{"a":"x"}}']
)
def test_note_of_packs_that_makes_no_sense_counts_for_nothing(study: Study, text: str) -> None:
    study.xpc("gc --pack --yes")
    (study.folder / "runs/evaluate/packs/superseded.json").write_text(text)
    assert {each["status"] for each in study.json("list evaluate")} == {"done"}


def test_two_records_of_one_run_are_two_results(study: Study) -> None:
    """Attempts are counted anew: what was set aside is no attempt of the new result."""
    study.xpc("submit train --where 'seed == 0' --force")
    id = study.ids("train")[0]
    assert study.json(f"show {id}")["attempt"] == 1
    claims = [json.loads(p.read_text().splitlines()[0]) for p in study.folder.glob(f"runs/train/{id}*/run.jsonl")]
    assert len({claim["nonce"] for claim in claims}) == 2


def test_stale_runs_count_for_a_target_that_bounds_them(study: Study) -> None:
    """Nothing is set aside that its cluster would not take."""
    bounded = "\ntarget small = slurm:\n    max_submit = 3\n"
    study.write("Experimentfile", (study.folder / "Experimentfile").read_text() + bounded)
    assert run("xpc build --dry-run --target small --rerun stale", study.folder).returncode == 0
    study.write("train.py", TRAIN + "# better\n")
    assert run("xpc build --dry-run --target small", study.folder).returncode == 0
    done = run("xpc build --dry-run --target small --rerun stale", study.folder)
    assert (done.returncode, "max_submit" in done.stderr) == (1, True), done.stderr


def test_what_schedulers_said_before_is_about_the_earlier_result(tmp_path: Path) -> None:
    """Of a run that was set aside only what is said later counts, whoever wrote it down."""
    run, other = ("train", "a" * 16), ("train", "b" * 16)
    killed = Kept(1, ("7", 0), "killed", "SIGKILL")
    EvidenceWriter(tmp_path).ended([(run, killed), (other, killed)])
    aside = EvidenceWriter(tmp_path)
    aside.ended([superseded(run, ("7", 0))])
    assert read_evidence(tmp_path).of(run, 1, ("7", 0)) is None
    assert read_evidence(tmp_path).of(run, 0, ("7", 0)) == Kept(0, ("7", 0), "planned", "superseded")
    assert read_evidence(tmp_path).ended[other] == [killed]
    aside.ended([(run, killed)])
    assert read_evidence(tmp_path).of(run, 1, ("7", 0)) == killed


# ------------------------------------------------------------------ `with superseded`


def test_query_with_superseded(tmp_path: Path) -> None:
    """Each earlier result is a row of its own, with its own metrics, series and code; `version` tells them apart."""
    study = Study(tmp_path / "project")
    log = "import xpc\nrun = xpc.run()\nfor step in range(3): run.log(step=step, loss=step + {})\n"
    study.write("train.py", TRAIN + log.format(10))
    study.xpc("submit train")
    study.write("train.py", TRAIN + log.format(20))
    study.xpc("submit train --where 'seed == 0' --force")
    query = "from train show seed, version, status, loss, loss.max, loss.at(0)"
    assert [line.split() for line in study.xpc(f"query '{query}'").splitlines()[1:]] == [
        ["0", "2", "done", "22", "22", "20"],
        ["1", "1", "done", "12", "12", "10"],
    ]
    assert [line.split() for line in study.xpc(f"query '{query} with superseded'").splitlines()[1:]] == [
        ["0", "2", "done", "22", "22", "20"],
        ["1", "1", "done", "12", "12", "10"],
        ["0", "1", "done", "12", "12", "10"],
    ]
    shown = study.xpc("query 'from train where seed == 0 with superseded'").splitlines()
    assert shown[0].split()[:2] == ["version", "status"]
    grouped = study.xpc("query 'from train group by version show count() with superseded'").splitlines()[1:]
    assert [line.split() for line in grouped] == [["2", "1"], ["1", "2"]]


def test_where_an_earlier_result_comes_from(tmp_path: Path) -> None:
    """It stands under its own name beside the present one, in words and as data; a rerun that is not done is told."""
    study = Study(tmp_path / "project")
    study.xpc("submit train")
    (id, *_) = study.ids("train")
    before = study.json(f"show {id}")["snapshot"]
    study.write("train.py", TRAIN + "# again\n")
    study.xpc("submit train --where 'seed == 0' --force")
    now = study.json(f"show {id}")["snapshot"]
    query = "query 'from train where seed == 0 show count() as n with superseded' --explain"

    ((row,),) = (table["rows"] for table in json.loads(study.xpc(f"{query} --format json")))
    assert [(run["id"], run["version"], run["snapshot"]) for run in row["runs"]] == [(id, None, now), (id, 1, before)]
    assert row["cells"]["n"]["used"] == [id, f"{id}.v1"]
    lines = study.xpc(query).splitlines()
    assert [line.split()[0] for line in lines[2:4]] == [id[:7], f"{id[:7]}.v1"]


def test_key_called_version_keeps_its_name(tmp_path: Path) -> None:
    """The field gives way: studies that have such a key go on to mean it."""
    study = Study(
        tmp_path / "project", 'grid g:\n    version in [7]\n\nexperiment train:\n    grid g\n    run "true"\n'
    )
    study.xpc("submit")
    assert study.xpc("query 'from train show version, run.version'").splitlines()[1].split() == ["7", "1"]
