"""A plan of one run to the script that its target's scheduler wants, and a target to what plans say of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xpc.compiler.study import Target


def target_json(target: Target) -> dict[str, Any]:
    """Give what ``plan.json`` says of a target."""
    options: dict[str, Any] = dict(target.options)
    if target.native:
        options["options"] = dict(target.native)
    return {"name": target.name, "kind": target.kind, "options": options}


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
