"""Run ids: golden ones that may never change, and that a table's ids are what the definition says of each row."""

from __future__ import annotations

import os
import subprocess
import sys
from array import array
from hashlib import blake2b

import pytest
from expansion import axis, code, experiment, grid, path, rows, tables
from hypothesis import given
from hypothesis import strategies as st

from xpc.compiler.identity import canonical, digests, parents_text, run_id
from xpc.compiler.table import NONE_HERE, Column
from xpc.compiler.values import ABSENT, Duration, Size

RICH = {"text": 'a "quoted"\n\t/é\x7f', "list": [1, 2.5, [True, None]], "map": {"b": 1, "a": {}}}
PLAIN = {"optimizer.lr": 1e-05, "model.name": "cnn", "epochs": 20, "nesterov": False, "norm": None}

GOLDEN = [
    ("train", {}, (), "1cacd68c08ca47df"),
    ("train", {"lr": 0.1, "seed": 0}, (), "e10331a7dbc8e7f1"),
    (
        "train",
        {"optimizer.lr": 1e-05, "model.name": "cnn", "epochs": 20, "nesterov": False, "norm": None},
        (),
        "86c196a26a78f0fd",
    ),
    (
        "évaluer",
        {"text": 'a "quoted"\n\t/é\x7f', "list": [1, 2.5, [True, None]], "map": {"b": 1, "a": {}}},
        (),
        "d3e7137a525bb26c",
    ),
    ("evaluate", {"lr": 0.1}, ("e10331a7dbc8e7f1", "0123456789abcdef"), "08cfe08038004f84"),
    ("large", {"big": 2**63 - 1, "float": 1e300, "small": -0.1, "zero": -0.0}, (), "87fe94ec2f8ca9e4"),
]


def by_path(values):
    return {path(key): value for key, value in values.items()}


@pytest.mark.parametrize(("experiment", "values", "parents", "expected"), GOLDEN)
def test_golden_ids(experiment, values, parents, expected) -> None:
    """The id of a point is the same in every version of xpc: results are found by it."""
    assert run_id(experiment, by_path(values), parents) == expected


def test_id_is_a_hash_of_the_documented_text() -> None:
    """Anybody can compute an id from the documentation alone."""
    text = '[1,"train",{"model.name":"cnn","optimizer.\\"weight-decay\\"":0.5,"seed":3},["0a","0b"]]'
    values = {("seed",): 3.0, ("optimizer", "weight-decay"): 0.5, ("model", "name"): "cnn"}

    assert run_id("train", values, ["0b", "0a"]) == blake2b(text.encode(), digest_size=8).hexdigest()


def test_ids_do_not_hang_on_the_hash_seed() -> None:
    """Two processes with different hash seeds agree on ids and on the order of rows."""
    program = (
        "from expansion import *; t = tables(experiment(times(plus(grid(axis('a', 1, 2, 'x'), name='p'), "
        "grid(axis('b', None, True), name='q')), grid(sample(3, draw('c', 'uniform', 0, 1)), name='r')), "
        "config={'a': None, 'z': {'k': 1, 'j': 2}}))['train']; print(list(t.ids()), rows(t))"
    )
    folder = os.path.dirname(__file__)
    outputs = {
        subprocess.check_output(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": folder},
            text=True,
        )
        for seed in ("0", "1", "77")
    }

    assert len(outputs) == 1
    assert outputs.pop().count("'c':") == 15


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (1e-05, "1e-05"),
        (1e22, "10000000000000000000000"),
        (2**70, "1180591620717411303424"),
        (True, "true"),
        (None, "null"),
        ("1", '"1"'),
        ("é\u2028", '"é\u2028"'),
        (Size(4096), "4096"),
        (Duration(90.0), "90"),
        (Duration(0.5), "0.5"),
        ([1.0, [False]], "[1,[false]]"),
        ({"b": 2.0, "a": {"d": None, "c": []}}, '{"a":{"c":[],"d":null},"b":2}'),
    ],
)
def test_canonical(value, text: str) -> None:
    """Numbers are canonical by value; everything else is plain JSON without spaces."""
    assert canonical(value) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("-inf")]])
def test_canonical_refuses_what_is_no_number(value) -> None:
    """A NaN has no identity."""
    with pytest.raises(ValueError, match="not a finite number"):
        canonical(value)


def test_one_and_one_point_nought_are_one_and_true_is_another() -> None:
    """1 and 1.0 are one value; true, 1, "1" and null are four."""
    ids = [run_id("t", {("x",): value}) for value in (1, 1.0, True, "1", None)]

    assert ids[0] == ids[1]
    assert len(set(ids)) == 4


def test_ignored_keys_do_not_count() -> None:
    """`ignore KEY` drops a key or a group, `ignore KEY == VALUE` a key while it has the value."""
    lean = run_id("t", {("lr",): 0.1})
    values = {("lr",): 0.1, ("data", "workers"): 4, ("data", "pin"): True, ("norm",): 1}

    assert run_id("t", values, (), [(("data",), ABSENT), (("norm",), 1.0)]) == lean
    assert run_id("t", values, (), [(("data", "workers"), ABSENT), (("data", "pin"), ABSENT), (("norm",), 1)]) == lean
    assert run_id("t", values, (), [(("data",), ABSENT), (("norm",), True)]) != lean
    assert run_id("t", {("lr",): 0.1, ("database",): 1}, (), [(("data",), ABSENT)]) != lean


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=4),
)
values = st.one_of(scalars, st.lists(scalars, max_size=2), st.dictionaries(st.text(max_size=2), scalars, max_size=2))
names = st.lists(st.text('ab-é"', min_size=1, max_size=2), min_size=1, max_size=2).map(tuple)


@given(
    table=st.dictionaries(names, st.lists(st.one_of(values, st.just(ABSENT)), min_size=3, max_size=3), max_size=4),
    constants=st.dictionaries(names, values, max_size=3),
    ignore=st.lists(st.tuples(names, st.one_of(values, st.just(ABSENT))), max_size=2),
    parents=st.one_of(st.none(), st.lists(st.lists(st.sampled_from(["0a", "ff", "1b"])), min_size=3, max_size=3)),
)
def test_a_table_has_the_ids_that_the_definition_gives(table, constants, ignore, parents) -> None:
    """The fast way equals the slow one, whatever is constant, absent or ignored."""
    constants = {name: value for name, value in constants.items() if name not in table}
    columns = {
        name: Column(
            [None if value is ABSENT else value for value in column],
            array("I", [NONE_HERE if value is ABSENT else row for row, value in enumerate(column)]),
        )
        for name, column in table.items()
    }
    texts = None if parents is None else [parents_text(ids) for ids in parents]
    fast = digests("t", 3, constants, columns, texts, ignore).hex()
    for row in range(3):
        here = constants | {name: column[row] for name, column in table.items() if column[row] is not ABSENT}

        assert fast[16 * row : 16 * row + 16] == run_id("t", here, [] if parents is None else parents[row], ignore)


def test_expanded_tables_use_the_definition() -> None:
    """What `expand` calls a run's id is `run_id` of its resolved values and its parents' ids."""
    found = tables(
        experiment(
            grid(axis("lr", 0.1, 1), axis("workers", 2)),
            config={"lr": 1.0, "workers": 1, "w": 3, "h": code("w lr", lambda w, lr: w * lr)},
            ignore=((path("workers"), ABSENT),),
        )
    )["train"]

    assert list(found.ids()) == [
        run_id("train", by_path({"lr": row["lr"], "w": 3, "h": row["h"]})) for row in rows(found)
    ]
