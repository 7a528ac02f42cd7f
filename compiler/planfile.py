"""The format of a build's plan: what stands in ``plan.json`` and in the header of ``points.jsonl``, read strictly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..grammar.diagnostic import Diagnostics

PLAN_SCHEMA: Final = "xpc.plan/1"
POINTS_SCHEMA: Final = "xpc.points/1"

RunField = Literal[
    "id", "dir", "config", "config_yaml", "attempt", "cpus", "gpus", "memory", "nodes", "tasks"
]  # what a template can know of its run
Count = int


class Record(BaseModel):
    """A part of the format: frozen, unknown fields ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class ExactRecord(Record):
    """One of several forms that only their fields tell apart, so an unknown field means another form."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


# ------------------------------------------------------------------ templates


class KeyPart(ExactRecord):
    """The value of a key of the row, as text."""

    key: str


class TextPart(ExactRecord):
    """One of the row's texts."""

    text: Count


class RunPart(ExactRecord):
    """What is known when the run starts."""

    run: RunField


class ProjectPart(ExactRecord):
    """The absolute project folder."""

    project: Literal["root"]


class OutputPart(ExactRecord):
    """The absolute path of an output."""

    output: str


class InputPart(ExactRecord):
    """The absolute path of an input."""

    input: str


class AncestorOutput(ExactRecord):
    """The absolute path of an output of the row's ancestor."""

    ancestor: str
    output: str


class AncestorRuns(ExactRecord):
    """The absolute path of a JSON-lines file with an ancestor a line."""

    ancestor: str
    runs: Literal[True]


Part = str | KeyPart | TextPart | RunPart | ProjectPart | OutputPart | InputPart | AncestorOutput | AncestorRuns
Template = list[Part]


class ListWord(ExactRecord):
    """Any number of words: a list among the row's texts."""

    words: Count


class EachWord(ExactRecord):
    """A word an ancestor."""

    each: AncestorOutput


Word = Template | ListWord | EachWord


class ArgvCommand(Record):
    """A program and its arguments, executed without a shell."""

    kind: Literal["argv"]
    words: list[Word]


class ScriptCommand(Record):
    """A bash script and its positional parameters."""

    kind: Literal["script"]
    script: str
    args: list[Word]


class SetupScript(Record):
    """A bash script that is sourced before the program starts, and its positional parameters; *target*: it is the
    target's, not the experiment's own."""

    script: str
    args: list[Word]
    target: bool = False


# ------------------------------------------------------------------ experiments


class Metric(Record):
    """A number to look for in a run's output or files."""

    name: str
    direction: Literal["minimize", "maximize"] | None
    source: str | None
    pattern: str | None


class Mount(Record):
    path: Template
    at: Template


class Container(Record):
    image: Template
    runtime: Literal["podman", "docker", "apptainer"] | None
    mounts: list[Mount]


class Environment(Record):
    setup: list[SetupScript]
    variables: dict[str, Template]
    secrets: list[str]
    container: Container | None


class After(Record):
    experiment: str
    all: bool
    by: list[str]


class Fingerprint(Record):
    """When one of these changes, done runs are stale."""

    command: str
    code: str
    environment: str
    inputs: str


class Checkpoint(Record):
    """The program is warned so many seconds before the time limit, by that signal if there is one."""

    before: float
    signal: str | None


class Pack(Record):
    """So many runs share a task of a cluster."""

    runs: Count
    side_by_side: bool


class Experiment(Record):
    """What all runs of one experiment share."""

    first: Count  # row of points.jsonl
    runs: Count
    command: ArgvCommand | ScriptCommand = Field(discriminator="kind")
    workdir: Literal["links", "copy", "snapshot", "project"]
    config: bool
    inputs: dict[str, Template]
    outputs: dict[str, Template]
    writable: list[str]
    metrics_files: list[str]
    metrics: list[Metric]
    environment: Environment
    retries: Count
    checkpoint: Checkpoint | None = None
    pack: Pack | None = None
    after: list[After]
    fingerprint: Fingerprint
    input_contents: dict[str, str | None] = Field(default_factory=dict)
    tags: list[str]


class Request(Record):
    """What one attempt asks for. Bytes and seconds; cpus are a task's; memory, gpus and tasks a node's."""

    cpus: Count
    memory: Count | None
    gpus: Count
    nodes: Count
    tasks: Count
    time: Count | None
    disk: Count | None
    options: dict[str, dict[str, Any]]


class Array(Record):
    """Runs of one experiment that ask for the same."""

    name: str
    experiment: str
    resources: Count  # which of the plan's classes a task asks for
    tasks: Count
    rows: list[tuple[Count, Count]]  # first row and how many
    indices: list[tuple[Count, Count]] | None = None  # first index and how many, ascending; none: from 0
    sizes: list[tuple[Count, Count]] | None = None  # rows a task and how many tasks; none: one each
    side_by_side: bool = False
    after: list[str]
    pairwise: list[str] = Field(default_factory=list)  # of `after`: task i comes after its task i alone
    throttle: Count | None = None
    script: str


class Cost(Record):
    """Upper bounds from the time limits; nothing where a run has none."""

    core_hours: float | None
    gpu_hours: float | None
    inodes: Count


class Snapshot(Record):
    tree: str
    prefix: str


class Link(Record):
    name: str
    path: str


class Target(Record):
    name: str
    kind: str
    options: dict[str, Any]


class PlanFile(Record):
    """``plan.json``."""

    schema_: Literal["xpc.plan/1"] = Field(alias="schema")
    identity: Count
    project: str
    snapshot: Snapshot
    links: list[Link]
    target: Target
    experiments: dict[str, Experiment]
    resources: list[list[Request]]
    arrays: list[Array]
    cost: Cost


# ------------------------------------------------------------------ points


class ConstantValue(ExactRecord):
    value: Any


class Shape(Record):
    """What rows with the same keys share. *config* gives each key the index of its value in the row, or its constant;
    *labels* are the keys that name a config group's choice, and are not part of the config."""

    experiment: str
    keys: list[str]
    config: list[tuple[str, Count | ConstantValue]]
    ancestors: list[str]
    labels: list[str] = Field(default_factory=list)


class PointsHeader(Record):
    """The first line of ``points.jsonl``."""

    schema_: Literal["xpc.points/1"] = Field(alias="schema")
    shapes: list[Shape]


# ------------------------------------------------------------------ reading and publishing


def read_plan(text: str | bytes, name: str, diagnostics: Diagnostics) -> PlanFile | None:
    """Read ``plan.json``; *name* is the file as users know it. What is wrong with it goes to *diagnostics*."""
    try:
        return PlanFile.model_validate_json(text)
    except ValidationError as error:
        _report(_newer(text), error, name, diagnostics)
        return None


def _newer(text: str | bytes) -> str | None:
    """Give the schema's name if its major is newer than the one that is read here."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    found = re.search(r'"schema"\s*:\s*"(xpc\.plan/(\d+))"', text)
    if found is None or int(found[2]) <= int(PLAN_SCHEMA.rpartition("/")[2]):
        return None
    return found[1]


def _report(newer: str | None, error: ValidationError, name: str, diagnostics: Diagnostics) -> None:
    if newer is not None:
        diagnostics.error(
            "XP155",
            None,
            f"`{name}` has the schema `{newer}`, and this xpc reads `{PLAN_SCHEMA}`",
            help="update xpc, or build again with this one",
        )
        return
    first = error.errors(include_url=False)[0]
    place = ".".join(str(step) for step in first["loc"])
    if first["type"] == "missing":
        what = f"`{place}` is missing"
    else:
        what = f"`{place}` holds what does not belong there" if place else "it is no JSON"
    diagnostics.error(
        "XP156",
        None,
        f"`{name}` is no plan: {what}",
        help="a build is never edited; `xpc build` makes it again",
    )


def plan_schema() -> Mapping[str, Any]:
    """Give the JSON Schema of ``plan.json``."""
    return _schema(PlanFile, "plan.json of a build")


def points_schema() -> Mapping[str, Any]:
    """Give the JSON Schema of the first line of ``points.jsonl``."""
    return _schema(PointsHeader, "the first line of points.jsonl of a build")


def _schema(model: type[Record], title: str) -> Mapping[str, Any]:
    found = model.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found, "title": title}
