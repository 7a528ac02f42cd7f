"""The processes of a run: whom a supervisor takes for its own, and whom it never touches."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from xpc.runtime.shim import processes
from xpc.runtime.shim.supervise import Supervisor


def test_there_is_no_run_of_pid_0() -> None:
    """Session 0 is the system's; a program that has not started must never stand for it."""
    with pytest.raises(ValueError, match="no pid 0"):
        processes.tree(0, "3fa2c81d90b1e4f7", processes.table())


def test_signal_before_the_start_is_sent_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that is told to stop while it gets ready stops, and no process hears of it."""
    sent: list[int] = []
    monkeypatch.setattr(processes, "send", lambda pids, number: sent.extend(pids))
    run = SimpleNamespace(id="3fa2c81d90b1e4f7", mark="XPC_STOP=x")
    attempt = SimpleNamespace(clustered=False, scheduler_kind="local", run=run, checkpoint=None)
    signals = SimpleNamespace(take=lambda: [signal.SIGTERM, signal.SIGTERM], stopped=signal.SIGTERM)
    supervisor = Supervisor(attempt, signals)  # type: ignore[arg-type]

    supervisor._obey()

    assert sent == []
    assert supervisor._cause is not None
    assert supervisor._cause.state == "killed"


def test_tree_holds_the_session_and_no_one_else() -> None:
    """A program's children belong to its run; this process, its parents and strangers do not."""
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import sys; sys.stdin.read()'])"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, start_new_session=True) as program:
        found: set[int] = set()
        while len(found) < 2 and program.poll() is None:
            found = processes.tree(program.pid, "none", processes.table())
        program.communicate(b"")

    assert program.pid in found
    assert not found & {0, 1, os.getpid(), os.getppid()}


def test_program_hears_of_a_signal_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A script with a trap is told before its children are ended."""
    told: list[int] = []
    members = {7: processes.Process(1, 9, 0, 0.0, 0), 9: processes.Process(1, 9, 0, 0.0, 0)}
    monkeypatch.setattr(processes, "table", lambda: members)
    monkeypatch.setattr(processes, "send", lambda pids, number: told.extend(pids))

    processes.signal_tree(9, "3fa2c81d90b1e4f7", signal.SIGTERM)

    assert told == [9, 7]


def test_shared_memory_counts_once_before_anything_is_killed() -> None:
    """Two processes that share their pages use less than the sum of what each sees."""
    table = processes.table()
    members = [os.getpid(), os.getppid()]
    plain = processes.memory_of(members, table)

    assert processes.memory_of(members, table, limit=plain) == plain
    assert 0 < processes.memory_of(members, table, limit=1) < plain


def test_process_that_has_ended_shares_nothing() -> None:
    """Between the look at all processes and the look at each one's pages some end: their memory is not the others'."""
    ended = subprocess.Popen(["true"])
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)  # a zombie still has an entry
    before = {pid: processes.Process(1, 1, 100 << 20, 0.0, 1) for pid in (ended.pid, os.getpid())}
    own = processes.memory_of([os.getpid()], processes.table())

    zombie = processes.memory_of(before, before, limit=1)
    ended.wait()
    gone = processes.memory_of(before, before, limit=1)

    assert 0 < zombie <= 2 * own
    assert 0 < gone <= 2 * own


def test_memory_over_the_limit_is_looked_at_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that end while they are looked at leave their share to the rest: such a sum was never used at once."""
    shares = iter([10, 12, 15, 20, 30, 60, 0, 0, 0, 0, 30, 30])
    monkeypatch.setattr(processes, "_own_share", lambda pid, otherwise: next(shares))
    members = {pid: processes.Process(1, 1, 60, 0.0, 0) for pid in range(1, 7)}

    assert processes.memory_of(members, members, limit=100) == 60


def test_warden_leaves_the_same_run_of_another_project_alone(tmp_path: Path) -> None:
    """Two projects may hold the same run at once: it has the same id, and another attempt's processes."""

    def begun(stop: Path) -> subprocess.Popen[bytes]:
        env = {**os.environ, "XPC_RUN_ID": "3fa2c81d90b1e4f7", "XPC_STOP": str(stop)}
        code = "import sys; print(flush=True); sys.stdin.read()"
        started = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, env=env
        )
        assert started.stdout is not None
        started.stdout.readline()
        return started

    mine, orphan, other = begun(tmp_path / "a/stop"), begun(tmp_path / "a/stop"), begun(tmp_path / "b/stop")
    shim = (
        "import os, signal, sys\n"
        "from xpc.runtime.shim import processes, warden\n"
        "keeper = warden.Warden(processes.mark_of(sys.argv[1]))\n"
        "keeper.watch(int(sys.argv[2]))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    with mine, orphan, other:
        subprocess.run([sys.executable, "-c", shim, str(tmp_path / "a/stop"), str(mine.pid)], check=False)
        assert (mine.wait(20), orphan.wait(20)) == (-signal.SIGKILL, -signal.SIGKILL)
        with pytest.raises(subprocess.TimeoutExpired):
            other.wait(1)
        other.communicate(b"")
        assert other.returncode == 0
