"""The cache of records: what ended runs say, kept in SQLite so that nobody reads them twice.

Files are the truth. An index that is damaged, of another version or of another folder is made anew without a word.
Two processes may bring it up to date at once: each writes what it read, and what a run says when it has ended is final.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .index_place import MEMORY
from .reducers import REDUCERS

VERSION: Final = 1
TABLES: Final = ("runs", "claims", "summaries")
WAIT: Final = 10.0  # seconds for another process that writes

_SCHEMA: Final = f"""
CREATE TABLE place (runs TEXT, inode INTEGER);
CREATE TABLE folders (experiment TEXT PRIMARY KEY, touched INTEGER) WITHOUT ROWID;
CREATE TABLE logs (name TEXT PRIMARY KEY, inode INTEGER, read INTEGER) WITHOUT ROWID;
CREATE TABLE runs (experiment TEXT, id TEXT, inode INTEGER, attempt INTEGER, state TEXT, record TEXT,
    declared TEXT, PRIMARY KEY (experiment, id));
CREATE TABLE claims (experiment TEXT, id TEXT, claimed TEXT, PRIMARY KEY (experiment, id));
CREATE TABLE summaries (experiment TEXT, name TEXT, id TEXT, {", ".join(f'"{r}"' for r in REDUCERS)},
    PRIMARY KEY (experiment, name, id)) WITHOUT ROWID;
"""


@dataclass(slots=True)
class Entry:
    """A run as the index has it. *state* is how it ended; none: it goes on, or nobody knows yet, so it is read again.

    *record* is JSON: the lines of its journal less values and command. *claimed* is JSON as well: its values.
    *declared* is the digest of the declarations by which its metrics were read. *attempt* 0: a folder, no journal.
    """

    experiment: str
    id: str
    inode: int
    attempt: int
    state: str | None
    record: str
    declared: str | None = None
    claimed: str | None = None


class Index:
    """The index of a project at *place* (a path or ``:memory:``)."""

    def __init__(self, project: Path, place: str) -> None:
        self.project = project
        self.place = place
        self._connection = self._open()

    def close(self) -> None:
        self._connection.close()

    def __del__(self) -> None:
        # A command ends without ceremony; Python 3.13 complains of connections that are left to it.
        with contextlib.suppress(AttributeError):  # it never opened
            self._connection.close()

    def _open(self) -> sqlite3.Connection:
        if self.place == MEMORY:
            return self._connect(MEMORY)
        try:
            return self._connect(self.place)
        except sqlite3.OperationalError:
            pass  # held by another for too long, or not to be written: theirs, and not to be replaced
        except sqlite3.DatabaseError:
            with contextlib.suppress(sqlite3.Error, OSError):
                self._replace()
                return self._connect(self.place)
        self.place = MEMORY
        return self._connect(MEMORY)

    def _connect(self, place: str) -> sqlite3.Connection:
        """Open an index; raises `sqlite3.Error` if it is none, or not of this version and project."""
        # One thread uses an index; another one may be the one that lets go of it.
        connection = sqlite3.connect(place, timeout=WAIT, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA synchronous = OFF")  # after a power loss it is made anew
            with _transaction(connection):
                (version,) = connection.execute("PRAGMA user_version").fetchone()
                if version == 0:
                    self._create(connection)
                elif version != VERSION or self._place() != connection.execute("SELECT * FROM place").fetchone():
                    raise sqlite3.DatabaseError("an index of something else")
        except BaseException:
            connection.close()
            raise
        return connection

    def _create(self, connection: sqlite3.Connection) -> None:
        for statement in _SCHEMA.split(";"):
            connection.execute(statement)
        connection.execute("INSERT INTO place VALUES (?, ?)", self._place())
        connection.execute(f"PRAGMA user_version = {VERSION}")

    def _place(self) -> tuple[str, int]:
        """Name the folder of the runs, so that another one that came into its place is not taken for it."""
        runs = os.path.realpath(self.project)
        return runs, os.stat(runs).st_ino

    def _replace(self) -> None:
        """Put an empty file in the place of a damaged index; whoever has that one open keeps it."""
        fresh = f"{self.place}.{os.getpid()}"
        with open(fresh, "wb"):
            pass
        for left in ("-journal", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.place + left)
        os.replace(fresh, self.place)

    def rebuild(self) -> None:
        """Forget everything; where the file can't be replaced, go on in memory."""
        self._connection.close()
        try:
            if self.place != MEMORY:
                self._replace()
        except OSError:
            self.place = MEMORY
        self._connection = self._open()

    def recover(self, error: sqlite3.Error) -> None:
        """Go on after *error*: with a new index where this one is damaged, in memory where another holds it."""
        if isinstance(error, sqlite3.OperationalError):
            self.place = MEMORY
        self.rebuild()

    # -------------------------------------------------------------- what is kept

    def entries(self) -> list[Entry]:
        """Give all runs, without what they claimed."""
        rows = self._connection.execute("SELECT experiment, id, inode, attempt, state, record, declared FROM runs")
        return [Entry(*row) for row in rows]

    def claimed(self, experiment: str) -> dict[str, dict[str, Any]]:
        """Give the values that the runs of an experiment had, by id."""
        rows = self._connection.execute("SELECT id, claimed FROM claims WHERE experiment = ?", (experiment,))
        return {id: json.loads(values) for id, values in rows}

    def folders(self) -> dict[str, int]:
        """Give the time of each experiment's folder when it was listed last, in nanoseconds."""
        return dict(self._connection.execute("SELECT experiment, touched FROM folders").fetchall())

    def logs(self) -> dict[str, tuple[int, int]]:
        """Give how far each log of events has been read: its inode and the bytes."""
        rows = self._connection.execute("SELECT name, inode, read FROM logs")
        return {name: (inode, read) for name, inode, read in rows}

    def save(
        self,
        entries: Iterable[Entry],
        gone: Sequence[tuple[str, str]],
        folders: Iterable[tuple[str, int]],
        logs: Iterable[tuple[str, int, int]],
    ) -> None:
        """Keep what was read: changed runs, runs that are gone, folders listed, logs read."""
        entries = list(entries)
        with _transaction(self._connection) as connection:
            self._forget(connection, gone)
            rows = [(e.experiment, e.id, e.inode, e.attempt, e.state, e.record, e.declared) for e in entries]
            connection.executemany("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            claims = [(e.experiment, e.id, e.claimed) for e in entries if e.claimed is not None]
            connection.executemany("INSERT OR REPLACE INTO claims VALUES (?, ?, ?)", claims)
            connection.executemany("INSERT OR REPLACE INTO folders VALUES (?, ?)", folders)
            connection.executemany("INSERT OR REPLACE INTO logs VALUES (?, ?, ?)", logs)

    def _forget(
        self, connection: sqlite3.Connection, gone: Sequence[tuple[str, str]], tables: Sequence[str] = TABLES
    ) -> None:
        if not gone:
            return
        connection.execute("CREATE TEMP TABLE IF NOT EXISTS gone (experiment TEXT, id TEXT)")
        connection.execute("DELETE FROM gone")
        connection.executemany("INSERT INTO gone VALUES (?, ?)", gone)
        for table in tables:
            connection.execute(f"DELETE FROM {table} WHERE (experiment, id) IN gone")  # noqa: S608  # our own names

    def save_summaries(
        self, experiment: str, declared: str, ids: Iterable[str], rows: Iterable[Sequence[object]]
    ) -> None:
        """Keep the reduced metrics of ended runs: *rows* are name, id and a value for each reducer."""
        mine = [(experiment, id) for id in ids]
        with _transaction(self._connection) as connection:
            self._forget(connection, mine, ("summaries",))
            marks = ", ".join("?" * (3 + len(REDUCERS)))
            statement = f"INSERT OR REPLACE INTO summaries VALUES ({marks})"  # noqa: S608  # marks alone
            connection.executemany(statement, ((experiment, *row) for row in rows))
            done = [(declared, *run) for run in mine]
            connection.executemany("UPDATE runs SET declared = ? WHERE experiment = ? AND id = ?", done)

    def metric_names(self, experiment: str) -> list[str]:
        """Give the names of all metrics that an ended run of an experiment has."""
        names: list[str] = []
        last = ""
        while True:  # one search a name, instead of one look at every row
            row = self._connection.execute(
                "SELECT name FROM summaries WHERE experiment = ? AND name > ? ORDER BY name LIMIT 1", (experiment, last)
            ).fetchone()
            if row is None:
                return names
            last = row[0]
            names.append(last)

    def summaries(self, experiment: str, name: str, reducer: str) -> dict[str, float | int | None]:
        """Give a reduced metric of ended runs by id."""
        if reducer not in REDUCERS:
            raise ValueError(f"no such reducer: {reducer}")
        statement = f'SELECT id, "{reducer}" FROM summaries WHERE experiment = ? AND name = ?'  # noqa: S608  # checked
        return dict(self._connection.execute(statement, (experiment, name)).fetchall())


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
