"""A frame and an experiment's config to resolved columns: late values evaluated, once for equal arguments.

The value of a key in a row is the override, else what the grid has set, else the config's. Either of the last two may
be a ``Code``, which names other keys; those are resolved first.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import compress
from typing import Final, NoReturn, cast

from ..grammar.diagnostic import Label
from .fault import EvaluationError
from .findings import Findings
from .operators import truth
from .product import Cells, Frame, Pool, overlay, plain
from .study import Code, Experiment
from .table import NONE_HERE
from .types import NAMED, Mismatch, convert, label, named
from .values import Path, Value, dotted

_CHUNK: Final = 8_192
_MOST_KEPT: Final = 262_144

_MOSTLY: Final = 0.9

Combination = tuple[int, ...]
Encode = Callable[[Value, Code | None], int]
"""Gives the code of a value in the column that is being made; the ``Code`` is what computed it."""
Lookup = Sequence[Value] | Mapping[int, Value]
Compute = Callable[[Combination], int]
Whole = Callable[[Sequence["array[int]"]], Iterable[int]]
"""Does for columns what a ``Compute`` does for a row."""


class Poisoned(Exception):  # noqa: N818  # no error to show: that has been reported
    """What was asked for hangs on a value that could not be had; that has been reported."""


class _Cycle(Exception):  # noqa: N818  # caught where the cycle begins
    """A key was met again on the way to its own value."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path


class Late:
    """The resolved columns of one frame, each made when it is first asked for.

    ``cells`` and ``mask`` raise ``Poisoned`` for what can't be had.
    """

    def __init__(self, experiment: Experiment, frame: Frame, findings: Findings) -> None:
        self.experiment = experiment
        self.frame = frame
        self.findings = findings
        self._done: dict[Path, Cells | None] = {}
        self._open: list[Path] = []

    def cells(self, path: Path) -> Cells:
        """Give the values of a key, absent where a row lacks it; of a group of keys, maps; of neither, null."""
        if path in self._open:
            raise _Cycle(path)
        if path in self._done:
            found = self._done[path]
            if found is None:
                raise Poisoned
            return found
        self._open.append(path)
        try:
            found = self._made(path)
        except _Cycle as cycle:
            if cycle.path != path:
                raise
            found = None
        except Poisoned:
            self._done[path] = None
            raise
        finally:
            self._open.pop()
        if found is None:
            from .cycle import solve

            solve(path, self)
            return self.cells(path)
        self._done[path] = found
        return found

    def settle(self, path: Path, cells: Cells | None) -> None:
        """Take the values of a key from elsewhere; nothing if they can't be had."""
        self._done[path] = cells

    def mask(self, condition: Code) -> bytes | bool:
        """Give a 1 for each row where *condition* holds, or its outcome if that is one for all rows."""
        left: array[int] | None = None
        for part in condition.conjuncts or (condition,):
            held = self._applied(Cells([part], None), _outcome, left)
            if isinstance(held, int):
                if not held:
                    return False
            else:
                left = array("I", compress(range(self.frame.count) if left is None else left, held))
                if not left:
                    break
        if left is None:
            return True
        found = bytearray(self.frame.count)
        for row in left:
            found[row] = 1
        return bytes(found)

    # -------------------------------------------------------------- what is set

    def definition(self, path: Path) -> Cells | None:
        """Give what is set for a key, late values unevaluated; nothing if it is no key."""
        experiment = self.experiment
        if path in experiment.overrides:
            return Cells([experiment.overrides[path]], None)
        given = self.frame.columns.get(path)
        default = experiment.keys.get(path)
        if default is None:
            return given
        bottom = Cells([default.value], None)
        return bottom if given is None else overlay(given, bottom, self.frame.count)

    def dependencies(self, names: Iterable[Path]) -> set[Path]:
        """Give all keys that the values of *names* hang on, themselves included."""
        found: set[Path] = set()
        todo = list(names)
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo.extend(self.named_by(name))
        return found

    def named_by(self, path: Path) -> list[Path]:
        """Give what the definitions of a key name; the keys of a group."""
        defined = self.definition(path)
        if defined is None:
            return self.leaves(path)
        return [name for cell in defined.pool if isinstance(cell, Code) for name in cell.names]

    def leaves(self, group: Path) -> list[Path]:
        """Give the keys below a group."""
        known = dict.fromkeys([*self.experiment.keys, *self.frame.paths(), *self.experiment.overrides])
        return [key for key in known if key[: len(group)] == group]

    # -------------------------------------------------------------- one column

    def _made(self, path: Path) -> Cells:
        defined = self.definition(path)
        if defined is None:
            return self._group(path)
        if not any(isinstance(cell, Code) for cell in defined.pool):
            return defined
        pool = Pool()

        def encode(value: Value, code: Code | None) -> int:
            return pool.code(value if code is None else self.held(path, value, code))

        return self.column(pool, self._applied(defined, encode))

    def column(self, pool: Pool, codes: array[int] | int) -> Cells:
        """Give the column of what ``over`` gives."""
        if not isinstance(codes, int):
            return Cells(pool.values, codes)
        return Cells([], array("I", [NONE_HERE]) * self.frame.count) if codes == NONE_HERE else Cells(pool.values, None)

    def held(self, path: Path, value: Value, code: Code) -> Value:
        """Give a computed value as its key holds it."""
        key = self.experiment.keys.get(path)
        if key is None:
            return value
        held = convert(value, key.type)
        if isinstance(held, Mismatch):
            message = f"`{dotted(path)}` is {NAMED[key.type]}, but this gives {named(value)}"
            labels = () if key.first == code.span else (Label(key.first, "it was first given here"),)
            self.findings.error("XP065", code.span, message, label(value), labels=labels)
            raise Poisoned
        return held

    def _group(self, group: Path) -> Cells:
        """Give the keys below *group* as one map a row; null if there is none."""
        leaves = {key[len(group) :]: self.cells(key) for key in self.leaves(group)}
        if not leaves:
            return Cells([None], None)

        pool = Pool()

        def compute(codes: Combination) -> int:
            at = iter(codes)
            whole: dict[str, Value] = {}
            for path, cells in leaves.items():
                code = 0 if cells.codes is None else next(at)
                if code != NONE_HERE:
                    put(whole, path, plain(cells.pool[code]))
            return pool.code(whole)

        columns = [cells.codes for cells in leaves.values() if cells.codes is not None]
        return self.column(pool, self.over(columns, compute))

    def _applied(self, defined: Cells, encode: Encode, rows: array[int] | None = None) -> array[int] | int:
        """Call the codes of a column, once for each combination of what they name; give a code a row, or one.

        With *rows*, only those are asked.
        """
        names = dict.fromkeys(name for cell in defined.pool if isinstance(cell, Code) for name in cell.names)
        inputs = {name: self.cells(name) for name in names}
        columns = [_at(cells.codes, rows) for cells in inputs.values() if cells.codes is not None]
        lookups = {name: _lookup(cells) for name, cells in inputs.items() if cells.codes is not None}
        only = defined.pool[0] if defined.codes is None else None
        if isinstance(only, Code) and tuple(lookups) == only.names and columns:
            return self.over(columns, *_direct(only, list(lookups.values()), encode), rows)
        fixed = {name: plain(cells.pool[0]) for name, cells in inputs.items() if cells.codes is None}
        if defined.codes is not None:
            columns.append(_at(defined.codes, rows))

        def compute(codes: Combination) -> int:
            which = 0 if defined.codes is None else codes[-1]
            if which == NONE_HERE:
                return NONE_HERE
            cell = defined.pool[which]
            if not isinstance(cell, Code):
                return encode(cell, None)
            values = dict(fixed)
            for (name, lookup), code in zip(lookups.items(), codes, strict=False):
                values[name] = lookup[code]
            return encode(cell.call([values[name] for name in cell.names]), cell)

        return self.over(columns, compute, None, rows)

    def over(
        self,
        columns: Sequence[array[int]],
        compute: Compute,
        whole: Whole | None = None,
        numbers: array[int] | None = None,
    ) -> array[int] | int:
        """Give what *compute* makes of each row's codes, asked once for equal ones; without *columns* one for all rows.

        Where hardly any two rows are equal, remembering costs more than it saves, and *whole* is asked instead.
        *numbers* are those of the rows in the frame, if they are not all of it.
        """
        if not columns:
            return self._asked(compute) if self.frame.count else NONE_HERE
        memo: dict[Combination | int, int] = {}
        found = array("I")
        for start in range(0, len(columns[0]), _CHUNK):
            parts = [codes[start : start + _CHUNK] for codes in columns]
            if whole is not None and len(memo) > _MOSTLY * min(start, _CHUNK) > 0:
                try:
                    found.extend(whole(parts))
                    continue
                except EvaluationError:
                    pass  # found again below, with its row
            rows: Sequence[Combination | int] = list(zip(*parts, strict=True)) if len(parts) > 1 else parts[0]
            for one in dict.fromkeys(rows):
                if one not in memo:
                    try:
                        memo[one] = compute((one,) if isinstance(one, int) else one)
                    except EvaluationError as error:
                        at = start + rows.index(one)
                        self._refuse(error, at if numbers is None else numbers[at])
            found.extend(map(memo.__getitem__, rows))
            if len(memo) > _MOST_KEPT:
                memo.clear()
        return found

    def _asked(self, compute: Compute) -> int:
        try:
            return compute(())
        except EvaluationError as error:
            self._refuse(error, 0)

    def _refuse(self, error: EvaluationError, row: int) -> NoReturn:
        self.findings.evaluation(error, self.frame, row)
        raise Poisoned from None


def _at(codes: array[int], rows: array[int] | None) -> array[int]:
    return codes if rows is None else array("I", map(codes.__getitem__, rows))


def _direct(code: Code, lookups: Sequence[Lookup], encode: Encode) -> tuple[Compute, Whole]:
    """Give what calls *code* with values that all vary: the common case, without a dictionary a call."""
    call = code.call

    def compute(codes: Combination) -> int:
        return encode(call([lookup[c] for lookup, c in zip(lookups, codes, strict=True)]), code)

    def whole(columns: Sequence[array[int]]) -> list[int]:
        values = [map(lookup.__getitem__, codes) for lookup, codes in zip(lookups, columns, strict=True)]
        return [encode(call(row), code) for row in zip(*values, strict=True)]

    return compute, whole


def _outcome(value: Value, code: Code | None) -> int:
    """Encode a condition's outcome as 1 or 0."""
    if value is True:
        return 1
    if value is False or code is None:
        return 0
    return int(truth(value, code.span))


def _lookup(cells: Cells) -> Lookup:
    """Give what turns a code into its value, an absent one into null."""
    values = [plain(cell) for cell in cells.pool]
    if cells.codes is not None and NONE_HERE in cells.codes:
        return {NONE_HERE: None, **dict(enumerate(values))}
    return values


def put(whole: dict[str, Value], path: Path, value: Value) -> None:
    """Set a value inside nested maps."""
    for segment in path[:-1]:
        whole = cast("dict[str, Value]", whole.setdefault(segment, {}))
    whole[path[-1]] = value
