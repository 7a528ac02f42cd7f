"""A plan to the values of ``plan.json``."""

from __future__ import annotations

from typing import Final, cast

from .identity import IDENTITY
from .plan import Plan, PlannedExperiment
from .plan_arrays import Array
from .study import Experiment, Target
from .template import Json, Script, command_json, template_json, word_json
from .template_compile import PlannedContainer, PlannedEnvironment
from .values import Value, dotted

SCHEMA: Final = "xpc.plan/1"
SUFFIXES: Final = {"local": "sh", "oar": "oar", "slurm": "sbatch"}


def plan_json(plan: Plan) -> dict[str, Json]:
    """Give ``plan.json`` as values; its format is in ``planfile`` and docs/formats.md."""
    return {
        "schema": SCHEMA,
        "identity": IDENTITY,
        "project": plan.project,
        "snapshot": {"tree": plan.snapshot.tree, "prefix": plan.snapshot.prefix},
        "links": [{"name": link.name, "path": link.path} for link in plan.links],
        "target": _target(plan.target),
        "experiments": {name: _experiment(planned) for name, planned in plan.experiments.items()},
        "resources": [[_json(request.json()) for request in requests] for requests in plan.resources],
        "arrays": [_array(array, plan.target.kind) for array in plan.arrays],
        "cost": {
            "core_hours": cast("Json", plan.cost.core_hours),
            "gpu_hours": cast("Json", plan.cost.gpu_hours),
            "inodes": plan.cost.inodes,
        },
    }


def _json(value: Value) -> Json:
    """A value without text columns is JSON as it is."""
    return cast("Json", value)


def _array(array: Array, kind: str) -> Json:
    found: dict[str, Json] = {
        "name": array.name,
        "experiment": array.experiment,
        "resources": array.resources,
        "tasks": array.tasks,
        "rows": [[array.first, array.count]],
    }
    if kind != "local":
        found["indices"] = [list(each) for each in array.indices]
        found["sizes"] = [list(each) for each in array.sizes]
        found["side_by_side"] = array.side_by_side
    found["after"] = list(array.after)
    if kind != "local":
        found["pairwise"] = list(array.pairwise)
        found["throttle"] = array.throttle
    return {**found, "script": script_of(array, kind)}


def script_of(array: Array, kind: str) -> str:
    """Give the path of an array's script in the build."""
    return f"arrays/{array.name}.{SUFFIXES[kind]}"


def _target(target: Target) -> Json:
    options: dict[str, Value] = dict(target.options)
    if target.native:
        options["options"] = dict(target.native)
    return {"name": target.name, "kind": target.kind, "options": _json(options)}


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
        "environment": environment_json(compiled.environment),
        "retries": experiment.retries,
        **_life(experiment),
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
        **({"input_contents": dict(planned.contents)} if planned.contents else {}),
        "tags": list(experiment.tags),
    }


def _life(experiment: Experiment) -> dict[str, Json]:
    checkpoint, pack = experiment.checkpoint, experiment.pack
    before = None if checkpoint is None else cast("Json", checkpoint.before)
    return {
        "checkpoint": None if checkpoint is None else {"before": before, "signal": checkpoint.signal},
        "pack": None if pack is None else {"runs": pack.runs, "side_by_side": pack.side_by_side},
    }


def environment_json(environment: PlannedEnvironment) -> dict[str, Json]:
    return {
        "setup": [
            setup_json(setup, of_target=number < environment.of_target)
            for number, setup in enumerate(environment.setup)
        ],
        "variables": {name: template_json(value) for name, value in environment.variables.items()},
        "secrets": list(environment.secrets),
        "container": None if environment.container is None else _container(environment.container),
    }


def setup_json(setup: Script, *, of_target: bool) -> dict[str, Json]:
    """Give a setup line; one of the target's says so, since on another target it is not run."""
    found: dict[str, Json] = {"script": setup.script, "args": [word_json(word) for word in setup.args]}
    return {**found, "target": True} if of_target else found


def _container(container: PlannedContainer) -> Json:
    return {
        "image": template_json(container.image),
        "runtime": container.runtime,
        "mounts": [{"path": template_json(mount.path), "at": template_json(mount.at)} for mount in container.mounts],
    }
