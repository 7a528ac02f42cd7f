"""A finished frame to a table: every key resolved, constants folded, equal points made one, ids given."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from .findings import Abandoned, Findings, point_text
from .identity import digests
from .join import Side, hidden, parents_texts
from .late import Late, Poisoned
from .product import HIDDEN, Cells, Frame, plain
from .study import Code, Experiment
from .table import NONE_HERE, Column, Table
from .values import Path, Value, dotted


def assemble(
    experiment: Experiment, frame: Frame, sides: Sequence[Side], findings: Findings, *, surprising: bool
) -> Table:
    """Give the table of *frame*; ``Abandoned`` if a value can't be had. *surprising*: equal points get a warning."""
    order = key_order(experiment, frame)
    resolved = resolve_frame(experiment, frame, order, findings)
    for number in range(len(sides)):
        resolved[hidden(number)] = frame.columns[hidden(number)]
    whole = Frame(frame.count, resolved, {})
    ids = _ids(experiment, whole, sides)
    first = _first_rows(ids)
    if first is not None:
        if surprising:
            _warn_of_duplicates(experiment, frame, whole, ids, first, findings)
        whole = whole.reordered(first)
        ids = b"".join([ids[8 * row : 8 * row + 8] for row in first])
    constants, columns = _folded(whole)
    known = constants.keys() | columns.keys()
    return Table(
        experiment,
        whole.count,
        tuple(path for path in order if path in known),
        constants,
        columns,
        tuple(path for path in axes_of(experiment, frame) if path in known),
        tuple(side.parents(whole.columns[hidden(number)].spread(whole.count)) for number, side in enumerate(sides)),
        ids,
    )


def key_order(experiment: Experiment, frame: Frame) -> tuple[Path, ...]:
    """Give every key in config order. The bare key of a config group stands before the group; new keys come last."""
    order = dict.fromkeys(experiment.keys)
    heads: dict[Path, Path] = {}
    for path in dict.fromkeys([*frame.paths(), *experiment.overrides]):
        if path in order:
            continue
        below = next((key for key in order if len(key) > len(path) and key[: len(path)] == path), None)
        if below is None:
            order[path] = None
        else:
            heads[below] = path
    return tuple(path for key in order for path in ([heads[key], key] if key in heads else [key]))


def axes_of(experiment: Experiment, frame: Frame) -> list[Path]:
    """Give the keys that the point has set, in order; what the configs of an axis set comes last."""
    own = [path for path in frame.paths() if path not in experiment.overrides]
    return sorted(own, key=lambda path: frame.origins[path].kind == "overlay")


def resolve_frame(experiment: Experiment, frame: Frame, order: Sequence[Path], findings: Findings) -> dict[Path, Cells]:
    """Give the final values of all keys; all mistakes in them are reported before ``Abandoned`` is raised."""
    late = Late(experiment, frame, findings)
    found: dict[Path, Cells] = {}
    for path in order:
        try:
            found[path] = late.cells(path)
        except Poisoned:
            findings.broken = True
    if findings.broken:
        raise Abandoned
    return found


def _folded(frame: Frame) -> tuple[dict[Path, Value], dict[Path, Column]]:
    """Part constants from columns; a key that no row has is neither."""
    constants: dict[Path, Value] = {}
    columns: dict[Path, Column] = {}
    for path in frame.paths():
        cells = frame.columns[path]
        used = [0] if cells.codes is None else sorted(set(cells.codes))
        if len(used) == 1 and used[0] != NONE_HERE:
            constants[path] = plain(cells.pool[used[0]])
        elif (len(used) > 1 or not frame.count) and cells.codes is not None:
            columns[path] = _compact(cells.pool, cells.codes, used)
    return constants, columns


def _compact(pool: Sequence[Value | Code], codes: array[int], used: list[int]) -> Column:
    """Give a column whose pool holds only what rows have, in the order in which it was made."""
    here = [code for code in used if code != NONE_HERE]
    values = [plain(pool[code]) for code in here]
    if len(values) == len(pool):
        return Column(values, codes)
    renamed = {NONE_HERE: NONE_HERE, **{old: new for new, old in enumerate(here)}}
    return Column(values, array("I", map(renamed.__getitem__, codes)))


# ------------------------------------------------------------------ ids, and points that are one


def _ids(experiment: Experiment, frame: Frame, sides: Sequence[Side]) -> bytes:
    constants = {p: plain(c.pool[0]) for p, c in frame.columns.items() if p[0] != HIDDEN and c.codes is None}
    columns = {
        path: Column([plain(cell) for cell in cells.pool], cells.codes)
        for path, cells in frame.columns.items()
        if path[0] != HIDDEN and cells.codes is not None
    }
    parents = parents_texts(frame, sides)
    return digests(experiment.name, frame.count, constants, columns, parents, experiment.ignore)


def _first_rows(ids: bytes) -> list[int] | None:
    """Give the first row of each id, or nothing if all ids differ."""
    numbers = memoryview(ids).cast("Q")
    if len(set(numbers)) == len(numbers):
        return None
    seen: dict[int, int] = {}
    for row, number in enumerate(numbers):
        seen.setdefault(number, row)
    return list(seen.values())


def _warn_of_duplicates(
    experiment: Experiment, frame: Frame, whole: Frame, ids: bytes, first: list[int], findings: Findings
) -> None:
    kept = set(first)
    again = next(row for row in range(whole.count) if row not in kept)
    twin = next(row for row in first if ids[8 * row : 8 * row + 8] == ids[8 * again : 8 * again + 8])
    differing = [
        path
        for path in whole.paths()
        if (codes := whole.columns[path].codes) is not None and codes[again] != codes[twin]
    ]
    count = whole.count - len(first)
    some = "1 point" if count == 1 else f"{count:,} points"
    where = point_text(frame, again)
    message = f"{some} of `{experiment.name}` {'is' if count == 1 else 'are'} the same as another, and run once"
    help = [f"such a point has {where}"] if where else []
    if differing:
        names = ", ".join(f"`{dotted(path)}`" for path in differing)
        help.append(f"they differ only in {names}, which `ignore` leaves out of what makes a run")
    span = experiment.grid.span if experiment.grid is not None else experiment.span
    findings.warning("XP066", span, message, "equal points", help=help)
