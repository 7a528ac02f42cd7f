"""Random small grids: the columnar expansion equals a naive one over dictionaries, written from the rules."""

from __future__ import annotations

from typing import Any

from expansion import (
    axis,
    code,
    experiment,
    grid,
    keep,
    overlay,
    path,
    plus,
    rows,
    skip,
    study,
    times,
    value,
    when,
    zipped,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from xpc.compiler.expand import expand
from xpc.compiler.identity import canonical, run_id
from xpc.compiler.study import (
    Axis,
    Branch,
    Code,
    Combination,
    Constraint,
    Experiment,
    Grid,
    GridValue,
)
from xpc.compiler.values import Absent
from xpc.grammar.diagnostic import Diagnostics

Row = dict[Any, Any]

# ------------------------------------------------------------------ the naive way


def resolve(point: Row, experiment: Experiment) -> Row:
    """Evaluate every key of one point by recursion."""
    given = {key: item.value for key, item in experiment.keys.items()} | {
        key: what for key, what in point.items() if key != "constraints"
    }
    given |= experiment.overrides
    done: Row = {}

    def read(key):
        if key not in given:
            return None
        if key not in done:
            what = given[key]
            done[key] = what.call([read(name) for name in what.names]) if isinstance(what, Code) else what
        return done[key]

    return {key: read(key) for key in given}


def holds(condition: Code, point: Row, experiment: Experiment) -> bool:
    values = resolve(point, experiment)
    return condition.call([values.get(name) for name in condition.names]) is True


def elements(item: Axis, experiment: Experiment) -> list[Row]:
    found: list[Row] = []
    count = len(item.labels) if item.label else len(item.columns[0])
    for i in range(count):
        row = {
            key: column[i]
            for key, column in zip(item.keys, item.columns, strict=True)
            if not isinstance(column[i], Absent)
        }
        found.append(({item.label: item.labels[i]} if item.label else {}) | row)
    return found


def body(items, points: list[Row], experiment: Experiment) -> list[Row]:
    for item in items:
        following: list[Row] = []
        for point in points:
            match item:
                case Axis():
                    following += [point | element for element in elements(item, experiment)]
                case GridValue():
                    following.append(point | {item.path: item.value})
                case Constraint():
                    following.append(point | {"constraints": [*point.get("constraints", []), item]})
                case Branch():
                    arms = (a for a in item.arms if a.condition is None or holds(a.condition, point, experiment))
                    arm = next(arms, None)
                    following += [point] if arm is None else body(arm.body, [point], experiment)
        points = following
    return points


def naive(expr, point: Row, experiment: Experiment) -> list[Row]:
    """Multiply one point by a grid."""
    if isinstance(expr, Combination):
        if expr.operator == "+":
            return naive(expr.left, point, experiment) + naive(expr.right, point, experiment)
        return [row for left in naive(expr.left, point, experiment) for row in naive(expr.right, left, experiment)]
    assert isinstance(expr, Grid)
    return body(expr.items, [point], experiment)


def reference(experiment: Experiment) -> list[Row]:
    """Give the rows of an experiment, equal ones once."""
    found: dict[str, Row] = {}
    for point in naive(experiment.grid, {}, experiment):
        refused = any(c.keep != holds(c.condition, point, experiment) for c in point.get("constraints", []))
        if not refused:
            row = {".".join(key): what for key, what in resolve(point, experiment).items()}
            found.setdefault(canonical(row), row)
    return list(found.values())


# ------------------------------------------------------------------ random grids

values = st.lists(st.integers(0, 3), min_size=1, max_size=3)
KEYS = ("a", "b", "c", "d.e")


def condition(draw) -> Code:
    names = draw(st.lists(st.sampled_from([*KEYS, "h", "x"]), min_size=1, max_size=2, unique=True))
    bound = draw(st.integers(0, 4))
    return code(" ".join(names), lambda *v: sum(n or 0 for n in v if not isinstance(n, str)) > bound)


@st.composite
def grids(draw, keys: tuple[str, ...], name: str):
    """Draw a grid that sets some of *keys*, none of them twice."""
    items: list[Any] = []
    left = list(keys)
    while left:
        key = left.pop(0)
        kind = draw(st.sampled_from(["axis", "none", "value", "zip", "branch", "config"]))
        if kind == "axis":
            items.append(axis(key, *draw(values)))
        elif kind == "value":
            items.append(value(key, draw(st.sampled_from([1, code("x", lambda x: x + 1)]))))
        elif kind == "zip" and left:
            pairs = draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=3))
            items.append(zipped(**{key: [p for p, _ in pairs], left.pop(0): [q for _, q in pairs]}))
        elif kind == "config":
            items.append(overlay("l" + key, s={key: draw(st.integers(0, 3))}, t={}))
        elif kind == "branch":
            arms = [(condition(draw), [axis(key, *draw(values))])]
            if draw(st.booleans()):
                inside = [value(key, 7)] if draw(st.booleans()) else [axis(key, *draw(values)), skip(condition(draw))]
                arms.append((None, inside))
            items.append(when(*arms))
    for _ in range(draw(st.integers(0, 2))):
        where = draw(st.integers(0, len(items)))
        items.insert(where, draw(st.sampled_from([skip, keep]))(condition(draw)))
    return grid(*items, name=name)


@st.composite
def experiments(draw) -> Experiment:
    shape = draw(st.sampled_from(["one", "product", "sum", "sum of products", "product of sums"]))
    whole: Any
    match shape:
        case "one":
            whole = draw(grids(KEYS, "p"))
        case "product":
            whole = times(draw(grids(KEYS[:2], "p")), draw(grids(KEYS[2:], "q")))
        case "sum":
            whole = plus(draw(grids(KEYS, "p")), draw(grids(KEYS, "q")))
        case "sum of products":
            whole = plus(times(draw(grids(KEYS[:2], "p")), draw(grids(KEYS[2:], "q"))), draw(grids(KEYS, "r")))
        case _:
            whole = times(draw(grids(KEYS[:1], "p")), plus(draw(grids(KEYS[1:], "q")), draw(grids(KEYS[1:], "r"))))
    config = {"x": 2, "h": code("a x", lambda a, x: (a or 0) + x)}
    for key in draw(st.lists(st.sampled_from(KEYS), unique=True)):
        config[key] = draw(st.integers(0, 3))
    overrides = draw(st.dictionaries(st.sampled_from([("x",)]), st.integers(0, 3), max_size=1))
    return experiment(whole, config=config, overrides=overrides)


@settings(max_examples=400, deadline=None)
@given(experiments())
def test_expansion_equals_the_naive_one(made: Experiment) -> None:
    """The same rows in the same order, and the ids that the definition gives them."""
    diagnostics = Diagnostics()
    table = expand(study(made), diagnostics)["train"]
    got = rows(table)

    assert not diagnostics.failed
    assert [canonical(row) for row in got] == [canonical(row) for row in reference(made)]
    assert list(table.ids()) == [run_id("train", {path(k): v for k, v in row.items()}) for row in got]
