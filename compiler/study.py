"""The study: everything an Experimentfile means, names resolved, types known, nothing expanded.

``resolve`` makes it, ``expand`` and ``plan`` read it. Texts and expressions that depend on a point are ``Code``:
a function of the values of the keys that it names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Literal

from ..grammar import tree
from ..grammar.node import Node
from ..grammar.source import Span
from .values import Absent, Path, Type, Value

NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class Code(Node):
    """An expression closed over its ``let``s and functions.

    ``call(values)`` takes the values of *names*, in that order (a declared key that the point lacks is null),
    and gives the result; it raises ``EvaluationError`` with a finished diagnostic for a user's mistake.
    A constant has no names. Names are full key paths; a name of a group of keys gets a map.
    *conjuncts* are the parts of ``a and b and …``, in order: where one is false, the later ones are not asked.
    """

    names: tuple[Path, ...]
    call: Callable[[Sequence[Value]], Value]
    span: Span
    expr: tree.Expr
    conjuncts: tuple[Code, ...] = ()


# ------------------------------------------------------------------ configs and experiments' own values


class KeyValue(Node):
    """One key of an experiment after rule 1's first three steps (config parents, body, the experiment's own values)."""

    path: Path
    type: Type
    value: Value | Code
    given: Span  # where its value stands now
    first: Span  # where its type comes from


# ------------------------------------------------------------------ grids


class Axis(Node):
    """Values that move together: one key for ``key in LIST``, several for ``zip``, ``rows from`` and ``config in``.

    *columns[k][i]* is the value of *keys[k]* in element *i*: ``ABSENT`` where the element does not set the key,
    ``Code`` for a late value (named configs). Values are already converted to their key's type.
    *label*: for a config group (``model from``) and ``config in``, the bare key under which *labels* (the file's stem,
    the config's name) can be read; it is part of the point.
    """

    keys: tuple[Path, ...]
    columns: tuple[Sequence[Value | Absent | Code], ...]
    new: bool
    span: Span
    label: Path | None = None
    labels: tuple[str, ...] = ()


class GridValue(Node):
    """``key = expr`` in a grid."""

    path: Path
    value: Value | Code
    span: Span


class Arm(Node):
    condition: Code | None
    body: tuple[GridItem, ...]


class Branch(Node):
    """``if … elif … else``: the first arm whose condition holds multiplies the points for which it holds."""

    arms: tuple[Arm, ...]
    span: Span


class Distribution(Node):
    """*name* is one of uniform loguniform normal lognormal randint logint choice; *arguments* are checked constants."""

    name: str
    arguments: tuple[Value, ...]
    span: Span


class Draw(Node):
    path: Path
    distribution: Distribution
    type: Type  # of the key; a drawn value is converted to it
    span: Span


class Constraint(Node):
    keep: bool
    condition: Code
    span: Span


class Sample(Node):
    """*count* points; *body* holds draws, grid values, branches and constraints (these redraw)."""

    count: int
    seed: int
    body: tuple[Draw | GridItem, ...]
    span: Span


class Points(Node):
    """The ``point`` lines of one grid: each a map of key to value, added after the product."""

    points: tuple[Mapping[Path, Value | Code], ...]
    spans: tuple[Span, ...]


GridItem = Axis | GridValue | Branch | Sample | Constraint | Draw


class Grid(Node):
    """One ``grid NAME:``. Items multiply in order, the first axis slowest; *points* come after the product."""

    name: str
    items: tuple[GridItem, ...]
    points: Points | None
    span: Span


class Combination(Node):
    operator: Literal["+", "*"]
    left: GridExpr
    right: GridExpr
    span: Span


GridExpr = Grid | Combination


# ------------------------------------------------------------------ experiments


class After(Node):
    experiment: str
    all: bool
    by: tuple[Path, ...]
    span: Span


class File(Node):
    name: str
    path: tree.Text
    span: Span


class Metric(Node):
    path: Path
    direction: Literal["minimize", "maximize"] | None
    source: Literal["stdout", "stderr"] | str | None  # a file's path inside files/
    pattern: str | None
    span: Span


class Resources(Node):
    """What one run asks for; each field a ``Code`` that may name keys, ``attempt`` and its own fields (path of one
    segment), or a checked constant. *options* are the native ones, by scheduler: ``{"slurm": {"partition": …}}``."""

    cpus: int | Code = 1
    memory: int | Code | None = None  # bytes a node
    gpus: int | Code = 0  # a node
    nodes: int | Code = 1
    tasks: int | Code = 1  # a node
    time: float | Code | None = None  # seconds
    disk: int | Code | None = None  # bytes
    options: Mapping[str, Mapping[str, Value | Code]] = NOTHING
    spans: Mapping[str, Span] = NOTHING


class Checkpoint(Node):
    """The program is warned that many seconds before the time limit, by a signal if one is named; then the run goes
    back to the queue."""

    before: float
    signal: str | None
    span: Span


class Pack(Node):
    """So many runs share a task of a cluster: one after another, or side by side."""

    runs: int
    side_by_side: bool
    span: Span


class Environment(Node):
    setup: tuple[tree.Text, ...] = ()
    variables: Mapping[str, Value | Code | tree.Text] = NOTHING  # a text still has its placeholders
    secrets: tuple[str, ...] = ()
    container: tree.Container | None = None
    mounts: tuple[tree.Mount, ...] = ()


class Experiment(Node):
    """One experiment with everything it inherits.

    *keys* are in config order and hold config and own values; *open* is set when it has no config, so that its grid may
    name any key. *overrides* are ``--set`` values: they win over the grid, and over an axis they replace the axis.
    *own* names the keys that the experiment itself set (for ``{overrides}``).
    Of a parent (``after``), nothing is repeated here: ``expand`` joins the parent's table. ``keys`` does hold the
    inherited config of its first parent if it names no config of its own.
    """

    name: str
    span: Span
    keys: Mapping[Path, KeyValue]
    open: bool
    own: tuple[Path, ...]
    overrides: Mapping[Path, Value]
    grid: GridExpr | None
    repeats: tuple[Axis, ...]  # repeat and folds, as axes over 0..N-1
    folds: int | None
    after: tuple[After, ...]
    resources: Resources
    environment: Environment
    run: tree.Text | None  # none: only a parent of others by inheritance, never expanded
    workdir: Literal["links", "copy", "snapshot", "project"]
    inputs: tuple[File, ...]
    outputs: tuple[File, ...]
    writable: tuple[str, ...]
    metrics_files: tuple[str, ...]
    metrics: tuple[Metric, ...]
    retries: int
    checkpoint: Checkpoint | None
    pack: Pack | None
    ignore: tuple[tuple[Path, Value | Absent], ...]  # a value: ignored only while the key has it
    code: tuple[str, ...]
    tags: tuple[str, ...]


class Link(Node):
    name: str  # the entry made in the working directory
    path: str  # relative to the Experimentfile's folder
    span: Span


class Target(Node):
    """A place where runs may go. *options* are the checked values of its block by key, defaults left out but for
    ``max_array``; *native* the scheduler's own options by their names there; *spans* where each of both was given."""

    name: str
    kind: Literal["local", "oar", "slurm"]
    options: Mapping[str, Value]
    setup: tuple[tree.Text, ...]
    native: Mapping[str, Value] = NOTHING
    spans: Mapping[str, Span] = NOTHING


class Study(Node):
    """*sources* are the files that made it, the Experimentfile first (relative to its folder, `/` as separator)."""

    name: str
    root: str  # the extent of the snapshot, relative to the Experimentfile's folder: "." or ".." …
    sources: tuple[str, ...]
    links: tuple[Link, ...]
    experiments: Mapping[str, Experiment]  # parents (`after`) before children, else file order; without abstract ones
    reports: Mapping[str, tree.Report]
    targets: Mapping[str, Target]
    scope: Callable[[str], object] = lambda _name: None
    """Gives what ``evaluate.compile_expression`` needs to read a name in an experiment's texts: a ``scope.Scope``."""
    faulty: frozenset[str] = frozenset()
    """Experiments with a mistake in them, which has been reported: their texts can be read, they have no points."""
