"""A plan to the values of ``plan.json``."""

from __future__ import annotations

from typing import Final, cast

from .identity import IDENTITY
from .plan import Array, Plan, PlannedExperiment
from .template import Json, command_json, template_json, word_json
from .template_compile import PlannedEnvironment
from .values import Value, dotted

SCHEMA: Final = "xpc.plan/1"


def plan_json(plan: Plan) -> dict[str, Json]:
    """Give ``plan.json`` as values; its format is in ``planfile`` and docs/formats.md."""
    return {
        "schema": SCHEMA,
        "identity": IDENTITY,
        "project": plan.project,
        "snapshot": {"tree": plan.snapshot.tree, "prefix": plan.snapshot.prefix},
        "links": [{"name": link.name, "path": link.path} for link in plan.links],
        "target": {"name": plan.target.name, "kind": plan.target.kind, "options": _json(dict(plan.target.options))},
        "experiments": {name: _experiment(planned) for name, planned in plan.experiments.items()},
        "resources": [[_json(request.json()) for request in requests] for requests in plan.resources],
        "arrays": [_array(array) for array in plan.arrays],
        "cost": {
            "core_hours": cast("Json", plan.cost.core_hours),
            "gpu_hours": cast("Json", plan.cost.gpu_hours),
            "inodes": plan.cost.inodes,
        },
    }


def _json(value: Value) -> Json:
    """A value without text columns is JSON as it is."""
    return cast("Json", value)


def _array(array: Array) -> Json:
    return {
        "name": array.name,
        "experiment": array.experiment,
        "resources": array.resources,
        "tasks": array.count,
        "rows": [[array.first, array.count]],
        "after": list(array.after),
        "script": f"arrays/{array.name}.sh",
    }


def _experiment(planned: PlannedExperiment) -> Json:
    compiled, experiment = planned.compiled, planned.compiled.experiment
    return {
        "first": planned.first,
        "runs": planned.runs,
        "command": command_json(compiled.command),
        "workdir": experiment.workdir,
        "config": bool(planned.table.order),
        "inputs": {name: template_json(path) for name, path in compiled.inputs.items()},
        "outputs": {name: template_json(path) for name, path in compiled.outputs.items()},
        "writable": list(experiment.writable),
        "metrics_files": list(experiment.metrics_files),
        "metrics": [
            {
                "name": dotted(metric.path),
                "direction": metric.direction,
                "source": metric.source,
                "pattern": metric.pattern,
            }
            for metric in experiment.metrics
        ],
        "environment": _environment(compiled.environment),
        "retries": experiment.retries,
        "after": [
            {"experiment": after.experiment, "all": after.all, "by": [dotted(key) for key in after.by]}
            for after in experiment.after
        ],
        "fingerprint": {
            "command": planned.fingerprint.command,
            "code": planned.fingerprint.code,
            "environment": planned.fingerprint.environment,
            "inputs": planned.fingerprint.inputs,
        },
        "tags": list(experiment.tags),
    }


def _environment(environment: PlannedEnvironment) -> Json:
    return {
        "setup": [
            {"script": setup.script, "args": [word_json(word) for word in setup.args]} for setup in environment.setup
        ],
        "variables": {name: template_json(value) for name, value in environment.variables.items()},
        "secrets": list(environment.secrets),
        "container": None,
    }
