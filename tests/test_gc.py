"""`xpc gc`: what a person names goes, what nobody refers to goes; nothing else, and no cut leaves a half."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import pytest
from hand_build import Experiment, run_id, write_build
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recorded import START, Recorded, claim, end, half_finished, journal
from repository import Repo
from strangers import answer

from xpc.grammar.diagnostic import Diagnostics
from xpc.grammar.parser import parse_expression
from xpc.grammar.source import Source
from xpc.runtime.gc_query import Recorded as Recorded_view
from xpc.runtime.gc_query import asks_for_done, recorded
from xpc.runtime.gc_runs import Choice, choose, remove_runs
from xpc.runtime.gc_trash import Trash
from xpc.runtime.lock import take_lock
from xpc.runtime.shim import packs
from xpc.runtime.states import STATES
from xpc.runtime.store import Store
from xpc.runtime.superseded import supersede

NOW = datetime(2026, 12, 21, 9, 31, tzinfo=UTC)  # 30 days after the runs that `recorded` writes have ended


@pytest.fixture(name="study")
def _study(tmp_path: Path) -> Recorded:
    return half_finished(tmp_path)


def named(store: Store, where: str) -> list[tuple[str, str]]:
    diagnostics = Diagnostics()
    condition = parse_expression(Source("--where", where), diagnostics)
    assert condition is not None
    view = Recorded_view(store)
    found = recorded(condition, view, diagnostics, view.experiments(past=True))
    assert diagnostics.found == []
    assert found is not None
    return found


def chosen(study: Recorded, where: str, **options: float) -> Choice:
    store = study.store()
    return choose(store, named(store, where), now=NOW, **options)  # type: ignore[arg-type]


def everything(folder: Path) -> dict[str, bytes | str]:
    """Give all files and links below a folder, but for the index."""
    found: dict[str, bytes | str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif path.is_file() and not name.startswith(".xpc/index"):
            found[name] = path.read_bytes()
    return found


def typed(folder: Path, words: str) -> tuple[int, str]:
    return answer(folder, *shlex.split(words))


def gc(folder: Path, options: str, status: int = 0) -> str:
    found, said = typed(folder, f"gc {options}")
    assert found == status, said
    return said


# ------------------------------------------------------------------ runs by query


def test_named_runs_go_and_no_others(study: Recorded) -> None:
    """First it says what it would do; then it is done, and queries know nothing of them any more."""
    before = everything(study.folder / "runs")

    assert gc(study.folder, "--where 'status == failed'") == (
        "experiment  runs     size  files  states\n"
        "train          2  1.8 KiB      6  2 failed\n"
        "\n"
        "Nothing was written. The same with `--yes` removes 2 runs.\n"
    )
    assert everything(study.folder / "runs") == before
    assert gc(study.folder, "--where 'status == failed' --yes") == "Removed 2 runs: 1.8 KiB, 6 files.\n"

    gone = {study.tables["train"].id(row) for row in (9, 10)}
    after = {name: data for name, data in before.items() if name.split("/")[1] not in gone}
    assert everything(study.folder / "runs") == after
    assert not (study.folder / ".xpc/trash").exists()
    assert study.ask("from train where status == failed show id").records() == []
    assert gc(study.folder, "--where 'status == failed' --yes") == "Nothing removed: no run may go.\n"


def test_done_runs_go_only_when_they_are_meant(study: Recorded) -> None:
    """A condition that happens to hold for results is not enough; it says so, or `--done` does."""
    assert gc(study.folder, "--where 'seed == 0'") == (
        "experiment  runs   size  files  states\n"
        "train          1  935 B      3  1 failed\n"
        "\n"
        "Named too, and left alone: 3: done (`--done` removes these too).\n"
        "\n"
        "Nothing was written. The same with `--yes` removes 1 run.\n"
    )
    assert len(chosen(study, "seed == 0", done=True).going) == 4


@pytest.mark.parametrize(
    ("where", "meant"),
    [
        ("status == done", True),
        ("run.status == done and seed == 0", True),
        ('"done" == status', True),
        ("seed == 0 or status in [failed, done]", True),
        ("status != done", False),
        ("not (status == done)", False),
        ("status in [failed, killed]", False),
        ("seed == 0", False),
        ("status == failed", False),
    ],
)
def test_what_means_done_runs(where: str, meant: bool) -> None:
    """Only a condition that names the state does."""
    condition = parse_expression(Source("--where", where), Diagnostics())

    assert condition is not None
    assert asks_for_done(condition) is meant


def test_age_counts_from_the_end(study: Recorded) -> None:
    """What has ended more lately than that stays, with a word about it."""
    study.write(9, "failed", time="2026-12-20T09:31:00.000Z")

    assert len(chosen(study, "status == failed", older_than=29 * 86_400.0).going) == 1
    assert chosen(study, "status == failed", older_than=29 * 86_400.0).stays == {"too young": 1}
    assert chosen(study, "status == failed", older_than=31 * 86_400.0).going == []
    assert "too young" in gc(study.folder, "--where 'status == failed' --older-than 90000d")


def test_what_has_not_ended_stays(study: Recorded, tmp_path: Path) -> None:
    """Running runs, those whose records can't be read, and those that a running one comes after."""
    table = study.tables["train"]
    parent = table.id(9)
    study.run(0, "evaluate")
    child = study.tables["evaluate"].id(0)
    lines = [claim("evaluate", child, {}, parents=[parent]), START]
    (study.run(0, "evaluate") / "run.jsonl").write_text(journal(*lines))
    (study.run(11) / "run.jsonl").write_text('{"schema": "xpc.run/9", "event": "claim"}\n')
    found = chosen(study, 'experiment != "none"', done=True)

    assert parent not in {run.id for run in found.going}
    assert {run.state for run in found.going} == {"done", "failed"}
    assert found.stays == {
        "not ended": 2,
        "its record can't be read": 1,
        "a run that has not ended comes after it": 1,
    }


def test_parents_of_queued_runs_stay(tmp_path: Path) -> None:
    """A submit that goes on has not begun the child yet: its build tells who the parents are, however far up."""
    runs = [
        Experiment("a", runs=2),
        Experiment("b", runs=2, after={"a": [[0], [1]]}),
        Experiment("c", runs=2, after={"b": [[0], [1]]}),
    ]
    build = write_build(tmp_path, runs)
    (tmp_path / "Experimentfile").write_text("")
    for name in "ab":
        for n in range(2):
            folder = tmp_path / "runs" / name / run_id(name, n)
            folder.mkdir(parents=True)
            (folder / "run.jsonl").write_text(journal(claim(name, folder.name, {"n": n}), START, end()))
    from xpc.runtime.submissions import SubmissionWriter

    writer = SubmissionWriter(tmp_path, build.name, "local", "local")
    writer.runs("c", [5])  # the second of `c`, whose rows come after four others
    store = Store(tmp_path, {})
    found = choose(store, named(store, "status == done"), done=True)
    writer.close()

    assert store.state("c", run_id("c", 1)) == "queued"
    assert {(run.experiment, run.id) for run in found.going} == {(name, run_id(name, 0)) for name in "ab"}
    assert found.stays == {"a run that has not ended comes after it": 2}


def test_runs_that_the_study_no_longer_has(study: Recorded) -> None:
    """By name, key or metric: what is recorded can be named, whatever the Experimentfile says today."""
    (study.folder / "Experimentfile").write_text("this is no Experimentfile any more\n")

    assert len(chosen(study, 'model.name == "mlp" and status == done', done=True).going) == 5
    assert len(chosen(study, "loss.min < 0.52 and status == done", done=True).going) == 2
    assert len(chosen(study, 'experiment == "train" and started < "2026-11-22" and status == failed').going) == 2
    assert "error[XQ003]: no run has a metric or key `los`" in gc(study.folder, "--where 'los == 1'", status=1)


def test_earlier_results_go_only_by_their_own_word(study: Recorded) -> None:
    """`<id>.v1` is never touched without `--superseded`, and with it nothing else is; a run without a newer result
    keeps it."""
    table = study.tables["train"]
    for row in (0, 1):
        supersede(study.store(), [("train", table.id(row))])
    study.write(0)
    old = [study.folder / "runs/train" / f"{table.id(row)}.v1" for row in (0, 1)]
    gc(study.folder, "--where 'experiment == \"train\"' --done --yes")

    assert [path.exists() for path in old] == [True, True]
    study.write(0)
    assert gc(study.folder, "--where 'experiment == \"train\"' --superseded --yes").startswith(
        "Removed 1 earlier result: "
    )
    assert [path.exists() for path in old] == [False, True]
    assert (study.folder / "runs/train" / table.id(0)).is_dir()


def test_packed_runs_go_too(study: Recorded) -> None:
    """They don't count any more; a pack in which no run counts is removed."""
    table = study.tables["train"]
    assert gc(study.folder, "--pack --yes") == "Packed 10 runs into 1 pack.\n"
    assert gc(study.folder, "--where 'status == failed' --yes") == "Removed 2 runs: 0 B, 0 files.\n"
    assert study.store().state("train", table.id(9)) == "planned"
    assert len(packs.contents(str(study.folder / "runs/train"))) == 8
    study.write(9)
    assert gc(study.folder, "--pack --yes") == "Packed 1 run into 1 pack.\n"
    assert study.store().state("train", table.id(9)) == "done"
    gc(study.folder, "--where 'status == done' --yes")

    assert packs.pack_paths(str(study.folder / "runs/train")) == []
    assert {study.store().state("train", id) for id in table.ids()} == {"planned", "running"}


def test_nobody_is_disturbed_by_a_submit(study: Recorded) -> None:
    """While one goes on, nothing is removed; looking is always allowed."""
    before = everything(study.folder)
    with take_lock(study.folder):  # type: ignore[union-attr]  # nobody else has it
        said = gc(study.folder, "--where 'status == failed' --yes", status=1)
        gc(study.folder, "--where 'status == failed'")

    assert said.startswith("error: a submit is going on")
    assert {name: data for name, data in everything(study.folder).items() if "lock" not in name} == before


@pytest.mark.parametrize(
    "options", ["--yes", "--done", "--superseded --yes", "--pack --older-than 3d", "--older-than 3"]
)
def test_misuse(study: Recorded, options: str) -> None:
    """An option that would do nothing, or more than was said, is refused."""
    assert typed(study.folder, f"gc {options}")[0] == 2


def test_json(study: Recorded) -> None:
    """Machines get every id, and why others stay."""
    found = json.loads(gc(study.folder, "--where 'seed == 0' --json"))
    id = study.tables["train"].id(9)

    assert found == {
        "schema": "xpc.gc/1",
        "done": False,
        "runs": [{"experiment": "train", "id": id, "state": "failed", "bytes": 935, "files": 3}],
        "stay": {"done (`--done` removes these too)": 3},
    }


# ------------------------------------------------------------------ cuts


class Cut(Exception):  # noqa: N818  # it stands for a kill
    pass


def cut_at(number: int) -> Callable[[str], None]:
    steps = iter(range(number))

    def step(_: str) -> None:
        if next(steps, None) is None:
            raise Cut

    return step


@pytest.mark.parametrize("number", range(4))
def test_a_cut_leaves_every_run_whole_or_gone(study: Recorded, number: int) -> None:
    """Between any two steps; the next call finishes what was begun."""
    before = everything(study.folder / "runs")
    store = study.store()
    going = choose(store, named(store, "status == failed")).going
    with pytest.raises(Cut):
        remove_runs(store, going, Trash(study.folder, cut_at(number)))

    left = everything(study.folder / "runs")
    for run in going:
        own = {name for name in before if name.split("/")[1] == run.id}
        assert own & left.keys() in (own, set())
        known = run.id in set(study.store().ids("train"))
        assert known == (own <= left.keys())
    assert {name: data for name, data in before.items() if name in left} == left
    gc(study.folder, "--where 'status == failed' --yes")
    assert not (study.folder / ".xpc/trash").exists()
    assert all(not (study.folder / "runs/train" / run.id).exists() for run in going)


# ------------------------------------------------------------------ links


def test_links_are_never_followed_out(study: Recorded, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What a run's folder links to stays, and so does what an experiment's folder, or a run's, is a link to."""
    outside = tmp_path_factory.mktemp("outside")
    (outside / "precious").write_text("1")
    (study.run(9) / "files").mkdir()
    (study.run(9) / "files/data").symlink_to(outside)
    away = outside / "run"
    shutil.move(study.run(10), away)
    (study.folder / "runs/train" / study.tables["train"].id(10)).symlink_to(away)
    before = everything(outside)
    said = gc(study.folder, "--where 'status == failed' --yes")

    assert "Removed 1 run: " in said
    assert everything(outside) == before
    shutil.move(study.folder / "runs/train", outside / "train")
    (study.folder / "runs/train").symlink_to(outside / "train")
    before = everything(outside)
    assert "reached through a link" in gc(study.folder, "--where 'status == done' --yes")
    assert gc(study.folder, "--pack --yes") == "Nothing to pack.\n"
    assert everything(outside) == before


@pytest.mark.parametrize("place", [".xpc", ".xpc/trash", "runs"])
def test_folders_of_ours_that_are_links(study: Recorded, tmp_path_factory: pytest.TempPathFactory, place: str) -> None:
    """A repository may come with links in their places: nothing is removed where they lead."""
    outside = tmp_path_factory.mktemp("outside") / "there"
    mine = study.folder / place
    if mine.exists():
        shutil.move(mine, outside)
    else:
        outside.mkdir()
    (outside / "precious").mkdir()
    mine.symlink_to(outside)
    before = {n: d for n, d in everything(outside).items() if not n.startswith("index")}
    typed(study.folder, "gc --where 'status == failed' --yes")
    typed(study.folder, "gc --builds --snapshots --pack --yes --older-than 0s")

    assert {n: d for n, d in everything(outside).items() if not n.startswith("index")} == before
    assert (outside / "precious").is_dir()


# ------------------------------------------------------------------ any records, any condition


@given(
    states=st.lists(st.sampled_from([*STATES[3:10], None]), min_size=12, max_size=12),
    where=st.sampled_from(["seed == 0", "status == failed", "status == done", "status != done", "optimizer.lr > 0.05"]),
    done=st.booleans(),
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_else_is_ever_touched(
    tmp_path_factory: pytest.TempPathFactory, states: list[str | None], where: str, done: bool
) -> None:
    """Whatever the records say: only what is named and ended goes, done runs when asked for; all else is as it was."""
    study = Recorded(tmp_path_factory.mktemp("study"))
    for row, state in enumerate(states):
        study.write(row, state)
    store = study.store()
    wanted = {id for _, id in named(store, where)}
    before = everything(study.folder / "runs")
    going = choose(store, named(store, where), done=done).going
    remove_runs(store, going, Trash(study.folder))
    ids = [study.tables["train"].id(row) for row in range(12)]
    gone = {id for id in ids if not (study.folder / "runs/train" / id).exists()}

    assert gone == {
        id
        for id, state in zip(ids, states, strict=True)
        if id in wanted and state is not None and (done or state != "done")
    }
    assert everything(study.folder / "runs") == {n: d for n, d in before.items() if n.split("/")[1] not in gone}


# ------------------------------------------------------------------ builds and snapshots

STUDY = 'grid g:\n    n in [1, 2]\nexperiment train:\n    grid g\n    run "true {n}"\n'


@pytest.fixture(name="repo")
def _repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "project", {"Experimentfile": STUDY, "train.py": "0"})


def built(repo: Repo, text: str, command: str = "build", folder: str = ".") -> str:
    """Change the code, build or submit it; give the snapshot's tree."""
    (repo.path / folder / "train.py").write_text(text)
    assert typed(repo.path / folder, command)[0] == 0
    tree: str = json.loads(typed(repo.path / folder, "build --dry-run --json")[1])["snapshot"]
    return tree


def refs(repo: Repo) -> set[str]:
    return set(repo.git("for-each-ref", "--format=%(refname:lstrip=3)", "refs/xpc/snapshots").split())


def test_builds_that_nothing_refers_to(repo: Repo) -> None:
    """A build of runs, or one made today, stays."""
    built(repo, "1", "submit")
    kept = set(os.listdir(repo.path / ".xpc/builds"))
    built(repo, "2")
    built(repo, "3")

    assert gc(repo.path, "--builds") == "No build is without use.\n"
    assert gc(repo.path, "--builds --older-than 0s").startswith("2 builds that nothing refers to: ")
    assert gc(repo.path, "--builds --older-than 0s --yes").startswith("Removed 2 builds: ")
    assert set(os.listdir(repo.path / ".xpc/builds")) == kept


def test_builds_of_an_unfinished_submit_stay(repo: Repo) -> None:
    """It may have been killed, and its programs live on."""
    from xpc.runtime.submissions import SubmissionWriter

    built(repo, "1")
    (build,) = os.listdir(repo.path / ".xpc/builds")
    SubmissionWriter(repo.path, build, "local", "local").close()
    gc(repo.path, "--builds --snapshots --older-than 0s --yes")

    assert os.listdir(repo.path / ".xpc/builds") == [build]


def test_exports_and_snapshots(repo: Repo) -> None:
    """What a run was made with can be made again: its snapshot stays in git, its export may go."""
    first = built(repo, "1", "submit")
    for text in "234":
        last = built(repo, text)
    gc(repo.path, "--builds --older-than 0s --yes")
    stray = refs(repo)
    said = gc(repo.path, "--snapshots --older-than 0s --yes")

    assert sorted(path.name for path in (repo.path / ".xpc/snapshots").glob("*.json")) == [f"{last}.json"]
    assert not list((repo.path / ".xpc/snapshots").glob(".*-*"))
    assert "Let go of 2 snapshots in git" in said
    assert len(stray) - len(refs(repo)) == 2
    assert {repo.git("rev-parse", f"{commit}^{{tree}}") for commit in refs(repo)} >= {first, last}
    assert typed(repo.path, "submit")[0] == 0


def test_other_projects_of_the_repository_keep_theirs(repo: Repo) -> None:
    """Refs are shared: projects beside, in other work trees, and of branches that are not checked out are asked."""
    repo.write({"lab/Experimentfile": STUDY, "lab/train.py": "0", "gone/Experimentfile": STUDY, "gone/train.py": "0"})
    repo.commit()
    for folder in ("lab", "gone"):
        built(repo, f"of {folder}", "submit", folder)
    repo.git("checkout", "-q", "--force", "main")
    repo.git("rm", "-q", "-r", "gone")
    repo.commit()
    tree = repo.path.parent / "tree"
    repo.git("worktree", "add", "-q", "-b", "side", str(tree))
    (tree / "train.py").write_text("beside")
    assert typed(tree, "submit")[0] == 0
    kept = refs(repo)
    built(repo, "mine")
    shutil.rmtree(repo.path / ".xpc/builds")
    for stamp in (repo.path / ".xpc/snapshots").glob("*.json"):
        stamp.unlink()

    assert "Let go of " in gc(repo.path, "--snapshots --older-than 0s --yes")
    assert kept & refs(repo) >= {
        commit for commit in kept if "Snapshot of" in repo.git("log", "-1", "--format=%s", commit)
    }


def test_records_of_others_that_may_not_be_read(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can say then what they need: no snapshot goes."""
    repo.write({"lab/Experimentfile": STUDY, "lab/train.py": "0"})
    repo.commit()
    built(repo, "1", "submit", "lab")
    built(repo, "2")
    before = refs(repo)

    def refuse(project: Path, *_: object) -> Store:
        raise PermissionError(13, "Permission denied", str(project / "runs"))

    monkeypatch.setattr("xpc.runtime.gc_builds.Store", refuse)

    assert gc(repo.path, "--snapshots --older-than 0s --yes", status=3).startswith("error[XS000]: ")
    assert refs(repo) == before


def test_overview(repo: Repo) -> None:
    """Without a word it says what could be done, and does nothing."""
    built(repo, "1", "submit")
    before = everything(repo.path / "runs")

    table, _, nothing = gc(repo.path, "").partition("\n\n")

    assert [line.split()[:3] for line in table.splitlines()] == [["experiment", "runs", "packs"], ["train", "2", "1"]]
    assert nothing == "Nothing was written. `xpc gc --pack --yes` packs them.\n"
    assert everything(repo.path / "runs") == before


def test_sealed_exports_can_be_removed_by_their_owner(repo: Repo) -> None:
    """They are read-only, folders too; whoever is not root has to open them before they get another parent."""
    built(repo, "1")
    trash = Trash(repo.path)
    (export,) = sorted((repo.path / ".xpc/snapshots").glob("[0-9a-f]*[0-9a-f]"))
    seen = []
    rename = os.rename

    def watched(old: Path, new: Path) -> None:
        seen.append(bool(os.stat(old).st_mode & stat.S_IWUSR))
        rename(old, new)

    with patch("os.rename", watched):
        assert trash.take(export)
    assert seen == [True]
    assert (trash.empty(), trash.refused) == (1, {})
