"""Rows to calls of a scheduler: what each task waits for, what goes together, what is split."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from itertools import chain, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from xpc.runtime.build_rows import Tasks
from xpc.runtime.schedulers.cluster_plan import GROUPS, CallPlanner, Flight, PlanArray, PlannedCall, Waits
from xpc.runtime.schedulers.index_list import index_list, split_indices


def array(
    name: str, first: int, indices: Sequence[Sequence[int]], sizes: Sequence[Sequence[int]] | None = None
) -> Tasks:
    tasks = sum(count for _, count in indices)
    held = sum(size * times for size, times in sizes or [[1, tasks]])
    fields = {"name": name, "experiment": name.rpartition("-")[0], "tasks": tasks, "rows": [[first, held]]}
    return Tasks({**fields, "indices": indices, "sizes": sizes or [[1, tasks]]})


def plan(
    arrays: Sequence[PlanArray],
    sent: Sequence[int],
    parents: Mapping[int, Sequence[int]] | None = None,
    flights: Mapping[int, Flight] | None = None,
    attempts: Mapping[int, int] | None = None,
    *,
    oar: bool = False,
    longest: int = 100_000,
    leave: Container[int] = (),
) -> list[PlannedCall]:
    above = {row: tuple(found) for row, found in (parents or {}).items()}
    planner = CallPlanner(
        sent,
        lambda row: above.get(row, ()),
        flights or {},
        lambda row: (attempts or {}).get(row, 1),
        oar=oar,
        longest=longest,
        leave=leave,
    )
    for each in arrays:
        planner.add(each)
    return planner.calls


TRAIN = PlanArray(array("train-1", 0, [[0, 6]]))
EVALUATE = PlanArray(array("evaluate-1", 6, [[0, 6]]), frozenset({"train-1"}))
PAIRS = {6 + n: [n] for n in range(6)}


def told(calls: Sequence[PlannedCall]) -> list[tuple[str, str, Waits]]:
    return [(call.array, index_list(call.indices), call.waits) for call in calls]


def test_parents_and_children_sent_together_pair_by_index() -> None:
    """One call each; the children's waits for the parents', task for task."""
    assert told(plan([TRAIN, EVALUATE], range(12), PAIRS)) == [
        ("train-1", "0-5", Waits()),
        ("evaluate-1", "0-5", Waits(pairs=(1,))),
    ]


def test_children_of_done_parents_wait_for_nothing() -> None:
    """A mixture is two calls of the same script."""
    assert told(plan([TRAIN, EVALUATE], [1, 3, *range(6, 12)], PAIRS)) == [
        ("train-1", "1,3", Waits()),
        ("evaluate-1", "0-4:2,5", Waits()),
        ("evaluate-1", "1,3", Waits(pairs=(1,))),
    ]


def test_children_of_queued_parents_wait_for_their_jobs() -> None:
    """Task for task, as long as an earlier submit gave the parents the same indices."""
    flights = {0: Flight("50", 0), 1: Flight("50", 1), 2: Flight("51", 2), 3: Flight("50", 9)}
    assert told(plan([TRAIN, EVALUATE], range(6, 12), PAIRS, flights)) == [
        ("evaluate-1", "0,1", Waits(old_pairs=("50",))),
        ("evaluate-1", "2", Waits(old_pairs=("51",))),
        ("evaluate-1", "3", Waits(old=(Flight("50", 9),))),
        ("evaluate-1", "4,5", Waits()),
    ]


def test_barrier_waits_for_all_that_is_not_done() -> None:
    """New jobs as a whole, earlier ones by their tasks."""
    whole = PlanArray(array("ensemble-1", 12, [[0, 1]]))
    flights = {0: Flight("50", 0), 1: Flight("50", 1)}
    calls = plan([TRAIN, whole], [2, 3, 12], {12: range(6)}, flights)

    assert told(calls) == [
        ("train-1", "2,3", Waits()),
        ("ensemble-1", "0", Waits(barriers=(1,), old=(Flight("50", 0), Flight("50", 1)))),
    ]


def test_many_different_earlier_jobs_are_put_together() -> None:
    """A call a task would be too much: they wait for the end of all, and each looks after its own parent itself."""
    many = GROUPS + 5
    arrays = [PlanArray(array("train-1", 0, [[0, many]])), PlanArray(array("evaluate-1", many, [[0, many]]))]
    flights = {row: Flight("50", row + 1) for row in range(many)}
    (call,) = plan(arrays, range(many, 2 * many), {many + n: [n] for n in range(many)}, flights)

    assert call.waits == Waits(old=tuple(sorted(flights.values(), key=lambda flight: flight.task or 0)), loose=True)
    assert len(call.indices) == many


def test_attempts_that_ask_for_more_go_by_themselves() -> None:
    """Those beyond the last request ask for that one."""
    calls = plan([TRAIN._replace(requests=3)], range(6), attempts={1: 2, 2: 3, 3: 7})

    assert [(index_list(call.indices), call.request) for call in calls] == [("0,4,5", 1), ("1", 2), ("2,3", 3)]


def test_packed_task_leaves_rows_alone() -> None:
    """What failed, or is under way elsewhere, is named in the call and not counted."""
    packs = PlanArray(array("train-1", 0, [[4, 2]], [[3, 1], [2, 1]]))

    (call,) = plan([packs], [1, 4], leave={0, 3, 9})
    assert (call.rows, call.leave) == (3, [0, 3])


def test_packed_task_goes_whole() -> None:
    """It is sent if one of its rows is, and waits for the parents of all."""
    packs = PlanArray(array("train-1", 0, [[4, 2]], [[3, 1], [2, 1]]))
    child = PlanArray(array("evaluate-1", 5, [[4, 2]], [[3, 1], [2, 1]]), frozenset({"train-1"}))
    calls = plan([packs, child], [4, 5, 9], {5 + n: [n] for n in range(5)})

    assert told(calls) == [
        ("train-1", "5", Waits()),
        ("evaluate-1", "4", Waits()),
        ("evaluate-1", "5", Waits(pairs=(1,))),
    ]
    assert [call.rows for call in calls] == [2, 3, 2]


def test_throttle_is_shared_by_the_calls_of_an_array() -> None:
    """By size; none is left with nothing, since zero means no limit."""
    calls = plan([TRAIN, EVALUATE._replace(throttle=4)], [1, 3, *range(6, 12)], PAIRS)
    assert [call.throttle for call in calls] == [None, 3, 1]

    calls = plan([TRAIN._replace(throttle=1, requests=9)], range(6), attempts={n: n + 1 for n in range(6)})
    assert [call.throttle for call in calls] == [1] * 6


def test_oar_is_asked_pair_by_pair() -> None:
    """Its jobs wait for all that a call names, so each task is a call; a great array goes in parts."""
    calls = plan([TRAIN, EVALUATE], range(12), PAIRS, oar=True)
    assert told(calls)[1:] == [("evaluate-1", str(n), Waits(pairs=(1,))) for n in range(6)]

    many = 120
    arrays = [
        PlanArray(array("train-1", 0, [[0, many]])),
        PlanArray(array("evaluate-1", many, [[0, many]]), frozenset({"train-1"})),
    ]
    flights = {0: Flight("7", None), 119: Flight("9", None)}
    calls = plan(arrays, [*range(1, 119), *range(many, 240)], {many + n: [n] for n in range(many)}, flights, oar=True)
    assert [(index_list(call.indices), call.waits.old) for call in calls[1:]] == [
        ("0", (Flight("7", None),)),
        ("119", (Flight("9", None),)),
        ("1-50", ()),
        ("51-100", ()),
        ("101-118", ()),
    ]


def test_list_that_is_too_long_is_split() -> None:
    """Children of both parts wait for both by their numbers."""
    arrays = [
        PlanArray(array("train-1", 0, [[0, 40]])),
        PlanArray(array("evaluate-1", 40, [[0, 40]]), frozenset({"train-1"})),
    ]
    chosen = [0, 1, 3, 7, 8, 15, 16, 29]
    calls = plan(arrays, [*chosen, *(40 + n for n in chosen)], {40 + n: [n] for n in range(40)}, longest=10)

    assert all(len(index_list(call.indices)) <= 10 for call in calls)
    assert sorted(chain.from_iterable(call.indices for call in calls if call.array == "train-1")) == chosen
    for call in calls:
        if call.array == "evaluate-1":
            (above,) = call.waits.pairs
            assert set(call.indices) <= set(calls[above - 1].indices)


INDICES = st.lists(st.integers(0, 5000), unique=True, max_size=200).map(sorted)


@given(INDICES)
def test_index_list_gives_back_the_indices(indices: list[int]) -> None:
    """Read as SLURM reads it."""
    found: list[int] = []
    for piece in index_list(indices).split(",") if indices else []:
        span, _, step = piece.partition(":")
        first, _, last = span.partition("-")
        found.extend(range(int(first), int(last or first) + 1, int(step or 1)))
    assert found == indices


@given(INDICES, st.integers(5, 60))
def test_split_keeps_all_and_stays_short(indices: list[int], longest: int) -> None:
    """No part is empty; none is longer than it may be unless it is a single piece."""
    parts = split_indices(indices, longest)
    assert list(chain.from_iterable(parts)) == indices
    assert all(parts)
    assert all(len(index_list(part)) <= longest or "," not in index_list(part) for part in parts)


@st.composite
def graphs(
    draw: st.DrawFn,
) -> tuple[list[PlanArray], list[int], dict[int, list[int]], dict[int, Flight], dict[int, int]]:
    """Draw three experiments one after another, in arrays, packed or not, each row with parents in the one above."""
    arrays: list[PlanArray] = []
    parents: dict[int, list[int]] = {}
    levels: list[list[int]] = []
    row = 0
    for level in range(3):
        rows: list[int] = []
        for number in range(draw(st.integers(1, 3))):
            indices = draw(st.lists(st.integers(0, 9), unique=True, min_size=1, max_size=6).map(sorted))
            sizes = [draw(st.integers(1, 2)) for _ in indices]
            above = frozenset(
                a.tasks.name for a in arrays if a.tasks.experiment == f"e{level - 1}" and draw(st.booleans())
            )
            tasks = array(f"e{level}-{number}", row, [[i, 1] for i in indices], [[size, 1] for size in sizes])
            arrays.append(PlanArray(tasks, above, draw(st.none() | st.integers(1, 4)), 3))
            rows += range(row, row + sum(sizes))
            row += sum(sizes)
        if levels:
            for child in rows:
                parents[child] = draw(st.lists(st.sampled_from(levels[-1]), unique=True, max_size=3))
        levels.append(rows)
    states = {n: draw(st.sampled_from(["done", "sent", "queued"])) for n in range(row)}
    flights = {
        n: Flight(str(draw(st.integers(50, 53))), draw(st.integers(0, 9)))
        for n, state in states.items()
        if state == "queued"
    }
    attempts = {n: draw(st.integers(1, 4)) for n in range(row)}
    return arrays, [n for n, state in states.items() if state == "sent"], parents, flights, attempts


@settings(max_examples=300)
@given(graphs(), st.booleans())
def test_every_task_is_sent_once_and_waits_for_its_parents(
    graph: tuple[list[PlanArray], list[int], dict[int, list[int]], dict[int, Flight], dict[int, int]], oar: bool
) -> None:
    """Whatever stands above: each task is in one call, and what it waits for covers all of its parents under way; one
    whose parents are all done waits for nothing."""
    arrays, sent, parents, flights, attempts = graph
    if oar:
        flights = {row: Flight(f"{flight.job}{flight.task}", None) for row, flight in flights.items()}
    calls = plan(arrays, sent, parents, flights, attempts, oar=oar)
    place = {row: (a.tasks.name, index) for a in arrays for index, rows in a.tasks.each() for row in rows}
    call_of = {(call.array, index): call for call in calls for index in call.indices}

    assert len(call_of) == sum(len(call.indices) for call in calls)
    assert set(call_of) == {place[row] for row in sent}
    assert [call.number for call in calls] == list(range(1, len(calls) + 1))
    assert all(a < b for call in calls for a, b in pairwise(call.indices))
    for (name, index), call in call_of.items():
        rows = next(a for a in arrays if a.tasks.name == name).tasks.rows(index)
        assert call.request == min(3, max(attempts[row] for row in rows))
        above = {parent for row in rows for parent in parents.get(row, ())}
        under_way = {parent for parent in above if place[parent] in call_of or parent in flights}
        for parent in under_way:
            assert covers(call.waits, index, parent, place, call_of, flights, oar=oar), (name, index, parent, call)
        if not under_way:
            assert oar or not call.waits
        assert all(number < call.number for number in (*call.waits.pairs, *call.waits.barriers))


def covers(
    waits: Waits,
    index: int,
    parent: int,
    place: Mapping[int, tuple[str, int]],
    call_of: Mapping[tuple[str, int], PlannedCall],
    flights: Mapping[int, Flight],
    *,
    oar: bool,
) -> bool:
    """Say whether the task with the index waits for the parent."""
    if place[parent] in call_of:
        number = call_of[place[parent]].number
        return number in waits.barriers or (number in waits.pairs and (oar or place[parent][1] == index))
    flight = flights[parent]
    return flight in waits.old or (flight.job in waits.old_pairs and flight.task == index)
