"""The cache of records: what ended runs say, kept in SQLite so that nobody reads them twice.

Files are the truth. An index that is damaged, of another version or of another folder is made anew without a word.
Two processes may bring it up to date at once: each writes what it read, and what a run says when it has ended is final.

A run is a row of `runs`. Once a thousand ended ones have come together, they are put on a *shelf* as well: a blob a
column, which is what queries read. Shelves are not rewritten: that a run has changed, or is gone, stands in `gone` with
the last shelf there was then; on that one and on those before it the run does not count.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .index_columns import Value, decode, from_json
from .index_fields import NAMES
from .index_lock import IndexLock
from .index_place import MEMORY
from .index_shelves import RUNS, SERIES, Pile, drop_shelves, pile_of, put_away, shelved_since
from .records import RunRecord
from .shim import machine

VERSION: Final = 5 << 16 | NAMES
TRIES: Final = 3
WAIT: Final = 10.0  # seconds for another process that writes

_SCHEMA: Final = """
CREATE TABLE place (runs TEXT, inode INTEGER, boot TEXT);
CREATE TABLE folders (experiment TEXT PRIMARY KEY, touched INTEGER) WITHOUT ROWID;
CREATE TABLE logs (name TEXT PRIMARY KEY, inode INTEGER, read INTEGER) WITHOUT ROWID;
CREATE TABLE runs (experiment TEXT, id TEXT, inode INTEGER, pack TEXT, attempt INTEGER, state TEXT, record TEXT,
    shelf INTEGER, PRIMARY KEY (experiment, id));
CREATE INDEX loose_runs ON runs (experiment) WHERE shelf IS NULL;
CREATE TABLE claims (experiment TEXT, id TEXT, claimed TEXT, PRIMARY KEY (experiment, id));
CREATE TABLE series (experiment TEXT, id TEXT, build TEXT, declared TEXT, reduced TEXT, PRIMARY KEY (experiment, id));
CREATE TABLE shelves (number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT, experiment TEXT, ids BLOB, about TEXT);
CREATE TABLE columns (shelf INTEGER, name TEXT, part TEXT, data BLOB, PRIMARY KEY (shelf, name, part));
CREATE TABLE gone (kind TEXT, experiment TEXT, id TEXT, shelf INTEGER,
    PRIMARY KEY (kind, experiment, id)) WITHOUT ROWID;
"""

_OVER: Final = """
INSERT OR REPLACE INTO gone SELECT '{kind}', experiment, id, (SELECT ifnull(max(number), 0) FROM shelves) FROM runs
    WHERE experiment = ? AND id = ? AND state IS NOT NULL
"""
_OTHER_SERIES: Final = """
DELETE FROM series WHERE (experiment, id) IN (SELECT experiment, id FROM runs WHERE experiment = ? AND id = ?
    AND record != ?)
"""


class MovedError(Exception):
    """Another process has put the shelves in another order since they were looked at: look again."""


@dataclass(slots=True)
class Entry:
    """A run as the index has it. *state* is how it ended; none: it goes on, or nobody knows yet, so it is read again.

    *record* is JSON: the lines of its journal less values and command. *claimed* is JSON as well: its values.
    *pack* is the name of the pack that it lies in, *inode* that of its folder. *attempt* 0: a folder, no journal.
    """

    experiment: str
    id: str
    inode: int
    pack: str | None
    attempt: int
    state: str | None
    record: str
    claimed: str | None = None
    whole: RunRecord | None = None  # if it has just been read


@dataclass(slots=True)
class Shelved:
    """All runs of an experiment that the index knows: the loose ones by id, the others on shelves."""

    loose: dict[str, Entry]
    pile: Pile


class Index:
    """The index of a project at *place* (a path or ``:memory:``)."""

    def __init__(self, project: Path, place: str) -> None:
        self.project = project
        self.place = place
        self._lock = IndexLock(place)
        self._connection = self._open()

    def close(self) -> None:
        self._connection.close()
        self._lock.release()

    def __del__(self) -> None:
        # A command ends without ceremony; Python 3.13 complains of connections that are left to it.
        with contextlib.suppress(AttributeError):  # it never opened
            self.close()

    def _open(self) -> sqlite3.Connection:
        """Open the index; one in memory where it is held by another, not to be written, or not to be replaced."""
        for _ in range(TRIES if self.place != MEMORY else 0):
            with contextlib.suppress(OSError):
                if not self._lock.share():
                    break
                damaged = _inode(self.place)
                try:
                    return self._connect(self.place)
                except sqlite3.OperationalError:
                    break
                except sqlite3.DatabaseError:
                    if not self._replace(damaged):
                        break
        self._lock.release()
        self.place = MEMORY
        return self._connect(MEMORY)

    def _connect(self, place: str) -> sqlite3.Connection:
        """Open an index; raises `sqlite3.Error` if it is none, or not of this version and project."""
        if place != MEMORY:
            _make_private(place)
        # One thread uses an index; another one may be the one that lets go of it.
        connection = sqlite3.connect(place, timeout=WAIT, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA synchronous = OFF")  # after a power loss it is made anew
            if connection.execute("PRAGMA user_version").fetchone() != (VERSION,):
                self._create(connection)
            if self._place() != connection.execute("SELECT * FROM place").fetchone():
                raise sqlite3.DatabaseError("an index of something else")
        except BaseException:
            connection.close()
            raise
        return connection

    def _create(self, connection: sqlite3.Connection) -> None:
        with transaction(connection):
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version == VERSION:
                return  # somebody else was quicker
            if version != 0:
                raise sqlite3.DatabaseError("an index of another version")
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute("INSERT INTO place VALUES (?, ?, ?)", self._place())
            connection.execute(f"PRAGMA user_version = {VERSION}")

    def _place(self) -> tuple[str, int, str]:
        """Name the folder of the runs, so that another one that came into its place is not taken for it; and the boot:
        of what was kept before a power loss nobody knows what reached the disk, nor of the records that were read."""
        runs = os.path.realpath(self.project)
        return runs, os.stat(runs).st_ino, machine.here()["boot"]

    def _replace(self, damaged: int | None) -> bool:
        """Put an empty file in the place of the index with the inode *damaged*, unless somebody was quicker; tell
        whether it is gone. Not while others have it open. Raises ``OSError``."""
        with self._lock.alone() as mine:
            if mine and _inode(self.place) == damaged:
                fresh = f"{self.place}.{os.getpid()}"
                _make_private(fresh)
                os.replace(fresh, self.place)
                for left in (
                    "-journal",
                    "-wal",
                    "-shm",
                ):  # after it: beside an empty file SQLite plays none of them back
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(self.place + left)
        return mine

    @contextlib.contextmanager
    def anew(self) -> Iterator[None]:
        """Forget everything, and keep what is saved in the block: one step for all others who look."""
        with transaction(self._connection) as connection:
            for table in ("folders", "logs", "runs", "claims", "series", "shelves", "columns", "gone"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608  # ours
            yield

    def moment(self) -> contextlib.AbstractContextManager[object]:
        """Show in the block one and the same state, whatever others save meanwhile."""
        return transaction(self._connection, "DEFERRED")

    def recover(self, error: sqlite3.Error) -> None:
        """Go on after *error*: with a new index where this one is damaged, in memory where that can't be had."""
        self._connection.close()
        if self.place != MEMORY:
            mine = False
            if not isinstance(error, sqlite3.OperationalError):
                with contextlib.suppress(OSError):
                    mine = self._replace(_inode(self.place))
            self.place = self.place if mine else MEMORY
        self._connection = self._open()

    # -------------------------------------------------------------- what is kept of runs

    def runs(self) -> dict[str, Shelved]:
        """Give all runs by experiment, as they are at one moment."""
        with transaction(self._connection, "DEFERRED") as connection:
            piles = {name: pile_of(connection, RUNS, name) for name in self._experiments(connection)}
            found = {name: Shelved({}, pile) for name, pile in piles.items()}
            rows = connection.execute(
                "SELECT experiment, id, inode, pack, attempt, state, record FROM runs WHERE shelf IS NULL"
            )
            for row in rows:
                found[row[0]].loose[row[1]] = Entry(*row)
        return found

    def _experiments(self, connection: sqlite3.Connection) -> list[str]:
        rows = connection.execute(
            "SELECT experiment FROM shelves WHERE kind = ? UNION SELECT experiment FROM runs WHERE shelf IS NULL",
            (RUNS,),
        )
        return [name for (name,) in rows]

    def column(self, pile: Pile, name: str, part: str = "") -> list[Value]:
        """Give a column of a pile, a value a run on it; null where a shelf lacks the column."""
        found: list[Value] = []
        for number, count in pile.shelves:
            row = self._connection.execute(
                "SELECT data FROM columns WHERE shelf = ? AND name = ? AND part = ?", (number, name, part)
            ).fetchone()
            if row is None:
                if self._connection.execute("SELECT 1 FROM shelves WHERE number = ?", (number,)).fetchone() is None:
                    raise MovedError
                found += [None] * count
            else:
                found += decode(row[0])
        return found if pile.kept is None else [found[i] for i in pile.kept]

    def names(self, pile: Pile) -> list[str]:
        """Give the names of the columns of a pile, in order."""
        found: set[str] = set()
        for number, _ in pile.shelves:
            rows = self._connection.execute("SELECT DISTINCT name FROM columns WHERE shelf = ?", (number,))
            found.update(name for (name,) in rows)
        return sorted(found)

    def entry(self, experiment: str, id: str) -> Entry | None:
        """Give one run."""
        row = self._connection.execute(
            "SELECT experiment, id, inode, pack, attempt, state, record FROM runs WHERE experiment = ? AND id = ?",
            (experiment, id),
        ).fetchone()
        return None if row is None else Entry(*row)

    def claimed(self, experiment: str) -> dict[str, dict[str, Any]]:
        """Give the values that the runs of an experiment had, by id."""
        rows = self._connection.execute("SELECT id, claimed FROM claims WHERE experiment = ?", (experiment,))
        return {id: from_json(values) for id, values in rows}

    def folders(self) -> dict[str, int]:
        """Give the time of each folder of runs or packs when it was listed last, in nanoseconds."""
        return dict(self._connection.execute("SELECT experiment, touched FROM folders").fetchall())

    def logs(self) -> dict[str, tuple[int, int]]:
        """Give how far each log of events has been read: its inode and the bytes."""
        rows = self._connection.execute("SELECT name, inode, read FROM logs")
        return {name: (inode, read) for name, inode, read in rows}

    def save(
        self,
        entries: Sequence[Entry],
        gone: Sequence[tuple[str, str]],
        folders: Iterable[tuple[str, int]],
        logs: Iterable[tuple[str, int, int]],
    ) -> None:
        """Keep what was read: changed runs, runs that are gone, folders listed, logs read."""
        with transaction(self._connection) as connection:
            again = [(e.experiment, e.id) for e in entries]
            connection.executemany(_OVER.format(kind=RUNS), [*gone, *again])
            connection.executemany(_OVER.format(kind=SERIES), gone)
            for table in ("runs", "claims", "series"):
                connection.executemany(f"DELETE FROM {table} WHERE experiment = ? AND id = ?", gone)  # noqa: S608  # ours
            # A run that has only been packed has the series that it had.
            changed = [(e.experiment, e.id, e.record) for e in entries]
            connection.executemany(_OVER.format(kind=SERIES) + "AND record != ?", changed)
            connection.executemany(_OTHER_SERIES, changed)
            rows = [(e.experiment, e.id, e.inode, e.pack, e.attempt, e.state, e.record) for e in entries]
            connection.executemany("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, NULL)", rows)
            claims = [(e.experiment, e.id, e.claimed) for e in entries if e.claimed is not None]
            connection.executemany("INSERT OR REPLACE INTO claims VALUES (?, ?, ?)", claims)
            connection.executemany("INSERT OR REPLACE INTO folders VALUES (?, ?)", folders)
            connection.executemany("INSERT OR REPLACE INTO logs VALUES (?, ?, ?)", logs)
            fresh = {(e.experiment, e.id): e.whole for e in entries if e.whole is not None}
            for experiment in {e.experiment for e in entries}:
                put_away(connection, RUNS, experiment, self.project, fresh)

    # -------------------------------------------------------------- what is kept of their series

    def series(self, experiment: str, like: Pile | None = None) -> tuple[dict[str, tuple[str, str, str]], Pile]:
        """Give build, digest of the declarations and reduced series (JSON) of loose runs; and those on shelves."""
        with transaction(self._connection, "DEFERRED") as connection:
            rows = connection.execute(
                "SELECT id, build, declared, reduced FROM series WHERE experiment = ?", (experiment,)
            )
            loose = {id: (build, declared, reduced) for id, build, declared, reduced in rows}
            return loose, pile_of(connection, SERIES, experiment, like)

    def save_series(self, experiment: str, rows: Sequence[tuple[str, str, str, str]], pile: Pile) -> None:
        """Keep the reduced series of ended runs: id, build, digest of the declarations, reduced series (JSON).

        *pile* is what was on shelves when somebody saw that these were missing; another process may have added them.
        """
        with transaction(self._connection) as connection:
            others = shelved_since(connection, SERIES, experiment, pile)
            statement = "INSERT OR REPLACE INTO series VALUES (?, ?, ?, ?, ?)"
            connection.executemany(statement, ((experiment, *row) for row in rows if row[0] not in others))
            put_away(connection, SERIES, experiment, self.project, {})

    def drop_series(self, pile: Pile) -> None:
        """Forget the shelves of a pile: their series were read by other declarations."""
        with transaction(self._connection) as connection:
            drop_shelves(connection, [number for number, _ in pile.shelves])


def _inode(path: str) -> int | None:
    """Name the file at a path; nothing if there is none."""
    try:
        return os.stat(path).st_ino
    except FileNotFoundError:
        return None


def _make_private(place: str) -> None:
    """Make an empty file that this user alone may read: others may not be allowed to read all that will be in it."""
    with contextlib.suppress(OSError):  # what opens it says why
        try:
            os.close(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        except FileExistsError:  # an earlier version made it for everybody
            status = os.stat(place)
            if stat.S_IMODE(status.st_mode) & 0o077 and status.st_uid == os.geteuid():
                os.chmod(place, 0o600)


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection, kind: str = "IMMEDIATE") -> Iterator[sqlite3.Connection]:
    """Do the block wholly or not at all; as a part of the one around it, if there is one."""
    if connection.in_transaction:
        yield connection
        return
    connection.execute(f"BEGIN {kind}")
    try:
        yield connection
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
