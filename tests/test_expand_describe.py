"""What a person looks for in tables: the keys that tell runs apart, and the run behind a short id."""

from __future__ import annotations

from expansion import after, axis, code, experiment, grid, overlay, tables, when

from xpc.compiler.describe import differing_keys, id_length, row_of, rows_of, varying


def made():
    config = {"w": 1, "h": code("w", lambda w: 2 * w), "n": 5, "lr": 0.1}
    body = grid(overlay("config", a={"w": 1}, b={"w": 2}), axis("lr", 0.1, 0.2), axis("n", 5))
    return tables(
        experiment(body, config=config),
        experiment(grid(axis("t", 1, 2)), name="evaluate", after=(after("train"),)),
    )


def test_differing_keys_are_never_constants() -> None:
    """Axes first, in their order, what a config of an axis sets after them, derived ones last."""
    assert differing_keys(made()["train"]) == (("config",), ("lr",), ("w",), ("h",))


def test_varying_looks_at_the_chosen_rows_alone() -> None:
    """Rows that agree in a key don't need its column."""
    table = made()["train"]

    assert varying([(table, range(table.count))]) == differing_keys(table)
    assert varying([(table, [0, 1])]) == (("lr",),)
    assert varying([(table, [2])]) == ()
    assert varying([]) == ()


def test_varying_over_several_tables() -> None:
    """Constants that differ between tables vary; a key that one table lacks altogether does not for that alone."""
    found = made()

    assert varying([(found["train"], [0]), (found["evaluate"], [0])]) == ()
    assert varying([(found["train"], [0]), (found["evaluate"], [2])]) == (("lr",),)
    assert varying([(found["train"], [0]), (found["evaluate"], [0, 1])]) == (("t",),)


def test_key_that_some_rows_lack_varies() -> None:
    """Absent is a value of its own."""
    cnn = when((code("m", lambda m: m == "cnn"), [axis("k", 3)]))
    table = tables(experiment(grid(axis("m", "mlp", "cnn"), cnn)))["train"]

    assert differing_keys(table) == (("m",), ("k",))
    assert varying([(table, [0, 1])]) == (("m",), ("k",))


def test_rows_by_short_ids() -> None:
    """A prefix finds all rows that it fits, in any case, and one row if it is unique."""
    table = tables(experiment(grid(axis("a", *range(300)))))["train"]
    ids = list(table.ids())

    assert [row_of(table, id) for id in ids] == list(range(300))
    assert row_of(table, ids[7][:9].upper()) == 7
    assert rows_of(table, ids[7][:1]) == [row for row, id in enumerate(ids) if id[0] == ids[7][0]]
    assert row_of(table, ids[7][:1]) is None
    assert rows_of(table, "") == []
    assert rows_of(table, ids[7] + ids[8]) == []
    assert row_of(table, "not hex") is None


def test_id_length_tells_all_ids_apart() -> None:
    """Seven digits, or as many more as it takes."""
    table = tables(experiment(grid(axis("a", *range(3)))))["train"]

    assert id_length([table]) == 7
    table.digests = bytes.fromhex("0123456789abcdef0123456789abffffff23456789abcdef")
    assert id_length([table]) == 13
    assert id_length([]) == 7
