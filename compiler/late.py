"""A frame and an experiment's config to resolved columns: late values evaluated, once for equal arguments.

The value of a key in a row is the override, else what the grid has set, else the config's. Either of the last two may
be a ``Code``, which names other keys; those are resolved first.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Final, cast

from ..grammar.diagnostic import Label
from .fault import EvaluationError
from .findings import Findings
from .operators import truth
from .product import Cells, Frame, Pool, overlay, plain
from .study import Code, Experiment
from .table import NONE_HERE
from .types import NAMED, Mismatch, convert, label, named
from .values import ABSENT, Absent, Path, Value, dotted

_CHUNK: Final = 65_536
_MOST_KEPT: Final = 262_144

Combination = tuple[int, ...]
Compute = Callable[[Combination], Value | Absent]
Finish = Callable[[Value, Code], Value]


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
            self._solve_cycle(path)
            return self.cells(path)
        self._done[path] = found
        return found

    def mask(self, condition: Code) -> bytes | bool:
        """Give a 1 for each row where *condition* holds, or its outcome if that is one for all rows."""
        cells = self._applied(Cells([condition], None), lambda value, code: truth(value, code.span))
        if cells.codes is None:
            return cells.pool[0] is True
        return bytes(map([value is True for value in cells.pool].__getitem__, cells.codes))

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
                todo.extend(self._next(name))
        return found

    def _next(self, path: Path) -> list[Path]:
        defined = self.definition(path)
        if defined is None:
            return self._leaves(path)
        return [name for cell in defined.pool if isinstance(cell, Code) for name in cell.names]

    def _leaves(self, group: Path) -> list[Path]:
        known = dict.fromkeys([*self.experiment.keys, *self.frame.paths(), *self.experiment.overrides])
        return [key for key in known if key[: len(group)] == group]

    # -------------------------------------------------------------- one column

    def _made(self, path: Path) -> Cells:
        defined = self.definition(path)
        if defined is None:
            return self._group(path)
        if not any(isinstance(cell, Code) for cell in defined.pool):
            return defined
        return self._applied(defined, lambda value, code: self._held(path, value, code))

    def _held(self, path: Path, value: Value, code: Code) -> Value:
        """Give a computed value as its key holds it."""
        key = self.experiment.keys.get(path)
        if key is None:
            return value
        held = convert(value, key.type)
        if isinstance(held, Mismatch):
            message = f"`{dotted(path)}` is {NAMED[key.type]}, but this gives {named(value)}"
            labels = () if key.first == code.span else (Label(key.first, "it was first given here"),)
            self.findings.error("XP067", code.span, message, label(value), labels=labels)
            raise Poisoned
        return held

    def _group(self, group: Path) -> Cells:
        """Give the keys below *group* as one map a row; null if there is none."""
        leaves = {key[len(group) :]: self.cells(key) for key in self._leaves(group)}
        if not leaves:
            return Cells([None], None)

        def compute(codes: Combination) -> Value:
            at = iter(codes)
            whole: dict[str, Value] = {}
            for path, cells in leaves.items():
                code = 0 if cells.codes is None else next(at)
                if code != NONE_HERE:
                    _put(whole, path, plain(cells.pool[code]))
            return whole

        return self._over([cells.codes for cells in leaves.values() if cells.codes is not None], compute)

    def _applied(self, defined: Cells, finish: Finish) -> Cells:
        """Call the codes of a column, once for each combination of what they name."""
        names = dict.fromkeys(name for cell in defined.pool if isinstance(cell, Code) for name in cell.names)
        inputs = {name: self.cells(name) for name in names}
        columns = [cells.codes for cells in inputs.values() if cells.codes is not None]
        lookups = {name: _lookup(cells) for name, cells in inputs.items() if cells.codes is not None}
        first = defined.pool[0]
        if defined.codes is None and isinstance(first, Code) and tuple(lookups) == first.names:
            return self._over(columns, _direct(first, list(lookups.values()), finish))
        fixed = {name: plain(cells.pool[0]) for name, cells in inputs.items() if cells.codes is None}
        if defined.codes is not None:
            columns.append(defined.codes)

        def compute(codes: Combination) -> Value | Absent:
            which = 0 if defined.codes is None else codes[-1]
            if which == NONE_HERE:
                return ABSENT
            cell = defined.pool[which]
            if not isinstance(cell, Code):
                return cell
            values = dict(fixed)
            for (name, lookup), code in zip(lookups.items(), codes, strict=False):
                values[name] = lookup[code]
            return finish(cell.call([values[name] for name in cell.names]), cell)

        return self._over(columns, compute)

    def _over(self, columns: Sequence[array[int]], compute: Compute) -> Cells:
        """Give the column of what *compute* makes of each row's codes; it is asked once for equal ones."""
        pool = Pool()
        if not self.frame.count:
            return Cells([], array("I"))
        if not columns:
            value = self._asked(compute, (), [()], 0)
            return _one(value, self.frame.count)
        memo: dict[Combination, int] = {}
        found = array("I")
        for start in range(0, self.frame.count, _CHUNK):
            part = list(zip(*[codes[start : start + _CHUNK] for codes in columns], strict=True))
            for combination in dict.fromkeys(part):
                if combination not in memo:
                    value = self._asked(compute, combination, part, start)
                    memo[combination] = NONE_HERE if isinstance(value, Absent) else pool.code(value)
            found.extend(map(memo.__getitem__, part))
            if len(memo) > _MOST_KEPT:
                memo.clear()
        return Cells(pool.values, found)

    def _asked(
        self, compute: Compute, combination: Combination, rows: Sequence[Combination], start: int
    ) -> Value | Absent:
        try:
            return compute(combination)
        except EvaluationError as error:
            self.findings.evaluation(error, self.frame, start + rows.index(combination))
            raise Poisoned from None

    # -------------------------------------------------------------- keys that name each other

    def _solve_cycle(self, path: Path) -> None:
        """Resolve keys that name each other, but not in one row, as two configs of an axis may have it."""
        reach = self.dependencies([path])
        members = [key for key in reach if path in self.dependencies(self._next(key)) and self.definition(key)]
        members.sort(key=lambda key: (key != path, key))
        for member in members:
            self._done[member] = None
        raw = {member: defined for member in members if (defined := self.definition(member)) is not None}
        names = dict.fromkeys(name for member in members for name in self._next(member))
        keys = [key for name in names for key in ([name] if self.definition(name) else self._leaves(name))]
        others = {key: self.cells(key) for key in dict.fromkeys(keys) if key not in raw}
        inputs = raw | others
        columns = [cells.codes for cells in inputs.values() if cells.codes is not None]

        def compute(codes: Combination) -> Value:
            at = iter(codes)
            row = {key: 0 if cells.codes is None else next(at) for key, cells in inputs.items()}
            return list(_Row(self, inputs, row).values(members))

        solved = self._over(columns, compute)
        for index, member in enumerate(members):
            pool = Pool()
            table = [pool.code(cast("list[Value]", cell)[index]) for cell in solved.pool]
            lacking = raw[member].codes
            codes = array("I", map(table.__getitem__, solved.spread(self.frame.count)))
            if lacking is not None and NONE_HERE in lacking:
                codes = array("I", [c if r != NONE_HERE else r for c, r in zip(codes, lacking, strict=True)])
            self._done[member] = Cells(pool.values, codes)


class _Row:
    """One row of keys that name each other: values by plain recursion."""

    def __init__(self, late: Late, inputs: dict[Path, Cells], codes: dict[Path, int]) -> None:
        self.late = late
        self.inputs = inputs
        self.codes = codes
        self.done: dict[Path, Value] = {}
        self.open: list[Path] = []

    def values(self, keys: Iterable[Path]) -> Iterable[Value]:
        return [self.value(key) for key in keys]

    def value(self, name: Path) -> Value:
        if name in self.done:
            return self.done[name]
        if name not in self.inputs:
            return self.group(name)
        code = self.codes[name]
        cell = None if code == NONE_HERE else self.inputs[name].pool[code]
        if isinstance(cell, Code):
            if name in self.open:
                self.refuse(name, cell)
            self.open.append(name)
            cell = self.late._held(name, cell.call([self.value(n) for n in cell.names]), cell)
            self.open.pop()
        self.done[name] = cell
        return cell

    def group(self, name: Path) -> Value:
        whole: dict[str, Value] = {}
        for key in self.inputs:
            if key[: len(name)] == name and self.codes[key] != NONE_HERE:
                _put(whole, key[len(name) :], self.value(key))
        return whole or None

    def refuse(self, name: Path, code: Code) -> None:
        cycle = " → ".join(f"`{dotted(n)}`" for n in [*self.open[self.open.index(name) :], name])
        label = f"the cycle is {cycle}"
        self.late.findings.error("XP066", code.span, f"`{dotted(name)}` hangs on itself in some points", label)
        raise Poisoned


def _direct(code: Code, lookups: Sequence[Sequence[Value] | dict[int, Value]], finish: Finish) -> Compute:
    """Give what calls *code* with values that all vary: the common case, without a dictionary a call."""
    call = code.call
    return lambda codes: finish(call([lookup[c] for lookup, c in zip(lookups, codes, strict=True)]), code)


def _lookup(cells: Cells) -> Sequence[Value] | dict[int, Value]:
    """Give what turns a code into its value, an absent one into null."""
    values = [plain(cell) for cell in cells.pool]
    if cells.codes is not None and NONE_HERE in cells.codes:
        return {NONE_HERE: None, **dict(enumerate(values))}
    return values


def _one(value: Value | Absent, count: int) -> Cells:
    return Cells([], array("I", [NONE_HERE]) * count) if isinstance(value, Absent) else Cells([value], None)


def _put(whole: dict[str, Value], path: Path, value: Value) -> None:
    for segment in path[:-1]:
        whole = cast("dict[str, Value]", whole.setdefault(segment, {}))
    whole[path[-1]] = value
