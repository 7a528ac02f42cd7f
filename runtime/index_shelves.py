"""Loose rows of the index to shelves, a blob a column, and shelves to a pile: what is valid on all of them together."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .index_columns import encode, from_json
from .index_fields import KEPT
from .records import RunRecord
from .reducers import REDUCERS

RUNS: Final = "runs"
SERIES: Final = "series"
ENOUGH: Final = 1_000  # loose rows that are worth a shelf
DIGITS: Final = 16  # of an id


@dataclass(slots=True)
class Pile:
    """The shelves of one kind for one experiment: their numbers with how many runs each has, first shelf first.

    *ids*: the runs that count, in order; *kept* their places among all on the shelves (none: all of them count).
    *about*: what each shelf says of all its runs. *packed*: the ids of all runs on the shelves, 8 bytes each.
    """

    shelves: Sequence[tuple[int, int]]
    ids: list[str]
    kept: list[int] | None
    about: Sequence[Any]
    packed: bytes = b""


def pile_of(connection: sqlite3.Connection, kind: str, experiment: str, like: Pile | None = None) -> Pile:
    """Put an experiment's shelves together, less the runs that have changed since, or are gone.

    With the runs of *like*, as series have those of the records, the list of ids is the same object.
    """
    rows = connection.execute(
        "SELECT number, ids, about FROM shelves WHERE kind = ? AND experiment = ? ORDER BY number", (kind, experiment)
    ).fetchall()
    shelves = [(number, 2 * len(own) // DIGITS) for number, own, _ in rows]
    about = [from_json(row[2]) for row in rows]
    packed = b"".join(own for _, own, _ in rows)
    if like is not None and like.kept is None and like.packed == packed:
        ids = like.ids
    else:
        whole = packed.hex()
        ids = [whole[i : i + DIGITS] for i in range(0, len(whole), DIGITS)]
    kept = _kept(connection, kind, experiment, ids, shelves) if ids else None
    return Pile(shelves, ids if kept is None else [ids[i] for i in kept], kept, about, packed)


def _kept(
    connection: sqlite3.Connection, kind: str, experiment: str, ids: Sequence[str], shelves: Sequence[tuple[int, int]]
) -> list[int] | None:
    """Give the places that count; nothing if all do."""
    rows = connection.execute("SELECT id, shelf FROM gone WHERE kind = ? AND experiment = ?", (kind, experiment))
    gone: dict[str, int] = dict(rows.fetchall())
    if not gone:
        return None
    numbers = (number for number, count in shelves for _ in range(count))
    return [place for place, (id, number) in enumerate(zip(ids, numbers, strict=True)) if gone.get(id, 0) < number]


def shelved_since(connection: sqlite3.Connection, kind: str, experiment: str, pile: Pile) -> set[str]:
    """Give the runs on shelves that came after those of a pile."""
    rows = connection.execute(
        "SELECT ids FROM shelves WHERE kind = ? AND experiment = ? AND number > ?",
        (kind, experiment, pile.shelves[-1][0] if pile.shelves else 0),
    )
    whole = b"".join(ids for (ids,) in rows).hex()
    return {whole[i : i + DIGITS] for i in range(0, len(whole), DIGITS)}


def put_away(
    connection: sqlite3.Connection,
    kind: str,
    experiment: str,
    project: Path,
    fresh: Mapping[tuple[str, str], RunRecord],
) -> None:
    """Put the loose ended rows on a shelf if there are enough of them. *fresh*: records that were just read."""
    table = "runs WHERE shelf IS NULL AND state IS NOT NULL AND" if kind == RUNS else "series WHERE"
    (count,) = connection.execute(f"SELECT count(*) FROM {table} experiment = ?", (experiment,)).fetchone()  # noqa: S608
    if count < ENOUGH:
        return
    if kind == RUNS:
        _put_runs_away(connection, experiment, project, fresh)
    else:
        _put_series_away(connection, experiment)


def _put_runs_away(
    connection: sqlite3.Connection, experiment: str, project: Path, fresh: Mapping[tuple[str, str], RunRecord]
) -> None:
    rows = connection.execute(
        "SELECT id, inode, pack, attempt, state, record FROM runs "
        "WHERE shelf IS NULL AND state IS NOT NULL AND experiment = ? ORDER BY rowid",
        (experiment,),
    ).fetchall()
    records = [
        fresh.get((experiment, id)) or parse_record(experiment, id, attempt, record, project)
        for id, _, _, attempt, _, record in rows
    ]
    columns: dict[tuple[str, str], Sequence[Any]] = {
        ("inode", ""): [row[1] for row in rows],
        ("pack", ""): [row[2] for row in rows],
        ("state", ""): [row[4] for row in rows],
    }
    columns |= {(name, "field"): [read(record) for record in records] for name, read in KEPT.items()}
    number = _add_shelf(connection, RUNS, experiment, [row[0] for row in rows], None, columns)
    statement = "UPDATE runs SET shelf = ? WHERE shelf IS NULL AND state IS NOT NULL AND experiment = ?"
    connection.execute(statement, (number, experiment))


def _put_series_away(connection: sqlite3.Connection, experiment: str) -> None:
    rows = connection.execute(
        "SELECT id, build, declared, reduced FROM series WHERE experiment = ? ORDER BY rowid", (experiment,)
    ).fetchall()
    reduced = [from_json(row[3]) for row in rows]
    names = sorted({name for series in reduced for name in series})
    nothing = (None,) * len(REDUCERS)
    columns: dict[tuple[str, str], Sequence[Any]] = {}
    for name in names:
        parts = zip(*(series.get(name, nothing) for series in reduced), strict=True)
        columns |= {(name, reducer): values for reducer, values in zip(REDUCERS, parts, strict=True)}
    about = sorted({(build, declared) for _, build, declared, _ in rows})
    _add_shelf(connection, SERIES, experiment, [row[0] for row in rows], about, columns)
    connection.execute("DELETE FROM series WHERE experiment = ?", (experiment,))


def _add_shelf(
    connection: sqlite3.Connection,
    kind: str,
    experiment: str,
    ids: Sequence[str],
    about: Any,
    columns: Mapping[tuple[str, str], Sequence[Any]],
) -> int:
    cursor = connection.execute(
        "INSERT INTO shelves (kind, experiment, ids, about) VALUES (?, ?, ?, ?)",
        (kind, experiment, bytes.fromhex("".join(ids)), json.dumps(about)),
    )
    number = cursor.lastrowid
    assert number is not None
    rows = ((number, *key, encode(values)) for key, values in columns.items())
    connection.executemany("INSERT INTO columns VALUES (?, ?, ?, ?)", rows)
    return number


def drop_shelves(connection: sqlite3.Connection, numbers: Iterable[int]) -> None:
    """Forget some shelves."""
    which = [(number,) for number in numbers]
    connection.executemany("DELETE FROM shelves WHERE number = ?", which)
    connection.executemany("DELETE FROM columns WHERE shelf = ?", which)


def parse_record(experiment: str, id: str, attempt: int, text: str, project: Path) -> RunRecord:
    """Give the record that the index keeps as JSON, without values and command."""
    kept = from_json(text)
    match kept:
        case {"claim": dict(), "start": dict() | None, "end": dict() | None}:
            progress = kept.get("progress")
        case _:
            raise sqlite3.DatabaseError("the index is damaged")
    return RunRecord(
        id=id,
        experiment=experiment,
        folder=os.path.join(project, "runs", experiment, id),
        attempt=attempt,
        claim=kept["claim"],
        start=kept["start"],
        end=kept["end"],
        progress=(progress[0], progress[1]) if progress else None,
        torn=kept.get("torn", False),
        broken=kept.get("broken"),
        released=kept.get("released", False),
    )
