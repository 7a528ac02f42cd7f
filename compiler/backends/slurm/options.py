"""The options of ``sbatch``: which may be given as ``slurm.OPTION``, and which xpc sets itself."""

from __future__ import annotations

from typing import Final

_TEXT: Final = (
    "account acctg-freq batch bb bbf begin cluster-constraint comment constraint container core-spec cores-per-socket "
    "cpu-freq cpus-per-gpu deadline delay-boot distribution exclude extra extra-node-info gpu-bind gpu-freq gres "
    "gres-flags hint licenses mail-type mail-user mcs-label mem-bind mincpus network nodefile nodelist "
    "ntasks-per-core ntasks-per-socket partition power prefer priority profile qos reservation segment "
    "sockets-per-node switches thread-spec threads-per-core time-min tmp tres-bind tres-per-task wckey"
)
_FLAGS: Final = "contiguous no-kill overcommit reboot spread-job stepmgr use-min-nodes"
_EITHER: Final = "exclusive nice oversubscribe propagate"

TAKES: Final[dict[str, str]] = {
    **dict.fromkeys(_TEXT.split(), "text"),
    **dict.fromkeys(_FLAGS.split(), "flag"),
    **dict.fromkeys(_EITHER.split(), "either"),
}

_ENVIRONMENT: Final = "runs get their variables from an `environment` block"
_GPUS: Final = "write `gpus = 2`, which is for a node; a kind of GPU is `slurm.gres` or `slurm.constraint`"
_MEMORY: Final = "write `memory = 4GiB`, which is for a node"
_TASKS: Final = "write `tasks = 4`, which is for a node, and `nodes = 2`"
_LOGS: Final = "each array has one log, in the build's folder `logs/`"
_NEVER: Final = "leave it out"

OWN: Final[dict[str, str]] = {
    "array": "grids make arrays; `max_array` and `throttle` in the target bound them",
    "chdir": "tasks start in the project's folder; `workdir` says where a run works",
    "clusters": "a target is one cluster",
    "cpus-per-task": "write `cpus = 4`",
    "dependency": "write `after EXPERIMENT` in the experiment",
    "error": _LOGS,
    "export": _ENVIRONMENT,
    "export-file": _ENVIRONMENT,
    "get-user-env": _ENVIRONMENT,
    "gid": _NEVER,
    "gpus": _GPUS,
    "gpus-per-node": _GPUS,
    "gpus-per-socket": _GPUS,
    "gpus-per-task": _GPUS,
    "help": _NEVER,
    "hold": "`xpc submit` holds the first arrays and releases them last",
    "ignore-pbs": _NEVER,
    "input": 'write `run "program < file"`',
    "job-name": "a job's name is its array's, which is how its runs are found again",
    "kill-on-invalid-dep": "it is always on",
    "mem": _MEMORY,
    "mem-per-cpu": _MEMORY,
    "mem-per-gpu": _MEMORY,
    "no-requeue": "write `requeue = false` in the target",
    "nodes": "write `nodes = 2`",
    "ntasks": _TASKS,
    "ntasks-per-gpu": _TASKS,
    "ntasks-per-node": _TASKS,
    "open-mode": "logs are always appended to",
    "output": _LOGS,
    "parsable": _NEVER,
    "quiet": _NEVER,
    "requeue": "write `requeue = true` in the target",
    "signal": "write `checkpoint 90s` in the experiment",
    "test-only": "`xpc build --ask-scheduler` asks",
    "time": "write `time = 2h`",
    "uid": _NEVER,
    "usage": _NEVER,
    "verbose": _NEVER,
    "version": _NEVER,
    "wait": "`xpc wait` waits",
    "wrap": "a run's program is its `run` line",
}

LETTERS: Final[dict[str, str]] = {
    "A": "account", "B": "extra-node-info", "C": "constraint", "D": "chdir", "F": "nodefile", "G": "gpus", "H": "hold",
    "J": "job-name", "L": "licenses", "M": "clusters", "N": "nodes", "O": "overcommit", "Q": "quiet", "S": "core-spec",
    "V": "version", "W": "wait", "a": "array", "b": "begin", "c": "cpus-per-task", "d": "dependency", "e": "error",
    "h": "help", "i": "input", "k": "no-kill", "m": "distribution", "n": "ntasks", "o": "output", "p": "partition",
    "q": "qos", "s": "oversubscribe", "t": "time", "v": "verbose", "w": "nodelist", "x": "exclude",
}  # fmt: skip

MANY: Final[tuple[str, ...]] = ()
