"""A target to what the build of a reproduction needs of it: its options, its setup lines, the script of a task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .failure import refuse

if TYPE_CHECKING:
    from xpc.compiler.study import Target

    from .session import Session


def target_json(target: Target) -> dict[str, Any]:
    """Give what ``plan.json`` says of a target."""
    options: dict[str, Any] = dict(target.options)
    if target.native:
        options["options"] = dict(target.native)
    return {"name": target.name, "kind": target.kind, "options": options}


def setup_json_of(session: Session, target: Target, experiment: str) -> list[dict[str, Any]]:
    """Give the target's own setup lines as plans have them, compiled for *experiment* as it is now, or for any other;
    lines that need values of a run can't be had for one that was compiled before."""
    if not target.setup:
        return []
    from xpc.compiler.plan_json import setup_json
    from xpc.compiler.plan_texts import compile_texts

    compiled = compile_texts(session.checked(), session.tables, target, session.diagnostics)
    session.stop_if_failed()
    environment = (compiled.get(experiment) or next(iter(compiled.values()))).environment
    found: list[dict[str, Any]] = [
        setup_json(line, of_target=True) for line in environment.setup[: environment.of_target]
    ]
    if any(_needs_row(word) for line in found for word in line["args"]):
        refuse(
            f"the `setup` of target `{target.name}` holds formulas, which only a build fills in",
            help="write the line without them, or reproduce the run on this machine",
        )
    return found


def _needs_row(word: Any) -> bool:
    """Tell whether a word of a plan is found among the texts of a row."""
    return isinstance(word, dict) or any(isinstance(part, dict) and "text" in part for part in word)


def script_for(target: Target | None) -> Callable[[Mapping[str, Any]], str]:
    """Give what makes the script of a plan's one array; without a target that of this machine."""

    def script(plan: Mapping[str, Any]) -> str:
        if target is None or target.kind == "local":
            return LOCAL
        from xpc.compiler.backends.oar.render import render_script as oar
        from xpc.compiler.backends.slurm.render import render_script as slurm
        from xpc.compiler.plan_arrays import Array
        from xpc.compiler.plan_resources import Request
        from xpc.compiler.study import Checkpoint
        from xpc.grammar.source import Source

        named = plan["arrays"][0]
        one = ((0, 1),)
        array = Array(named["name"], named["experiment"], 0, 0, 1, (), 0, 1, one, ((1, 1),))
        told = plan["experiments"][named["experiment"]].get("checkpoint")
        nowhere = Source("plan.json", "").span(0, 0)
        checkpoint = None if told is None else Checkpoint(told["before"], told["signal"], nowhere)
        render = slurm if target.kind == "slurm" else oar
        return render(array, Request(**plan["resources"][0][0]), target, checkpoint)

    return script


LOCAL = """\
#!/usr/bin/env bash
# The one run of this reproduction. Nothing but bash, Python 3.8 or newer and the exported snapshot is needed.
cd "$(dirname "$0")/.." || exit 74
build=.xpc/builds/$(basename "$PWD")
cd ../../.. || exit 74
exec python3 "$build/xpc.pyz" task --project . --build "$build" --array reproduction-1 --index 0
"""
