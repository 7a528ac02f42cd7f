"""`rows from "points.csv"`: columns of keys, cells by the type of their key, faults at their place in the file."""

from __future__ import annotations

from resolving import concise, experiment, faults

from xpc.compiler.study import Axis, Grid
from xpc.compiler.values import ABSENT

CLOSED = """
config base:
    optimizer.lr = 0.1
    name = "mlp"
    seed = 0
    deep = false

grid g:
    rows from "points.csv"

experiment train:
    config base
    grid g
    run "true"
"""
OPEN = """
grid g:
    rows from "points.csv"

experiment train:
    grid g
    run "true"
"""


def axis(text: str, csv: str) -> Axis:
    grid = experiment(text, {"points.csv": csv}).grid
    assert isinstance(grid, Grid)
    item = grid.items[0]
    assert isinstance(item, Axis)
    return item


def test_cells_take_the_type_of_their_key() -> None:
    """A cell of a float key is a float, of a text key a text; an empty cell sets nothing."""
    found = axis(CLOSED, "optimizer.lr,name,seed,deep\n1,7,3,true\n,cnn,4,false\n")

    assert found.keys == (("optimizer", "lr"), ("name",), ("seed",), ("deep",))
    assert [list(column) for column in found.columns] == [[1.0, ABSENT], ["7", "cnn"], [3, 4], [True, False]]


def test_cells_without_a_config_read_as_they_look() -> None:
    """Without a config a cell is an int, a float, a bool, or else a text; ints beside floats are floats."""
    found = axis(OPEN, 'a,b,c,"d ""x"""\n1,2,true,no\n2,0.5,false,1e-3x\n'.replace('"d ""x"""', "d"))

    assert [list(column) for column in found.columns] == [[1, 2], [2.0, 0.5], [True, False], ["no", "1e-3x"]]


def test_heads_that_are_no_keys() -> None:
    """A column without a head is said to have none; a file with another separator is told which one is read."""
    assert faults(OPEN, {"points.csv": "a,\n1,2\n"}) == (
        "error[XP109]: a column has no head\n --> points.csv:1:3\n  |\n1 | a,\n  |   ^ a column's head is a key"
    )
    assert faults(OPEN, {"points.csv": "a;b\n1;2\n"}) == (
        "error[XP109]: `a;b` is no key\n"
        " --> points.csv:1:1\n  |\n1 | a;b\n  | ^^^ a column's head is a key\n  |\n"
        "help: columns are separated by commas"
    )


def test_heads_are_dotted_keys_with_quoted_segments() -> None:
    """A head may quote a segment, as CSV writes quotes."""
    found = axis(OPEN, 'optimizer."weight-decay",x\n1,2\n'.replace('optimizer."weight-decay"', '"optimizer.""w d"""'))

    assert found.keys == (("optimizer", "w d"), ("x",))


def test_quoted_cells_may_hold_commas_and_lines() -> None:
    """A quoted cell holds anything; what comes after it keeps its line."""
    found = axis(OPEN, 'a,b\n"x, y",1\n"two\nlines",2\n')

    assert list(found.columns[0]) == ["x, y", "two\nlines"]
    assert concise(OPEN, {"points.csv": 'a,b\n"two\nlines",2\n1\n'}) == [
        "points.csv:4:1: error[XP108]: this row has 1 cell, and the header has 2"
    ]


def test_an_unknown_column_is_shown_in_the_csv() -> None:
    """A head that the config has no key for gets the nearest name."""
    assert faults(CLOSED, {"points.csv": "optimzer.lr,seed\n1,2\n"}) == (
        "error[XP021]: unknown config key `optimzer.lr`\n"
        " --> points.csv:1:1\n"
        "  |\n"
        "1 | optimzer.lr,seed\n"
        "  | ^^^^^^^^^^^ config `base` has no such key\n"
        "  |\n"
        'help: did you mean `optimizer.lr`? To declare a new key write `new rows from "points.csv"`'
    )


def test_a_cell_that_does_not_fit_is_shown_in_the_csv() -> None:
    """A cell of a wrong type is marked, blanks around it left out."""
    found = faults(CLOSED, {"points.csv": "seed,name\n1,a\n x ,b\n"})

    assert found.startswith("error[XP034]: `seed` is an int, but this is a text\n --> points.csv:3:2\n")


def test_faults_of_the_file() -> None:
    """Ragged rows, heads that are given twice, and heads that are no keys are each reported."""
    assert concise(OPEN, {"points.csv": "a,a,3x\n1,2,3\n1,2,3,4\n"}) == [
        "points.csv:1:3: error[XP109]: two columns are called `a`",
        "points.csv:1:5: error[XP109]: `3x` is no key",
        "points.csv:3:7: error[XP108]: this row has 4 cells, and the header has 3",
    ]
    assert concise(OPEN, {"points.csv": ""}) == ["Experimentfile:2:15: error[XP108]: `points.csv` has no header line"]
    assert concise(OPEN, {"points.csv": "a\n"}) == [
        "Experimentfile:2:15: error[XP039]: `points.csv` has no rows below its header"
    ]
    assert concise(OPEN) == ["Experimentfile:2:15: error[XP100]: cannot read `points.csv`: no such file or directory"]
    assert concise(OPEN, {"points.csv": 'a\n"x\n'})[0].startswith(
        "points.csv:2:1: error[XP108]: `points.csv` is no CSV"
    )
