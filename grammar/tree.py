"""The syntax tree: one class for each form a user can write, each with its span.

Nothing here is resolved: names are names, texts keep their placeholders, and a tree can stand for a wrong file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal as Lit

from .node import Node
from .source import Source, Span

Scalar = int | float | str | bool | None
Path = tuple[str, ...]


# ------------------------------------------------------------------ expressions


class Word(Node):
    """A name as it was written, quotes of a quoted segment removed."""

    text: str
    span: Span


class Key(Node):
    """A dotted key: ``optimizer."learning-rate"``."""

    segments: tuple[Word, ...]
    span: Span

    @property
    def path(self) -> Path:
        return tuple(word.text for word in self.segments)


class Number(Node):
    value: int | float
    span: Span


class Constant(Node):
    """``true``, ``false``, ``null``."""

    value: bool | None
    span: Span


class Quantity(Node):
    """A size (*value* in bytes) or a duration (*value* in seconds), with its unit written out: ``4GiB``, ``1d12h``."""

    value: int | float
    dimension: Lit["size", "duration"]
    span: Span


class Piece(Node):
    """Literal characters of a text, escapes already read. ``at[i]`` is the place of character *i* in the source;
    ``at[len(text)]`` is where the piece ends."""

    text: str
    at: Sequence[int]
    span: Span


class Placeholder(Node):
    """``{EXPR}`` or ``{EXPR:SPEC}`` inside a text; *span* covers the braces, *spec* is without the colon."""

    expr: Expr
    spec: str | None
    span: Span
    spec_span: Span | None


class Text(Node):
    """A text. ``r"…"`` has exactly one piece and *raw* set. A ``{{`` is already a brace in its piece;
    a shell's own ``${…}`` stays as it is, in a piece, and is listed in *shell* (its name, its span)."""

    parts: tuple[Piece | Placeholder, ...]
    raw: bool
    span: Span
    shell: tuple[Word, ...] = ()

    @property
    def plain(self) -> str | None:
        """Give the characters if the text holds no placeholder, else nothing."""
        if any(isinstance(part, Placeholder) for part in self.parts):
            return None
        return "".join(part.text for part in self.parts if isinstance(part, Piece))


class Name(Node):
    """A reference by dotted name, as written. *quoted* if its first segment was in quotes."""

    key: Key
    span: Span

    @property
    def path(self) -> Path:
        return self.key.path


class ListOf(Node):
    items: tuple[Expr, ...]
    span: Span


class Values(Node):
    """A long list of plain literals, read in one go. ``spans()`` finds the elements' places when one is needed."""

    values: tuple[Scalar, ...]
    span: Span
    starts: Sequence[int] = ()
    ends: Sequence[int] = ()

    def element_span(self, index: int) -> Span:
        if not self.starts:
            return self.span
        return Span(self.span.source, self.starts[index], self.ends[index])


class MapOf(Node):
    items: tuple[tuple[Key, Expr], ...]
    span: Span


class Unary(Node):
    operator: Lit["-", "+", "not"]
    operand: Expr
    span: Span


class Binary(Node):
    """Arithmetic, comparison, logic; also ``matches``, and ``±`` (written ``+/-`` too)."""

    operator: str  # + - * / // % ** == != < <= > >= in "not in" and or matches ±
    left: Expr
    right: Expr
    span: Span
    operator_span: Span


class IsNull(Node):
    operand: Expr
    negated: bool
    span: Span


class Conditional(Node):
    """``then if condition else otherwise``."""

    condition: Expr
    then: Expr
    otherwise: Expr
    span: Span


class Index(Node):
    base: Expr
    index: Expr
    span: Span


class Member(Node):
    """A dotted name after something that is no plain name: ``x[0].y``, ``metric.loss.at(3).z``."""

    base: Expr
    name: Word
    span: Span


class Argument(Node):
    name: Word | None
    value: Expr
    span: Span


class Call(Node):
    """``f(x, key = y)``. In a query the function may be dotted: ``loss.at(3)`` has the key ``loss.at``."""

    function: Key
    arguments: tuple[Argument, ...]
    span: Span


class Broken(Node):
    """Stands where an expression could not be read; it has been reported already, so nobody reports it again."""

    span: Span


Expr = (
    Number
    | Constant
    | Quantity
    | Text
    | Name
    | ListOf
    | Values
    | MapOf
    | Unary
    | Binary
    | IsNull
    | Conditional
    | Index
    | Member
    | Call
    | Broken
)


# ------------------------------------------------------------------ configs, resources, targets, environments


class Assign(Node):
    """``key = expr``."""

    key: Key
    value: Expr
    span: Span


class KeyGroup(Node):
    """``model:`` with values below it; may stand in a config, in resources, in a target."""

    key: Key
    body: tuple[ConfigItem, ...]
    span: Span


class FromFile(Node):
    """``from "base.yaml"`` in a config: the file's mapping is merged where the line stands."""

    path: Text
    span: Span


class Setup(Node):
    """``setup "module load …"`` in an environment or a target."""

    text: Text
    span: Span


class Secret(Node):
    name: Word
    span: Span


class Container(Node):
    image: Text
    runtime: Word | None
    span: Span


class Mount(Node):
    path: Text
    at: Text
    span: Span


ConfigItem = Assign | KeyGroup | FromFile
ResourceItem = Assign | KeyGroup
TargetItem = Assign | KeyGroup | Setup
EnvironmentItem = Assign | Setup | Secret | Container | Mount


# ------------------------------------------------------------------ grids


class Axis(Node):
    """``[new] key in EXPR``. ``config in [a, b]`` is an axis whose key is the bare word ``config``."""

    new: bool
    key: Key
    values: Expr
    span: Span


class Draw(Node):
    """``[new] key ~ DIST(…)``."""

    new: bool
    key: Key
    distribution: Expr
    span: Span


class GridValue(Node):
    """``[new] key = expr`` in a grid: the same in every point, and may name axes."""

    new: bool
    key: Key
    value: Expr
    span: Span


class AxisFrom(Node):
    """``[new] key from "configs/model/*.yaml"`` (a config group), ``rows from "points.csv"`` (the word ``rows``)."""

    new: bool
    key: Key
    path: Text
    span: Span


class Zip(Node):
    """``zip:``; its body holds axes only (others have been reported)."""

    body: tuple[GridItem, ...]
    span: Span


class Arm(Node):
    """``if``, ``elif`` (with a condition) or ``else`` (without), and the lines below it."""

    condition: Expr | None
    body: tuple[GridItem, ...]
    span: Span


class Branch(Node):
    arms: tuple[Arm, ...]
    span: Span


class Sample(Node):
    """``sample N [seed S]:``."""

    count: Expr
    seed: Expr | None
    body: tuple[GridItem, ...]
    span: Span


class Constraint(Node):
    """``skip if EXPR`` or ``keep if EXPR``."""

    keep: bool
    condition: Expr
    span: Span


class Point(Node):
    """``point a = 1, b = 2``."""

    values: tuple[Assign, ...]
    span: Span


GridItem = Axis | Draw | GridValue | AxisFrom | Zip | Branch | Sample | Constraint | Point


class GridName(Node):
    name: Word
    span: Span


class GridCombine(Node):
    """``left + right`` (union) or ``left * right`` (product)."""

    operator: Lit["+", "*"]
    left: GridExpr
    right: GridExpr
    span: Span


GridExpr = GridName | GridCombine


# ------------------------------------------------------------------ experiments


class UseConfig(Node):
    name: Word
    span: Span


class UseGrid(Node):
    grid: GridExpr
    span: Span


class UseResources(Node):
    name: Word
    span: Span


class UseEnvironment(Node):
    name: Word
    span: Span


class Repeat(Node):
    """``repeat N [as KEY]`` or ``folds K [as KEY]``."""

    kind: Lit["repeat", "folds"]
    count: Expr
    key: Key | None
    span: Span


class After(Node):
    """``after E`` or ``after all E [by KEY, …]``."""

    experiment: Word
    all: bool
    by: tuple[Key, ...]
    span: Span


class Run(Node):
    text: Text
    span: Span


class Workdir(Node):
    mode: Word
    span: Span


class File(Node):
    """``input NAME = "path"`` or ``output NAME = "path"``."""

    kind: Lit["input", "output"]
    name: Word
    path: Text
    span: Span


class Writable(Node):
    path: Text
    span: Span


class MetricsFile(Node):
    """``metrics "file"``."""

    path: Text
    span: Span


class Metric(Node):
    """``metric KEY [minimize|maximize] [from stdout|stderr|"file" matching "regex"]``."""

    key: Key
    direction: Word | None
    source: Word | Text | None
    pattern: Text | None
    span: Span


class Retries(Node):
    count: Expr
    span: Span


class Checkpoint(Node):
    before: Expr
    signal: Word | None
    span: Span


class Pack(Node):
    """``pack N [side by side]``."""

    runs: Expr
    side_by_side: bool
    span: Span


class Ignore(Node):
    """``ignore KEY, …`` (*value* absent) or ``ignore KEY == VALUE`` (one key)."""

    keys: tuple[Key, ...]
    value: Expr | None
    span: Span


class Code(Node):
    patterns: tuple[Text, ...]
    span: Span


class Tags(Node):
    tags: tuple[Text, ...]
    span: Span


ExperimentItem = (
    Assign
    | KeyGroup
    | UseConfig
    | UseGrid
    | UseResources
    | UseEnvironment
    | Repeat
    | After
    | Run
    | Workdir
    | File
    | Writable
    | MetricsFile
    | Metric
    | Retries
    | Checkpoint
    | Pack
    | Ignore
    | Code
    | Tags
)


# ------------------------------------------------------------------ queries and reports


class Cell(Node):
    """One column of ``show``: ``mean(acc) ± std(acc) as acc``. *alias* is None without ``as``."""

    expr: Expr
    alias: Word | None
    span: Span


class From(Node):
    experiments: tuple[Word, ...]
    span: Span


class Where(Node):
    condition: Expr
    span: Span


class GroupBy(Node):
    keys: tuple[Expr, ...]
    span: Span


class Show(Node):
    """``show CELL, … [as "a text"]``; the title is the clause's own ``as NAME`` after a report's show, if any."""

    cells: tuple[Cell, ...]
    span: Span


class Having(Node):
    condition: Expr
    span: Span


class Keep(Node):
    """``keep best|min|max EXPR [by KEYS]``."""

    which: Lit["best", "min", "max"]
    expr: Expr
    by: tuple[Expr, ...]
    span: Span


class SortKey(Node):
    expr: Expr
    descending: bool
    span: Span


class SortBy(Node):
    keys: tuple[SortKey, ...]
    span: Span


class Limit(Node):
    count: Number
    span: Span


class With(Node):
    """``with past``, ``with all attempts`` or ``with superseded``."""

    what: Lit["past", "all attempts", "superseded"]
    span: Span


class Title(Node):
    """``title "…"`` in a report."""

    text: Text
    span: Span


class Plot(Node):
    """``plot line x = step, y = loss by optimizer.lr``."""

    kind: Word
    channels: tuple[Argument, ...]
    by: tuple[Expr, ...]
    span: Span


Clause = From | Where | GroupBy | Show | Having | Keep | SortBy | Limit | With | Title | Plot


class Query(Node):
    """The clauses of one query, in the order written."""

    clauses: tuple[Clause, ...]
    span: Span


# ------------------------------------------------------------------ top level


class Project(Node):
    name: Text
    root: Text | None
    span: Span


class Include(Node):
    path: Text
    span: Span


class Let(Node):
    name: Word
    value: Expr
    span: Span


class Link(Node):
    path: Text
    alias: Word | None
    span: Span


class Config(Node):
    name: Word
    parents: tuple[Word, ...]
    body: tuple[ConfigItem, ...]
    span: Span


class Grid(Node):
    """``grid NAME:`` with a body, or ``grid NAME = EXPR``."""

    name: Word
    body: tuple[GridItem, ...] | GridExpr
    span: Span


class Resources(Node):
    name: Word
    parents: tuple[Word, ...]
    body: tuple[ResourceItem, ...]
    span: Span


class Environment(Node):
    name: Word
    parents: tuple[Word, ...]
    body: tuple[EnvironmentItem, ...]
    span: Span


class Target(Node):
    """``target NAME = slurm:``."""

    name: Word
    base: Word
    body: tuple[TargetItem, ...]
    span: Span


class Experiment(Node):
    name: Word
    parents: tuple[Word, ...]
    body: tuple[ExperimentItem, ...]
    span: Span


class Report(Node):
    name: Word
    clauses: tuple[Clause, ...]
    span: Span


Statement = Project | Include | Let | Link | Config | Grid | Resources | Environment | Target | Experiment | Report


class Tree(Node):
    """One parsed file. Broken statements are missing, or hold ``Broken`` where something could be saved.

    *broken_names* says what is missing, so that nobody reports it a second time: ``("config", "base")`` for a
    definition at the top level, ``("experiment.run", "train")`` for a statement of experiment ``train`` that began
    with ``run``, ``("grid.key", "sweep")`` for a line of grid ``sweep`` that began with no known word.
    """

    source: Source
    statements: tuple[Statement, ...]
    broken_names: frozenset[tuple[str, str]] = frozenset()
