"""Which run starts next: order, room, and that nobody starves."""

from hypothesis import given
from hypothesis import strategies as st

from xpc.runtime.executor.gpus import CUDA, Device, Gpus
from xpc.runtime.executor.limits import Limits
from xpc.runtime.executor.queue import Queue
from xpc.runtime.executor.room import Need, Room, need_of

SMALL, BIG = Need(1, 0, 0), Need(4, 0, 0)


def limits(cpus: int = 4, memory: int | None = None, gpus: int = 0) -> Limits:
    return Limits(cpus, memory, Gpus(CUDA, tuple(Device(str(n), f"gpu{n}") for n in range(gpus))))


def start_all(queue: Queue, room: Room) -> list[int]:
    """Start what fits, and give the rows."""
    started = []
    while (taken := queue.take(room)) is not None:
        room.take(taken[1])
        started.append(taken[0])
    return started


def test_first_come_first_served() -> None:
    """Equal runs start in the order in which they came."""
    queue, room = Queue(), Room.of(limits(), None)
    for row in range(6):
        queue.add(row, SMALL)

    assert start_all(queue, room) == [0, 1, 2, 3]
    room.give_back(SMALL)
    assert start_all(queue, room) == [4]
    assert list(queue) == [5]


def test_jobs_bound_how_many_run() -> None:
    """`-j 2` starts two, however many processors are free."""
    queue, room = Queue(), Room.of(limits(8), 2)
    for row in range(3):
        queue.add(row, SMALL)

    assert start_all(queue, room) == [0, 1]


def test_small_runs_fill_the_room_beside_a_big_one() -> None:
    """What fits now starts, though an older run that doesn't fit yet waits."""
    queue, room = Queue(), Room.of(limits(), None)
    queue.add(0, SMALL)
    queue.add(1, BIG)
    queue.add(2, SMALL)

    assert start_all(queue, room) == [0, 2]


def test_big_run_is_not_passed_for_ever() -> None:
    """After as many as the queue's patience nothing passes the big one any more: the room empties for it."""
    queue, room = Queue(patience=3), Room.of(limits(), None)
    queue.add(0, SMALL)
    queue.add(1, BIG)
    for row in range(2, 20):
        queue.add(row, SMALL)
    order = start_all(queue, room)
    while 1 not in order:
        room.give_back(SMALL)
        order += start_all(queue, room)

    assert order == [0, 2, 3, 4, 1]


def test_next_attempt_goes_first() -> None:
    """A run that is tried again stands before all that have not begun, the latest first."""
    queue = Queue()
    for row in range(2):
        queue.add(row, SMALL)
    queue.add_first(7, SMALL)
    queue.add_first(8, BIG)

    assert list(queue) == [8, 7, 0, 1]


def test_run_that_asks_for_more_than_the_machine_runs_alone() -> None:
    """It waits until nothing runs, and nothing starts beside it."""
    alone = need_of(limits(), cpus=64, memory=None, gpus=0, nodes=1)
    queue, room = Queue(), Room.of(limits(), None)
    queue.add(0, SMALL)
    queue.add(1, alone)
    queue.add(2, SMALL)

    assert alone.alone
    assert start_all(queue, room) == [0, 2]
    room.give_back(SMALL)
    room.give_back(SMALL)
    queue.add(3, SMALL)
    assert start_all(queue, room) == [1]
    room.give_back(alone)
    assert start_all(queue, room) == [3]


def test_what_is_alone() -> None:
    """More processors, memory, GPUs or nodes than there are; unknown memory limits nothing."""
    machine = limits(4, 1000, 1)

    assert not need_of(machine, cpus=4, memory=1000, gpus=1, nodes=1).alone
    assert need_of(machine, cpus=5, memory=None, gpus=0, nodes=1).alone
    assert need_of(machine, cpus=1, memory=1001, gpus=0, nodes=1).alone
    assert need_of(machine, cpus=1, memory=None, gpus=2, nodes=1).alone
    assert need_of(machine, cpus=1, memory=None, gpus=0, nodes=2).alone
    assert not need_of(limits(4, None, 1), cpus=1, memory=1 << 50, gpus=0, nodes=1).alone


needs = st.builds(Need, st.integers(1, 4), st.integers(0, 8), st.integers(0, 2), st.booleans())


@given(st.lists(needs, max_size=40), st.integers(1, 4), st.randoms(use_true_random=False))
def test_every_run_starts_once_and_the_room_holds(asked: list[Need], jobs: int, dice: object) -> None:
    """Whatever is asked for and in whatever order runs end: each starts once, and never too much runs at once."""
    queue, room = Queue(patience=2), Room.of(limits(4, 8, 2), jobs)
    for row, need in enumerate(asked):
        queue.add(row, need)
    running: list[Need] = []
    started: list[int] = []
    while len(started) < len(asked):
        taken = queue.take(room)
        if taken is not None:
            room.take(taken[1])
            started.append(taken[0])
            running.append(taken[1])
            assert len(running) <= jobs
            assert len(running) == 1 or not any(need.alone for need in running)
            assert sum(need.cpus for need in running if not need.alone) <= 4
            assert sum(need.memory for need in running if not need.alone) <= 8
            assert sum(need.gpus for need in running if not need.alone) <= 2
        else:
            room.give_back(running.pop(dice.randrange(len(running))))  # type: ignore[attr-defined]

    assert sorted(started) == list(range(len(asked)))
