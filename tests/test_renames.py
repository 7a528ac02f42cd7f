"""`xpc accept --rename`: done runs move to where their new names put them, and every reader sees the new names."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from console import run
from fresh_study import TRAIN, Study, content, masked
from hypothesis import given
from hypothesis import strategies as st

from xpc.runtime.renames import Move, carry_out
from xpc.runtime.shim.renames import renamed_claim, renamed_key
from xpc.runtime.store import Store

TEXT = """\
config base:
    optimizer.lr = 0.1
    optimizer.name = "sgd"
    seed = 0

grid seeds:
    seed in range(2)

experiment train:
    config base
    grid seeds
    code "*.py"
    output model = "model.txt"
    run "python3 train.py {seed} {output.model}"

experiment evaluate:
    after train
    code "*.py"
    run "python3 evaluate.py {train.model}"

experiment gather:
    after all evaluate
    run "wc -l {evaluate.runs}"
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = Study(tmp_path_factory.mktemp("done") / "project", TEXT)
    study.xpc("submit")
    return study.folder


@pytest.fixture
def study(done: Path, tmp_path: Path) -> Study:
    shutil.copytree(done, tmp_path / "project", symlinks=True)
    return Study.opened(tmp_path / "project")


def rename_both(study: Study) -> str:
    study.edit("optimizer.", "opt.")
    for old, new in (
        ("experiment train", "experiment pretrain"),
        ("after train", "after pretrain"),
        ("{train.", "{pretrain."),
    ):
        study.edit(old, new)
    return "accept --rename optimizer=opt --rename train=pretrain"


def states(study: Study) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for each in study.json("list"):
        found.setdefault(each["experiment"], set()).add(each["status"])
    return found


ALL_DONE = {"pretrain": {"done"}, "evaluate": {"done"}, "gather": {"done"}}


def test_rename_of_experiment_and_keys(study: Study) -> None:
    """Whole outputs. What comes after a renamed run moves along, and nothing is run again."""
    command = rename_both(study)
    assert states(study) == {"pretrain": {"planned"}, "evaluate": {"planned"}, "gather": {"planned"}}
    before = content(study.folder / "runs")
    assert study.xpc(command) == (
        "to move: 2 runs of train to pretrain\n"
        "to move: 2 runs of evaluate, which have new ids\n"
        "to move: 1 run of gather, which have new ids\n"
        "\n"
        "Nothing was written. `--yes` moves them, and accepts what is stale for the new names alone.\n"
    )
    assert content(study.folder / "runs") == before
    text = study.xpc(f"{command} --yes")
    assert text.startswith(
        "moved: 2 runs of train to pretrain\n"
        "moved: 2 runs of evaluate, which have new ids\n"
        "moved: 1 run of gather, which have new ids\n"
    )
    assert "accepted: 2 runs of evaluate: command changed\n" in text
    assert states(study) == ALL_DONE
    assert {why for each in study.why().values() for why in each} == {None}
    assert study.xpc("submit").startswith("Nothing to run: 5 done.")
    assert not (study.folder / "runs/train").exists()
    after = content(study.folder / "runs")
    told = [name for name in after if name.endswith("renamed.jsonl")]
    assert len(told) == 5
    assert sorted(after[name] for name in after if name not in told) == sorted(before.values())
    assert study.xpc(f"{command} --yes").startswith("Nothing to move: no run has ended under that name.")


def test_change_of_the_code_is_not_accepted_on_the_way(study: Study) -> None:
    """Of what is stale for more than its new names a person decides; and of what was never moved."""
    study.write("train.py", TRAIN + "# better\n")
    command = rename_both(study)
    text = masked(study.xpc(f"{command} --yes"))
    assert "stale: 2 runs of pretrain: train.py changed (OLD → NEW)\n" in text
    assert text.endswith("\n`xpc accept` keeps what is stale for more than the new names.\n")
    assert None not in study.why("pretrain")["pretrain"]
    study.xpc("accept --yes")
    study.write("train.py", TRAIN + "# better still\n")
    study.edit("evaluate.py {", "evaluate.py -- {")
    study.xpc(f"{command} --yes")
    assert {why for of in study.why().values() for why in of if why is None} == set()


def test_every_reader_sees_the_new_names(study: Study) -> None:
    study.xpc(f"{rename_both(study)} --yes")
    assert study.xpc("query 'from evaluate show opt.lr, pretrain.opt.name, seed'").splitlines()[1].split() == [
        "0.1",
        "sgd",
        "0",
    ]
    id, parent = study.ids("evaluate")[0], study.ids("pretrain")[0]
    shown = study.json(f"show {id}")
    assert shown["config"] == {"opt.lr": 0.1, "opt.name": "sgd", "seed": 0}
    assert shown["parents"] == [parent]
    (moved,) = shown["renamed"]
    assert moved["keys"] == {"optimizer": "opt"}
    assert masked(study.xpc(f"show {id}")).count("renamed   from evaluate ID by ") == 1
    # A reader that knows nothing of today's study sees them, too.
    assert set(Store(study.folder).claimed("evaluate")[id]) == {"opt.lr", "opt.name", "seed"}


def test_child_that_is_run_reads_the_new_names_of_renamed_parents(study: Study) -> None:
    """What the shim tells it of them: ids, values, paths."""
    study.xpc(f"{rename_both(study)} --yes")
    study.edit("wc -l {evaluate.runs}", "cat {evaluate.runs}")
    study.xpc("submit --rerun stale")
    lines = [json.loads(line) for line in study.xpc(f"logs {study.ids('gather')[0]}").splitlines() if "{" in line]
    assert [line["id"] for line in lines] == study.ids("evaluate")
    assert lines[0]["values"] == {"opt.lr": 0.1, "opt.name": "sgd", "seed": 0}


def test_packed_runs_and_earlier_results_move_along(study: Study) -> None:
    old = study.ids("evaluate")[0]
    study.xpc("submit evaluate --where 'seed == 0' --force")
    study.xpc("gc --pack --yes")
    assert not list(study.folder.glob(f"runs/evaluate/{old}"))
    study.xpc(f"{rename_both(study)} --yes")
    assert {each for of in states(study).values() for each in of} == {"done"}
    new = study.ids("evaluate")[0]
    assert [each["folder"] for each in study.json(f"show {new}")["earlier"]] == [f"runs/evaluate/{new}.v1"]
    study.xpc("gc --pack --yes")
    assert study.json(f"show {new}")["config"] == {"opt.lr": 0.1, "opt.name": "sgd", "seed": 0}
    assert study.json(f"show {new}")["packed"] is True
    assert study.xpc("list --rescan").count("done") == 5
    assert run(f"xpc show {old}", study.folder).returncode == 1


def test_retry_goes_where_the_run_was_sent_under_its_old_name(tmp_path: Path) -> None:
    """However often it was renamed; what was sent since under the new name counts more."""
    targets = "".join(f'target {name} = local:\n    setup "true"\n\n' for name in ("here", "there"))
    study = Study(tmp_path / "project", targets + TEXT.replace("    code", "    retries 0\n    code"))
    study.write("train.py", "raise SystemExit('no luck')\n")

    def retried(*words: str) -> str:
        study.xpc(" ".join(["retry", *words]), status=1)
        newest = max((study.folder / ".xpc/submissions").glob("*.jsonl"), key=lambda path: path.name)
        return str(json.loads(newest.read_text().splitlines()[0])["target"])

    study.xpc("submit train --target there", status=1)
    assert states(study)["train"] == {"failed"}
    study.edit("experiment train", "experiment pretrain")
    study.edit("after train", "after pretrain")
    study.edit("{train.model}", "{pretrain.model}")
    study.xpc("accept --rename train=pretrain --yes")
    study.edit("optimizer", "opt")
    study.xpc("accept --rename optimizer=opt --yes")
    assert retried() == "there"
    assert retried(study.ids("pretrain")[0]) == "there"
    study.xpc("retry --target here", status=1)
    assert retried() == "here"


def test_renamed_twice_and_back(study: Study) -> None:
    """Each line leads one step; the claim is never touched."""
    first = study.ids("train")
    study.edit("optimizer.", "opt.")
    study.xpc("accept --rename optimizer=opt --yes")
    study.edit("opt.lr", "opt.rate")
    study.xpc("accept --rename opt.lr=opt.rate --yes")
    assert study.json(f"show {study.ids('train')[0]}")["config"] == {"opt.rate": 0.1, "opt.name": "sgd", "seed": 0}
    study.edit("opt.rate", "optimizer.lr")
    study.edit("opt.name", "optimizer.name")
    study.xpc("accept --rename opt.rate=optimizer.lr --rename opt.name=optimizer.name --yes")
    assert study.ids("train") == first
    assert study.json(f"show {first[0]}")["config"] == {"optimizer.lr": 0.1, "optimizer.name": "sgd", "seed": 0}
    assert states(study) == {"train": {"done"}, "evaluate": {"done"}, "gather": {"done"}}


@pytest.mark.parametrize("at", ["tell", "move"])
@pytest.mark.parametrize("nth", [1, 2, 4])
def test_cut_in_the_middle(study: Study, at: str, nth: int) -> None:
    """Each run is readable in one of its two places, and the same command again goes on."""
    command = rename_both(study)
    moves = [
        Move(
            (each["from"]["experiment"], each["from"]["run"]),
            (each["to"]["experiment"], each["to"]["run"]),
            {"optimizer": "opt"},
            {},
        )
        for each in study.json(command)["moved"]
    ]
    seen: list[str] = []

    class CutError(Exception):
        pass

    def step(name: str) -> None:
        seen.append(name)
        if name == at and seen.count(name) == nth:
            raise CutError

    with pytest.raises(CutError):
        carry_out(Store(study.folder), moves, step)
    store = Store(study.folder)
    known = [store.whole_record(name, id) for name in store.experiments() for id in store.ids(name)]
    assert len(known) == 5
    assert all(record is not None and record.broken is None and record.ended for record in known)
    study.xpc(f"{command} --yes")
    assert states(study) == ALL_DONE
    assert {why for each in study.why().values() for why in each} == {None}


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (
            "--rename train=pretrian",
            1,
            "error: neither an experiment nor a key is called `pretrian`\nhelp: did you mean",
        ),
        ("--rename evaluate=pretrain", 1, "error: `--rename evaluate=pretrain`: the study still has `evaluate`\n"),
        ("--rename train", 2, "--rename takes OLD=NEW, and `train` is not of that form."),
        ("--rename =x", 2, "--rename takes OLD=NEW"),
        ("--rename train=pretrain evaluate", 2, "leave out the experiments"),
        ("--rename 1=pretrain", 1, "error[XP"),
    ],
)
def test_mistakes(study: Study, options: str, status: int, said: str) -> None:
    rename_both(study)
    done = run(f"xpc accept {options}", study.folder)
    assert (done.returncode, said in done.stderr) == (status, True), done.stderr


@pytest.mark.parametrize("what", ["folder", "file"])
def test_links_are_not_followed(study: Study, tmp_path: Path, what: str) -> None:
    """Whatever a link in a run's folder leads to is not written to."""
    outside = tmp_path / "outside"
    folder = study.folder / "runs/train" / study.ids("train")[0]
    if what == "folder":
        folder.rename(outside)
        folder.symlink_to(outside)
    else:
        outside.mkdir()
        (folder / "renamed.jsonl").symlink_to(outside / "x")
    before = content(outside)
    done = run(f"xpc {rename_both(study)} --yes", study.folder)
    assert done.returncode == 1
    assert masked(done.stderr).startswith("error: the folder of train ID can't be moved: ")
    assert content(outside) == before


def test_run_that_is_under_way_stops_the_command(tmp_path: Path) -> None:
    """Nothing is moved then; told are the runs."""
    study = Study(tmp_path / "project", TEXT)
    wait = "import os, time\nopen(os.environ['XPC_RUN_DIR'] + '/here', 'w')\n"
    wait += "while not os.path.exists(os.environ['XPC_PROJECT'] + '/go'): time.sleep(0.05)\n"
    study.write("evaluate.py", wait)
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    process = subprocess.Popen(["xpc", "submit", "-j", "2"], cwd=study.folder, env=env, stderr=subprocess.DEVNULL)
    try:
        while len(list(study.folder.glob("runs/evaluate/*/here"))) < 2:
            assert process.poll() is None
        command = rename_both(study)
        before = sorted(path.name for path in study.folder.glob("runs/*/*"))
        done = run(f"xpc {command}", study.folder)
        held = run(f"xpc {command} --yes", study.folder)
        after = sorted(path.name for path in study.folder.glob("runs/*/*"))
    finally:
        (study.folder / "go").touch()
        process.communicate(timeout=60)
    assert done.returncode == 1
    assert masked(done.stderr) == (
        "error: evaluate ID is running\n"
        "error: evaluate ID is running\n"
        "error: gather ID is queued\n"
        "help: rename when they have ended, or `xpc cancel` them; nothing was moved\n"
    )
    assert (held.returncode, "a submit is going on" in held.stderr) == (1, True)
    assert after == before
    study.xpc(f"{command} --yes")


def test_run_that_is_there_already_is_left_alone(study: Study) -> None:
    command = rename_both(study)
    study.xpc("submit pretrain --where 'seed == 0' --new")
    text = masked(study.xpc(command))
    assert "to move: 1 run of train to pretrain\n" in text
    assert "left alone: train ID, since pretrain ID has run already\n" in text


# ------------------------------------------------------------------ the claim in today's names


CLAIM: dict[str, Any] = {
    "run": "a" * 16,
    "experiment": "train",
    "values": {"x.y": 1, "x": 2, "xy": 3},
    "parents": ["p"],
}


def line(before: str, after: str, **more: object) -> str:
    ends = {"from": {"experiment": "train", "run": before}, "to": {"experiment": "train", "run": after}}
    return json.dumps({"schema": "xpc.renamed/1", "event": "rename", **ends, "keys": {}, "parents": {}, **more}) + "\n"


def folder_with(tmp_path: Path, run: str, text: str) -> str:
    folder = tmp_path / "runs" / "train" / run
    folder.mkdir(parents=True)
    (folder / "renamed.jsonl").write_text(text)
    return str(folder)


def test_line_that_leads_elsewhere_counts_for_nothing(tmp_path: Path) -> None:
    """A rename that was begun and given up for another one leaves a line that no folder follows."""
    lines = line("a" * 16, "b" * 16, keys={"xy": "never"}) + line(
        "a" * 16, "c" * 16, keys={"x": "z"}, parents={"p": "q"}
    )
    found = renamed_claim(CLAIM, folder_with(tmp_path, "c" * 16, lines))
    assert found["values"] == {"z.y": 1, "z": 2, "xy": 3}
    assert (found["run"], found["parents"]) == ("c" * 16, ["q"])
    assert renamed_claim(CLAIM, folder_with(tmp_path, "d" * 16, lines)) == CLAIM


@given(st.binary(max_size=200))
def test_any_bytes_in_the_file(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.mktemp("f") / "runs" / "train" / ("c" * 16)
    folder.mkdir(parents=True)
    (folder / "renamed.jsonl").write_bytes(data)
    assert renamed_claim(CLAIM, str(folder)) == CLAIM


@pytest.mark.parametrize(
    ("key", "new"), [("a.b.c", "z.c"), ("a.b", "z"), ("a.bc", "y.bc"), ("a", "y"), ("b", "b"), ("ab", "ab")]
)
def test_longest_name_counts(key: str, new: str) -> None:
    assert renamed_key(key, {"a": "y", "a.b": "z"}) == new
