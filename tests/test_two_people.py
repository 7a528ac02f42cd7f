"""Two Unix accounts in one group's folder: rights hold, nothing is counted wrong, nothing runs twice.

Root only, since it makes the accounts `xpc-ann` and `xpc-ben` of the group `xpc-lab`.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from people import ANN, BEN, GROUP, MADE_BY, Lab, possible, programs

pytestmark = [pytest.mark.skipif(not possible(), reason=MADE_BY), pytest.mark.xdist_group("people")]

STUDY = """
grid points:
    n in range(3)

experiment train:
    grid points
    run "sh train.sh {n}"
    output model = "model.txt"
    metric loss minimize from stdout matching "loss=([0-9.]+)"

experiment check:
    after train
    run "sh check.sh {train.model}"

report losses:
    from train
    show n, loss
    sort by n
"""
TRAIN = "echo loss=$1; echo $1 > model.txt\n"
# Runs fail for whoever has no file `good` at home: the code is the same for both.
CHECK = 'test -e "$HOME/good" || { echo "not good" >&2; exit 3; }\n'
FILES = {"Experimentfile": STUDY, "train.sh": TRAIN, "check.sh": CHECK}
CURE = """help: xpc-ann types `chmod -R g+rwX .xpc runs`, and has `umask 002` from then on
help: docs/groups.md tells how several people share a project
"""

MakeLab = Callable[..., Lab]


@pytest.fixture(name="make_lab")
def _make_lab() -> Iterator[MakeLab]:
    made: list[Path] = []

    def make(files: dict[str, str] = FILES, **options: Any) -> Lab:
        above = Path(tempfile.mkdtemp(prefix="xpc-people-", dir="/var/tmp"))
        above.chmod(0o755)
        made.append(above)
        return Lab(above, files, **options)

    yield make
    for above in made:
        shutil.rmtree(above, ignore_errors=True)


@pytest.fixture(name="lab")
def _lab(make_lab: MakeLab) -> Lab:
    return make_lab()


def states(lab: Lab, user: str) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = json.loads(lab.xpc(user, "status", "--json").stdout)["experiments"]
    return found


def runs(lab: Lab, experiment: str) -> list[str]:
    folder = lab.folder / "runs" / experiment
    return sorted(path.name for path in folder.iterdir() if len(path.name) == 16)


def close(lab: Lab, path: str, mode: str, user: str = ANN) -> None:
    """Let the owner change a mode, as in a project where somebody forgot what the others need."""
    lab.run(user, "chmod", mode, str(lab.folder / path))


def attempts(lab: Lab) -> int:
    return len(list((lab.folder / "runs").glob("*/*/run*.jsonl")))


# ------------------------------------------------------------------ a folder that is set up as the manual says


def test_both_work_in_one_folder(lab: Lab) -> None:
    """What one builds, submits, retries, packs and reports, the other sees and goes on from; each by own account."""
    for user in (ANN, BEN):
        assert lab.xpc(user, "check").stdout == "Experimentfile: 2 experiments, 6 runs. No problems.\n"
    lab.xpc(ANN, "build")
    assert lab.xpc(ANN, "submit", check=False).returncode == 1  # ann has no file `good`
    assert states(lab, ANN) == states(lab, BEN) == {"train": {"done": 3}, "check": {"failed": 3}}
    assert lab.xpc(BEN, "report").stdout == lab.xpc(ANN, "report").stdout == "n  loss\n0     0\n1     1\n2     2\n"

    lab.run(BEN, "touch", f"{lab.environ(BEN)['HOME']}/good")
    lab.write({"Experimentfile": STUDY.replace("range(3)", "range(4)")}, BEN)
    lab.xpc(BEN, "retry")
    lab.xpc(BEN, "submit")
    assert states(lab, ANN) == states(lab, BEN) == {"train": {"done": 4}, "check": {"done": 4}}
    who = json.loads(lab.xpc(ANN, "query", "from train, check show experiment, n, user", "--format", "json").stdout)
    assert {(row["experiment"], row["n"]): row["user"] for row in who} == {
        **{("train", n): ANN if n < 3 else BEN for n in range(4)},
        **{("check", n): BEN for n in range(4)},
    }

    run = runs(lab, "check")[0]
    for user in (ANN, BEN):
        assert "model.txt" in lab.xpc(user, "show", runs(lab, "train")[0]).stdout
        lab.xpc(user, "logs", run)
        assert lab.xpc(user, "wait").stdout == "8 runs: 8 done.\n"
        assert "Nothing to cancel." in lab.xpc(user, "cancel", "--all").stdout
    lab.xpc(ANN, "view", "by-n", "--by", "n")
    lab.xpc(BEN, "view", "by-n", "--by", "n", "train")
    assert lab.xpc(BEN, "gc", "--pack", "--yes").stdout == "Packed 4 runs into 1 pack.\n"
    assert states(lab, ANN) == states(lab, BEN) == {"train": {"done": 4}, "check": {"done": 4}}
    assert "not good" not in lab.xpc(ANN, "show", run).stdout


def test_all_that_is_made_is_the_groups(lab: Lab) -> None:
    """Below the setgid folder everything has its group; folders hand the bit on, the group may write but to code."""
    lab.xpc(ANN, "submit", check=False)
    lab.xpc(BEN, "submit", check=False)
    group = lab.folder.stat().st_gid

    for path in (lab.folder / ".xpc").rglob("*"):
        found = path.lstat()
        if path.name.startswith("index.sqlite"):
            assert stat.S_IMODE(found.st_mode) == 0o600
            continue
        assert found.st_gid == group, path
        if path.is_symlink() or "snapshots" in path.parts:
            continue
        assert found.st_mode & stat.S_IWGRP, path
        assert not path.is_dir() or found.st_mode & stat.S_ISGID, path
    for path in (lab.folder / "runs").rglob("*"):
        assert path.lstat().st_gid == group, path
        assert path.is_symlink() or path.stat().st_mode & stat.S_IWGRP, path


def test_a_snapshot_of_the_other_is_used(lab: Lab) -> None:
    """The export of a tree that another user has made serves both, also under another commit."""
    lab.xpc(ANN, "submit", "train")
    (made,) = (lab.folder / ".xpc/snapshots").glob("*.json")
    lab.git("commit", "-q", "--allow-empty", "-m", "Again", user=BEN)
    lab.xpc(BEN, "build")
    lab.write({"Experimentfile": STUDY.replace("range(3)", "range(5)")}, BEN)
    assert "2 done" in lab.xpc(BEN, "submit", "train").stderr
    assert made.exists()
    assert states(lab, ANN)["train"] == {"done": 5}


@pytest.mark.parametrize("suffix", ["", ".json", ".git", ".links"])
def test_a_closed_snapshot_is_named_and_left_alone(lab: Lab, suffix: str) -> None:
    """An export that the other may not read is no reason to make another one in its place."""
    lab.xpc(ANN, "submit", "train")
    (made,) = (lab.folder / ".xpc/snapshots").glob("*.json")
    name, before = f".xpc/snapshots/{made.stem}{suffix}", sorted(made.parent.iterdir())
    close(lab, name, "go-rwx")
    refused = lab.xpc(BEN, "submit", check=False)
    assert refused.returncode == 3
    assert f"`{name}`, which is xpc-ann's (" in refused.stderr
    assert "help: xpc-ann types `chmod -R g+rX .xpc/snapshots`" in refused.stderr
    assert sorted(made.parent.iterdir()) == before

    lab.run(ANN, "chmod", "-R", "g+rwX", ".xpc/snapshots")  # more than is needed
    lab.run(BEN, "touch", f"{lab.environ(BEN)['HOME']}/good")
    lab.xpc(BEN, "submit")
    lab.xpc(ANN, "build")
    assert not made.with_suffix("").stat().st_mode & 0o222  # sealed again by its owner


def test_a_snapshot_that_was_cut_is_made_anew_by_the_other(lab: Lab) -> None:
    """What another user's cut build has left, sealed already, is moved out of the way."""
    lab.xpc(ANN, "submit", "train")
    (made,) = (lab.folder / ".xpc/snapshots").glob("*.json")
    made.unlink()
    lab.xpc(BEN, "submit", "train")
    assert made.owner() == BEN
    lab.xpc(ANN, "build")
    assert not [path.name for path in made.parent.iterdir() if ".old" in path.name]


def test_old_snapshots_of_the_other_stay(lab: Lab) -> None:
    """A build drops old exports that no run needs, but for those that another user has made and sealed."""
    for number in range(5):
        lab.write({"train.sh": f"{TRAIN}# {number}\n"}, ANN if number < 2 else BEN)
        lab.xpc(ANN if number < 2 else BEN, "build")
    for number in range(5, 9):
        lab.write({"train.sh": f"{TRAIN}# {number}\n"}, BEN)
        lab.xpc(BEN, "build")

    owners = [path.owner() for path in (lab.folder / ".xpc/snapshots").glob("[0-9a-f]*.json")]
    assert owners.count(ANN) == 2
    assert owners.count(BEN) <= 4


# ------------------------------------------------------------------ git


def test_git_does_not_trust_another_users_folder(make_lab: MakeLab) -> None:
    """Without safe.directory the refusal names the folder and the cure, which cures it; looking needs none of that."""
    lab = make_lab(trusted=False)
    lab.xpc(BEN, "check")
    lab.xpc(BEN, "status")
    refused = lab.xpc(BEN, "build", check=False)
    assert refused.returncode == 1
    assert refused.stderr == (
        f"error[XP122]: the repository `{lab.folder}` belongs to another user, and git refuses it\n"
        f"help: if you trust it: `git config --global --add safe.directory {lab.folder}`\n"
        "\n1 error. Nothing was written.\n"
    )

    lab.trust(BEN)
    lab.xpc(BEN, "build")


def test_repository_that_is_not_shared(make_lab: MakeLab) -> None:
    """Where the group may not add objects, the refusal says what the owner types, and that cures it."""
    lab = make_lab()
    lab.git("config", "--unset", "core.sharedRepository")
    lab.run(ANN, "chmod", "-R", "g-w", ".git")
    lab.write({"train.sh": TRAIN + "# by ben\n"}, BEN)
    refused = lab.xpc(BEN, "build", check=False)
    assert refused.returncode == 1
    assert refused.stderr == (
        "error[XP122]: git may not write into this repository: insufficient permission for adding an object to"
        " repository database .git/objects\n"
        "help: whoever owns it types `git config core.sharedRepository group` and `chmod -R g+rwX .git`\n"
        "help: docs/groups.md tells how several people share a project\n"
        "\n1 error. Nothing was written.\n"
    )

    lab.git("config", "core.sharedRepository", "group")
    lab.run(ANN, "chmod", "-R", "g+rwX", ".git")
    lab.xpc(BEN, "build")


# ------------------------------------------------------------------ closed files


@pytest.mark.parametrize("umask", [0o022, 0o027])
def test_who_may_only_read(lab: Lab, umask: int) -> None:
    """Where the group may read and not write, everything can be asked, and nothing is begun."""
    lab.umask[ANN] = umask
    lab.xpc(ANN, "submit", check=False)
    counts = {"train": {"done": 3}, "check": {"failed": 3}}
    assert states(lab, BEN) == counts
    assert lab.xpc(BEN, "report").stdout == "n  loss\n0     0\n1     1\n2     2\n"
    for command in (["list"], ["gc"], ["show", runs(lab, "train")[0]], ["logs", runs(lab, "train")[0]]):
        lab.xpc(BEN, *command)

    before = attempts(lab)
    for command in (["build"], ["submit"], ["retry"], ["gc", "--pack", "--yes"]):
        refused = lab.xpc(BEN, *command, check=False)
        assert refused.returncode == 3
        assert refused.stderr.startswith("error[XS008]: you may not make anything in `.xpc")
        assert refused.stderr.endswith(f", group {GROUP})\n{CURE}")
    assert attempts(lab) == before
    assert states(lab, ANN) == states(lab, BEN) == counts

    lab.run(ANN, "chmod", "-R", "g+rwX", ".xpc", "runs")
    assert lab.xpc(BEN, "retry", check=False).returncode == 1  # ben's fail, too
    assert attempts(lab) == before + 3


def test_who_may_not_look(lab: Lab) -> None:
    """Where one keeps everything closed, each command of the other ends with who can open it; nothing is `planned`."""
    lab.umask[ANN] = 0o077
    lab.xpc(ANN, "submit", check=False)
    run = runs(lab, "train")[0]
    for command in (
        ["build"],
        ["submit"],
        ["status"],
        ["query", "show status"],
        ["report"],
        ["list"],
        ["retry"],
        ["wait"],
        ["show", run],
        ["logs", run],
        ["gc"],
        ["gc", "--pack", "--yes"],
        ["cancel", "--all"],
        ["view", "by-n", "--by", "n"],
    ):
        refused = lab.xpc(BEN, *command, check=False)
        assert refused.returncode == 3, command
        assert refused.stdout == ""
        assert refused.stderr == (
            f"error[XS008]: you may not look into `.xpc`, which is xpc-ann's (drwx--S---, group {GROUP})\n{CURE}"
        )


def test_a_closed_record_is_broken_and_not_planned(lab: Lab) -> None:
    """A run whose journal or folder the other may not read is not run again; status says whose it is."""
    lab.xpc(ANN, "submit", "train")
    first, second, _ = runs(lab, "train")
    close(lab, f"runs/train/{first}/run.jsonl", "0600")
    close(lab, f"runs/train/{second}", "0700")

    assert states(lab, BEN)["train"] == {"done": 1, "broken": 2}
    said = lab.xpc(BEN, "status", "train").stdout
    assert (
        f"1 broken: its journal can't be read: it is xpc-ann's (-rw-------, group {GROUP}), "
        "who can `chmod -R g+rwX .xpc runs`\n"
    ) in said
    assert f"its folder is xpc-ann's (drwx--S---, group {GROUP})" in said
    told = lab.xpc(BEN, "submit", "train", check=False)
    assert told.stderr == "Nothing to run: 1 done, 2 with records that can't be read (`xpc status` names them).\n"
    assert "2 broken" in lab.xpc(BEN, "query", "from train show n, loss, status").stdout

    lab.run(ANN, "chmod", "-R", "g+rwX", "runs")
    assert states(lab, BEN)["train"] == {"done": 3}


CLOSED = [
    ("runs", "0700", ["status", "submit", "report"]),
    (".xpc/submissions", "0700", ["status", "report", "cancel --all"]),
    (".xpc/submissions/*", "0600", ["status", "submit"]),
    (".xpc/builds/[0-9a-f]*", "0700", ["submit train", "report"]),
    (".xpc/builds/[0-9a-f]*/plan.json", "0600", ["submit train", "report"]),
    ("runs/train/????????????????/stdout.log", "0600", ["report"]),
    ("Experimentfile", "0600", ["status", "submit", "check"]),
]
CLOSED_PACKS = [
    ("runs/check/packs", "0700", ["status", "submit"]),
    ("runs/check/packs/1.zip", "0600", ["status", "submit"]),
]


@pytest.mark.parametrize("closed", [CLOSED, CLOSED_PACKS], ids=["files", "packs"])
def test_what_is_closed_is_named(lab: Lab, closed: list[tuple[str, str, list[str]]]) -> None:
    """Without it nothing can be counted right: the command ends, and says which file it is, and whose."""
    lab.run(ANN, "touch", f"{lab.environ(ANN)['HOME']}/good")
    lab.xpc(ANN, "submit", "train")
    if closed is CLOSED_PACKS:
        lab.xpc(ANN, "submit", "check")
        lab.xpc(ANN, "gc", "--pack", "--yes")
    before = attempts(lab)

    for path, mode, commands in closed:
        place = min(lab.folder.glob(path))
        name, old = str(place.relative_to(lab.folder)), stat.S_IMODE(place.stat().st_mode)
        close(lab, name, mode)
        for command in commands:
            refused = lab.xpc(BEN, *command.split(), check=False)
            assert refused.returncode == 3, (path, command, refused.stdout, refused.stderr)
            assert f"`{name}`, which is xpc-ann's (" in refused.stderr, (path, command)
            assert refused.stderr.startswith("error[XS008]: you may not "), (path, command)
        close(lab, name, f"{old:o}")
    assert attempts(lab) == before


def test_what_was_closed_is_read_once_it_is_open(lab: Lab) -> None:
    """A number that could not be read is not remembered as none."""
    lab.xpc(ANN, "submit", "train")
    run = runs(lab, "train")[0]
    close(lab, f"runs/train/{run}/stdout.log", "0600")
    assert lab.xpc(BEN, "report", check=False).returncode == 3
    close(lab, f"runs/train/{run}/stdout.log", "0664")

    assert lab.xpc(BEN, "report").stdout == "n  loss\n0     0\n1     1\n2     2\n"


def test_a_run_that_can_not_be_written_is_refused_first(lab: Lab) -> None:
    """Where one of the folders is closed, nothing is begun: not even what could be."""
    lab.xpc(ANN, "submit", check=False)
    run = runs(lab, "check")[1]
    close(lab, f"runs/check/{run}", "2755")
    before = attempts(lab)
    refused = lab.xpc(BEN, "retry", check=False)
    assert refused.returncode == 3
    assert refused.stderr == (
        f"error[XS008]: you may not make anything in `runs/check/{run}`, which is xpc-ann's (drwxr-sr-x, group"
        f" {GROUP})\n{CURE}"
    )
    close(lab, "runs/train", "2755")
    lab.write({"Experimentfile": STUDY.replace("range(3)", "range(4)")}, BEN)
    assert "make anything in `runs/train`" in lab.xpc(BEN, "submit", "train", check=False).stderr
    assert attempts(lab) == before


def test_a_closed_log_of_events_hides_no_attempt(lab: Lab) -> None:
    """The log of events is a hint: where one keeps it closed, later attempts are seen by the other all the same."""
    lab.xpc(ANN, "submit", check=False)
    assert states(lab, BEN)["check"] == {"failed": 3}
    for path in (lab.folder / ".xpc/events").iterdir():
        close(lab, str(path.relative_to(lab.folder)), "0600")
    lab.run(ANN, "touch", f"{lab.environ(ANN)['HOME']}/good")
    lab.xpc(ANN, "retry")
    assert states(lab, BEN)["check"] == {"done": 3}

    lab.write({"check.sh": CHECK + "# changed\n"}, BEN)
    lab.xpc(BEN, "submit", check=False)
    assert states(lab, ANN) == states(lab, BEN)


def test_room_is_made_of_what_the_other_has_run(lab: Lab) -> None:
    """Where the group may write, one removes runs of the other's, whole."""
    lab.xpc(ANN, "submit", check=False)
    removed = lab.xpc(BEN, "gc", "--where", "status == failed", "--yes")
    assert "3 runs" in removed.stdout
    assert states(lab, ANN) == states(lab, BEN) == {"train": {"done": 3}, "check": {"planned": 3}}
    assert not list((lab.folder / ".xpc").glob("trash/*"))


# ------------------------------------------------------------------ what is one's own


def test_a_folder_for_secrets_that_another_has_put_there(lab: Lab) -> None:
    """Secrets are only written into a folder of one's own, and only one's own file is read."""
    uid = lab.run(ANN, "id", "-u").stdout.strip()
    lab.xpc(ANN, "build")
    lab.run(BEN, "mkdir", "-p", f".xpc/secrets/{uid}")
    code = "from pathlib import Path; from xpc.runtime.schedulers.cluster_secrets import _own_folder as f; f(Path('.'))"
    refused = lab.run(ANN, str(programs() / "python"), "-c", code, check=False, trace=True)
    assert refused.stderr.splitlines()[-1].startswith("PermissionError")
    lab.write({f".xpc/secrets/{uid}/xpc-1.json": '{"TOKEN": "of ben"}'}, BEN)
    read = "from xpc.runtime.shim.scheduler import secrets; print(secrets('oar', '.', {'OAR_JOB_NAME': 'xpc-1'}))"
    assert lab.run(ANN, str(programs() / "python"), "-c", read).stdout == "{}\n"


def test_index_holds_what_its_user_may_read(lab: Lab) -> None:
    """Each has an index of records; the one beside the records can't be read by the other."""
    lab.xpc(ANN, "submit", "train")
    lab.xpc(ANN, "report")
    index = lab.folder / ".xpc/index.sqlite"
    assert (index.owner(), stat.S_IMODE(index.stat().st_mode)) == (ANN, 0o600)
    assert lab.run(BEN, "cat", str(index), check=False).returncode != 0

    assert lab.xpc(BEN, "report").stdout == lab.xpc(ANN, "report").stdout
    (own,) = (Path(lab.environ(BEN)["HOME"]) / ".cache/xpc").glob("*.sqlite")
    assert (own.owner(), stat.S_IMODE(own.stat().st_mode)) == (BEN, 0o600)


def test_an_index_that_everybody_could_read_is_closed(lab: Lab) -> None:
    """One that an earlier version made with the user's umask gets its mode from the next command."""
    lab.xpc(ANN, "submit", "train")
    lab.xpc(ANN, "report")
    close(lab, ".xpc/index.sqlite", "0664")
    lab.xpc(ANN, "report")
    assert stat.S_IMODE((lab.folder / ".xpc/index.sqlite").stat().st_mode) == 0o600


# ------------------------------------------------------------------ at the same time


def test_submits_take_turns(lab: Lab) -> None:
    """While one submits, the other is told who it is and can't cancel it; a dead one's lock is taken over."""
    lab.write({"train.sh": f"touch {lab.above}/begun-$1 2>/dev/null; sleep 60\n"})
    lab.above.chmod(0o777)
    going = lab.start(ANN, "xpc", "submit", "train")
    try:
        deadline = time.monotonic() + 60
        while not list(lab.above.glob("begun-*")):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        refused = lab.xpc(BEN, "submit", "train", check=False)
        assert refused.returncode == 1
        assert refused.stderr.startswith(f"error[XS001]: another submit of this project goes on: {ANN} on ")
        assert states(lab, BEN)["train"].keys() <= {"running", "queued"}
        told = lab.xpc(BEN, "cancel", "--all", check=False)
        assert told.returncode == 1
        assert told.stderr.startswith(f"Runs of {ANN} on ")
        assert "a submit is going on by xpc-ann" in lab.xpc(BEN, "gc", "--pack", "--yes", check=False).stderr
    finally:
        _kill(lab, ANN)
        going.communicate()

    assert states(lab, BEN)["train"].keys() <= {"lost", "planned", "killed"}
    lab.write({"train.sh": TRAIN}, BEN)
    lab.xpc(BEN, "submit", "train")
    assert states(lab, ANN)["train"] == {"done": 3}


def _kill(lab: Lab, user: str) -> None:
    """Kill the user's processes in the project, as a crash of that session would."""
    for entry in Path("/proc").iterdir():
        try:
            mine = entry.name.isdigit() and entry.owner() == user
            inside = mine and os.readlink(entry / "cwd").startswith(str(lab.above))
        except (OSError, KeyError):
            continue
        if inside:
            os.kill(int(entry.name), signal.SIGKILL)


def test_a_dead_lock_that_can_only_be_read(lab: Lab) -> None:
    """The lock of a submit that was killed under `umask 022` is taken over by the other."""
    lab.xpc(ANN, "submit", "train")
    lock = {"schema": "xpc.lock/1", "nonce": "aa", **json.loads(_here(lab)), "process": {"pid": 2**22 + 1, "start": 1}}
    lab.write({".xpc/submit.lock": json.dumps(lock) + "\n"})
    close(lab, ".xpc/submit.lock", "0644")
    lab.write({"Experimentfile": STUDY.replace("range(3)", "range(4)")}, BEN)

    lab.xpc(BEN, "submit", "train")
    assert states(lab, ANN)["train"] == {"done": 4}


def _here(lab: Lab) -> str:
    """Give the fields that name this machine, as a submission has them."""
    path = next((lab.folder / ".xpc/submissions").iterdir())
    fields = json.loads(path.read_text().splitlines()[0])
    return json.dumps({name: fields[name] for name in ("host", "user", "boot", "space")})
