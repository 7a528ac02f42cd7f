"""The submit lock: one holder a project, taken over from the dead alone."""

import errno
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from xpc.runtime.lock import NAME, Held, Keeper, SubmitLock, holder, take_lock
from xpc.runtime.owner import Owner
from xpc.runtime.shim import machine


def write_lock(project: Path, owner: Owner, nonce: str = "theirs") -> Path:
    path = project / NAME
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"schema": "xpc.lock/1", "nonce": nonce, **owner.fields()}) + "\n")
    return path


def write_lock_bytes(project: Path, owner: Owner) -> None:
    """The same, where `write_text` is out of order."""
    text = json.dumps({"schema": "xpc.lock/1", "nonce": "theirs", **owner.fields()}) + "\n"
    (project / NAME).write_bytes(text.encode())


def dead_owner(**changes: object) -> Owner:
    """Give an owner like us whose process has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    start = machine.start_time(child.pid) or 1
    child.wait()
    here = Owner.here()
    fields = {"host": here.host, "user": here.user, "boot": here.boot, "space": here.space, **changes}
    return Owner(pid=child.pid, start=start, **fields)  # type: ignore[arg-type]


def test_second_taker_learns_who_has_it(tmp_path: Path) -> None:
    """While a live process has the lock, another one is told which."""
    lock = take_lock(tmp_path)

    assert isinstance(lock, SubmitLock)
    assert take_lock(tmp_path) == Held(Owner.here())


def test_released_lock_is_free(tmp_path: Path) -> None:
    """After the holder is done, nothing is left in the folder and the next one gets the lock."""
    with take_lock(tmp_path) as lock:  # type: ignore[union-attr]
        assert lock.held()

    assert list((tmp_path / ".xpc").iterdir()) == []
    assert isinstance(take_lock(tmp_path), SubmitLock)


def test_lock_of_a_dead_process_is_taken_at_once(tmp_path: Path) -> None:
    """Same host, same boot, process gone: nobody waits."""
    write_lock(tmp_path, dead_owner())
    naps: list[float] = []

    assert isinstance(take_lock(tmp_path, sleep=naps.append), SubmitLock)
    assert naps == []
    assert holder(tmp_path) == Owner.here()


def test_reused_pid_is_another_process(tmp_path: Path) -> None:
    """A process with the holder's number but another start time doesn't keep the lock alive."""
    here = Owner.here()
    write_lock(tmp_path, Owner(here.host, here.user, here.boot, here.space, os.getppid(), 1))

    assert isinstance(take_lock(tmp_path), SubmitLock)


def test_holder_on_another_host_is_watched_for_three_leases(tmp_path: Path) -> None:
    """Without a touch in three leases the lock is taken over, not a moment earlier."""
    elsewhere = dead_owner(host="login2")
    write_lock(tmp_path, elsewhere)
    naps: list[float] = []
    told: list[Owner | None] = []

    lock = take_lock(tmp_path, watching=told.append, sleep=naps.append, lease=10)

    assert isinstance(lock, SubmitLock)
    assert sum(naps) == 30
    assert told == [elsewhere]


def test_holder_on_another_host_that_touches_keeps_it(tmp_path: Path) -> None:
    """One touch while we watch: the holder lives, whatever its clock says."""
    elsewhere = dead_owner(host="login2")
    path = write_lock(tmp_path, elsewhere)
    naps: list[float] = []

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 2:
            os.utime(path, (1, 1))

    assert take_lock(tmp_path, sleep=sleep) == Held(elsewhere)
    assert len(naps) == 2


def test_unreadable_lock_is_watched_too(tmp_path: Path) -> None:
    """A lock without a whole line may be one that is being written: only silence frees it."""
    path = tmp_path / NAME
    path.parent.mkdir()
    path.write_text('{"nonce"')
    naps: list[float] = []

    assert isinstance(take_lock(tmp_path, sleep=naps.append, lease=1), SubmitLock)
    assert sum(naps) == 3


def test_touch_renews_and_notices_a_theft(tmp_path: Path) -> None:
    """A holder that lost its lock learns it at the next touch, and leaves the thief's lock alone."""
    lock = take_lock(tmp_path)
    assert isinstance(lock, SubmitLock)
    os.utime(lock.path, (1, 1))
    lock._touched -= 11

    assert lock.touch()
    assert lock.path.stat().st_mtime > 1

    write_lock(tmp_path, dead_owner(host="login2"))
    lock._touched -= 11

    assert not lock.touch()
    lock.release()
    assert lock.path.exists()


TAKER = """
import sys, time
from pathlib import Path
from xpc.runtime.lock import SubmitLock, take_lock
lock = take_lock(Path(sys.argv[1]))
print(isinstance(lock, SubmitLock), flush=True)
sys.stdin.readline()
"""


def test_of_many_thieves_one_wins(tmp_path: Path) -> None:
    """Eight processes find the same dead holder at the same time; one gets the lock."""
    write_lock(tmp_path, dead_owner())
    takers = [
        subprocess.Popen(
            [sys.executable, "-c", TAKER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(8)
    ]
    answers = [taker.stdout.readline().strip() for taker in takers if taker.stdout]
    for taker in takers:
        taker.communicate("\n")

    assert sorted(answers) == ["False"] * 7 + ["True"]


def test_kept_lock_is_touched_while_its_holder_waits(tmp_path: Path) -> None:
    """A scheduler may make us wait for longer than the lease; afterwards nobody touches it any more."""
    lock = take_lock(tmp_path)
    assert isinstance(lock, SubmitLock)
    lock._touched -= 60  # the lease is due
    os.utime(lock.path, (1, 1))
    with Keeper(lock, every=0.01):
        deadline = time.monotonic() + 20
        while lock.path.stat().st_mtime == 1 and time.monotonic() < deadline:
            time.sleep(0.01)
    assert lock.path.stat().st_mtime > 1
    lock.release()


def test_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that can't be written down is no lock, and half of it does not stay."""

    def cut(path: Path, text: str) -> int:
        path.write_bytes(text.encode()[:5])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr(Path, "write_text", cut)
        with pytest.raises(OSError, match="No space left"):
            take_lock(tmp_path)
        assert list((tmp_path / ".xpc").iterdir()) == []

        write_lock_bytes(tmp_path, dead_owner())
        with pytest.raises(OSError, match="No space left"):
            take_lock(tmp_path)
    assert [path.name for path in (tmp_path / ".xpc").iterdir()] == ["submit.lock"]
    assert isinstance(take_lock(tmp_path), SubmitLock)


def test_half_made_lock_of_a_killed_submit_is_swept(tmp_path: Path) -> None:
    """Whoever gets the lock, new or taken over, removes what others left that were killed while they made theirs."""
    left = tmp_path / ".xpc/submit.lock.0123456789abcdef"
    left.parent.mkdir()
    left.touch()
    with take_lock(tmp_path):  # type: ignore[union-attr]
        assert not left.exists()
    left.touch()
    write_lock(tmp_path, dead_owner())
    with take_lock(tmp_path):  # type: ignore[union-attr]
        assert not left.exists()
