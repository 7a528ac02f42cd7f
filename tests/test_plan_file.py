"""The format of a build's plan: its published schemas, and what is said about a plan that can't be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from xpc.compiler.emit import emit
from xpc.compiler.planfile import PointsHeader, plan_schema, points_schema, read_plan
from xpc.grammar.diagnostic import Diagnostics
from xpc.grammar.render import render

from .planning import EVERYTHING, EVERYTHING_FILES, check_golden, plan_of

SCHEMAS = Path(__file__).resolve().parent.parent / "docs" / "schemas"


def plan_json() -> dict[str, Any]:
    build = emit(plan_of(EVERYTHING, EVERYTHING_FILES), b"shim")
    found: dict[str, Any] = json.loads(build.files["plan.json"])
    return found


def header_json() -> dict[str, Any]:
    build = emit(plan_of(EVERYTHING, EVERYTHING_FILES), b"shim")
    found: dict[str, Any] = json.loads(next(build.points())[0])
    return found


def reading(plan: object) -> str:
    """Read a plan; give what is said about it."""
    diagnostics = Diagnostics()
    found = read_plan(json.dumps(plan), ".xpc/builds/9c3e11f/plan.json", diagnostics)
    assert (found is None) == diagnostics.failed
    return render(diagnostics.sorted(), "full", color=False)


@pytest.mark.parametrize(("name", "schema"), [("plan", plan_schema()), ("points", points_schema())])
def test_published_schema_is_the_format(name: str, schema: dict[str, Any]) -> None:
    """docs/schemas is what the models say; UPDATE_GOLDEN=1 writes it."""
    check_golden(f"../../docs/schemas/{name}.schema.json", json.dumps(schema, indent=2, ensure_ascii=False) + "\n")


def test_emitted_files_are_of_the_format() -> None:
    """What a build holds is right by the models and by the published schemas."""
    plan, header = plan_json(), header_json()

    assert reading(plan) == ""
    PointsHeader.model_validate(header)
    for name, document in (("plan", plan), ("points", header)):
        schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.Draft202012Validator(schema).validate(document)


def test_reading_gives_back_what_was_written() -> None:
    """Nothing of a plan is lost on the way through the models."""
    plan = plan_json()
    found = read_plan(json.dumps(plan), "plan.json", Diagnostics())

    assert found is not None
    assert json.loads(found.model_dump_json(by_alias=True, exclude_unset=True)) == plan


def test_unknown_fields_are_ignored() -> None:
    """A later version may add fields, at any place."""
    plan = plan_json()
    plan["later"] = plan["cost"]["later"] = plan["experiments"]["train"]["later"] = {"x": 1}

    assert reading(plan) == ""


def test_newer_plan_is_refused_by_name() -> None:
    """A newer major is named, whatever else the file holds."""
    assert reading({"schema": "xpc.plan/2", "all": "other"}) == (
        "error[XP155]: `.xpc/builds/9c3e11f/plan.json` has the schema `xpc.plan/2`, and this xpc reads `xpc.plan/1`\n"
        "help: update xpc, or build again with this one"
    )


def test_damaged_plan_is_refused() -> None:
    """The place of the first fault is named; no traceback, no words of the library that found it."""
    plan = plan_json()
    plan["arrays"][0]["tasks"] = "many"

    del plan["cost"]
    assert "is no plan: `cost` is missing" in reading({**plan, "arrays": []})
    plan["cost"] = plan_json()["cost"]
    assert reading(plan) == (
        "error[XP156]: `.xpc/builds/9c3e11f/plan.json` is no plan: "
        "`arrays.0.tasks` holds what does not belong there\n"
        "help: a build is never edited; `xpc build` makes it again"
    )
