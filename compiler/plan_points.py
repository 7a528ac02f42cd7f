"""A plan to the lines of ``points.jsonl``, joined from JSON made once for each distinct value: a run is no object."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from typing import Final

from ..grammar.node import Node
from .plan import Plan, PlannedExperiment
from .plan_texts import TextValues
from .table import NONE_HERE, Parents, Table
from .template import Json
from .values import Path, Value, dotted

SCHEMA: Final = "xpc.points/1"
CHUNK: Final = 8192


class Shapes(Node):
    """The shapes of one experiment's rows: which keys are there. *codes* gives the shape of each row of the table, as
    an index of *present*; without it all rows have the only one."""

    first: int
    present: tuple[tuple[Path, ...], ...]
    codes: Sequence[int] | None


def shapes_of(plan: Plan) -> dict[str, Shapes]:
    """Give the shapes of each experiment, numbered through the plan."""
    found: dict[str, Shapes] = {}
    first = 0
    for name, planned in plan.experiments.items():
        shapes = _shapes(planned.table, first)
        found[name] = shapes
        first += len(shapes.present)
    return found


def _shapes(table: Table, first: int) -> Shapes:
    varying = tuple(key for key in table.order if key in table.columns)
    partial = [key for key in varying if NONE_HERE in table.columns[key].codes]
    if not partial:
        return Shapes(first, (varying,), None)
    masks = list(zip(*[[code == NONE_HERE for code in table.columns[key].codes] for key in partial], strict=True))
    numbers = {mask: number for number, mask in enumerate(dict.fromkeys(masks))}
    present = []
    for mask in numbers:
        missing = {key for key, absent in zip(partial, mask, strict=True) if absent}
        present.append(tuple(key for key in varying if key not in missing))
    return Shapes(first, tuple(present), list(map(numbers.__getitem__, masks)))


def header(plan: Plan, shapes: Mapping[str, Shapes]) -> dict[str, Json]:
    """Give the first line's values."""
    found: list[Json] = []
    for name, planned in plan.experiments.items():
        found.extend(_shape(planned, keys) for keys in shapes[name].present)
    return {"schema": SCHEMA, "shapes": found}


def _shape(planned: PlannedExperiment, keys: Sequence[Path]) -> Json:
    table, labels = planned.table, planned.compiled.labels
    index = {key: number for number, key in enumerate(keys)}
    config: list[Json] = []
    for key in table.order:
        if key in index:
            config.append([dotted(key), index[key]])
        elif key in table.constants:
            config.append([dotted(key), {"value": _json(table.constants[key])}])
    shape: dict[str, Json] = {
        "experiment": table.experiment.name,
        "keys": [dotted(key) for key in keys],
        "config": config,
        "ancestors": list(planned.ancestors),
    }
    if labels:
        shape["labels"] = [dotted(key) for key in table.order if key in labels]
    return shape


def _json(value: Value) -> Json:
    return value  # type: ignore[return-value]  # a value is JSON; floats among it, too


def lines(planned: PlannedExperiment, shapes: Shapes, tables: Mapping[str, Table]) -> Iterator[list[str]]:
    """Give the lines of one experiment's runs, some thousand at a time."""
    writer = _Writer(planned, shapes, tables)
    for start in range(0, planned.runs, CHUNK):
        stop = min(start + CHUNK, planned.runs)
        yield writer.lines(range(start, stop) if planned.rows is None else planned.rows[start:stop])


class _Writer:
    """Joins lines. Every piece is a column of texts, or one text for all rows."""

    def __init__(self, planned: PlannedExperiment, shapes: Shapes, tables: Mapping[str, Table]) -> None:
        table = planned.table
        self.planned = planned
        self.ids = table.digests.hex()
        self.columns = [_fragments(table, key) for key in table.order if key in table.columns]
        self.partial = any("" in fragments.values() for fragments, _ in self.columns)
        self.shapes = shapes
        self.texts = [_text_fragments(text) for text in planned.compiled.texts]
        self.parents = [_Ids(parents, tables) for parents in table.parents]
        self.ancestors = [_Ids(parents, tables) for parents in planned.ancestors.values()]

    def lines(self, rows: Sequence[int]) -> list[str]:
        whole = rows if isinstance(rows, range) else None
        ids = [self.ids[16 * row : 16 * row + 16] for row in rows]
        pieces: list[Iterator[str]] = [repeat('["'), iter(ids), repeat('",'), self._numbers(rows)]
        values = self._joined(self.columns, rows, whole)
        texts = self._joined(self.texts, rows, whole)
        parents = [column.texts(rows) for column in self.parents]
        ancestors = [column.texts(rows) for column in self.ancestors]
        tail = [(values, bool(self.columns)), (texts, bool(self.texts))]
        tail.append((_listed(parents), bool(parents)))
        tail.append((_listed(ancestors), bool(ancestors)))
        while tail and not tail[-1][1]:
            tail.pop()
        for column, _ in tail:
            pieces.extend((repeat(",["), column, repeat("]")))
        pieces.append(repeat("]\n"))
        return ["".join(line) for line in zip(*pieces, strict=False)]

    def _numbers(self, rows: Sequence[int]) -> Iterator[str]:
        """Give shape and class of each row."""
        shapes, classes = self.shapes, self.planned.classes
        if shapes.codes is None and isinstance(classes, int):
            return repeat(f"{shapes.first},{classes}")
        codes = shapes.codes
        shape = repeat(shapes.first) if codes is None else (shapes.first + codes[row] for row in rows)
        number = repeat(classes) if isinstance(classes, int) else (classes[row] for row in rows)
        return (f"{a},{b}" for a, b in zip(shape, number, strict=False))

    def _joined(
        self,
        columns: Sequence[tuple[Mapping[int, str], Sequence[int] | None]],
        rows: Sequence[int],
        whole: range | None,
    ) -> Iterator[str]:
        """Give the texts of several columns with commas between; an absent value leaves nothing."""
        if not columns:
            return repeat("")
        parts: list[Iterator[str]] = []
        for fragments, codes in columns:
            if codes is None:
                parts.append(repeat(fragments[0], len(rows)))
                continue
            here = codes[whole.start : whole.stop] if whole is not None else [codes[row] for row in rows]
            parts.append(map(fragments.__getitem__, here))
        if not self.partial or columns is not self.columns:
            return map(",".join, zip(*parts, strict=True))
        return (",".join(filter(None, values)) for values in zip(*parts, strict=True))


def _fragments(table: Table, key: Path) -> tuple[Mapping[int, str], Sequence[int]]:
    column = table.columns[key]
    fragments = {code: compact(value) for code, value in enumerate(column.pool)}
    if NONE_HERE in column.codes:
        fragments[NONE_HERE] = ""
    return fragments, column.codes


def _text_fragments(text: TextValues) -> tuple[Mapping[int, str], Sequence[int] | None]:
    return {number: compact(result) for number, result in text.results.items()}, text.codes


_encode: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def compact(value: object) -> str:
    """Give a value as JSON without blanks."""
    kind = type(value)
    if kind is float:
        return float.__repr__(value)
    return int.__repr__(value) if kind is int else _encode(value)


class _Ids:
    """The ids of some runs above each row, as JSON lists."""

    def __init__(self, parents: Parents, tables: Mapping[str, Table]) -> None:
        self.parents = parents
        self.ids = tables[parents.experiment].digests.hex()

    def texts(self, rows: Sequence[int]) -> Iterator[str]:
        ids, above = self.ids, self.parents.rows
        if self.parents.offsets is None:
            return (f'["{ids[16 * above[row] : 16 * above[row] + 16]}"]' for row in rows)
        return (self._list(self.parents.of(row)) for row in rows)

    def _list(self, rows: Sequence[int]) -> str:
        return "[" + ",".join([f'"{self.ids[16 * row : 16 * row + 16]}"' for row in rows]) + "]"


def _listed(columns: Sequence[Iterator[str]]) -> Iterator[str]:
    return columns[0] if len(columns) == 1 else map(",".join, zip(*columns, strict=True))
