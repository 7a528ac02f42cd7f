"""Waiting for parents, and devices that two executors share."""

from pathlib import Path

from xpc.runtime.executor.devices import Devices, lock_folder
from xpc.runtime.executor.gpus import Device
from xpc.runtime.executor.graph import Graph

DEVICES = [Device(str(n), f"GPU-{n}") for n in range(3)]


def test_child_is_ready_when_all_parents_are_done() -> None:
    """A run after two others waits for both."""
    graph = Graph([0, 1, 2, 3], {2: [0, 1], 3: [2]})

    assert graph.ready() == [0, 1]
    assert graph.done(0) == []
    assert graph.done(1) == [2]
    assert graph.waiting() == [3]
    assert graph.done(2) == [3]
    assert graph.waiting() == []


def test_all_below_a_failed_run_are_dropped_once() -> None:
    """Children and their children, each once, though two ways lead there."""
    graph = Graph(range(6), {1: [0], 2: [0], 3: [1, 2], 4: [3], 5: []})

    assert graph.ready() == [0, 5]
    assert graph.drop(0) == [1, 2, 3, 4]
    assert graph.waiting() == []


def test_run_with_one_failed_parent_is_not_freed_by_the_other() -> None:
    """After one parent has failed the other's success frees nobody."""
    graph = Graph([0, 1, 2], {2: [0, 1]})

    assert graph.drop(0) == [2]
    assert graph.done(1) == []


def test_device_is_never_given_twice(tmp_path: Path) -> None:
    """What one executor has, another one can't take, under whatever name it knows it."""
    mine, other = Devices(DEVICES, tmp_path), Devices([Device("GPU-0", "GPU-0"), *DEVICES[1:]], tmp_path)
    taken = mine.take(2)

    assert taken == tuple(DEVICES[:2])
    assert other.take(2) is None
    assert other.take(1) == (DEVICES[2],)
    assert mine.take(1) is None

    mine.give_back(taken)
    assert mine.take(2) == tuple(DEVICES[:2])


def test_no_device_is_always_there(tmp_path: Path) -> None:
    """A run without GPUs needs no lock."""
    assert Devices([], tmp_path / "none").take(0) == ()
    assert not (tmp_path / "none").exists()


def test_locks_are_on_a_local_disk_and_the_users_own(tmp_path: Path) -> None:
    """The session's runtime directory if there is one."""
    assert lock_folder({"XDG_RUNTIME_DIR": str(tmp_path)}) == tmp_path / "xpc"
    assert lock_folder({}).name.startswith("xpc-")
