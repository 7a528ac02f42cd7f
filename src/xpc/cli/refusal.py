"""What a scheduler refused to an error that shows the line of the Experimentfile that asked for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xpc.grammar.diagnostic import Diagnostics

from .output import duration

if TYPE_CHECKING:
    from xpc.compiler.study import Study, Target
    from xpc.runtime.schedulers.cluster import Sent

HELP = {
    "time": "write a `time` in the experiment's resources, such as `time = 2h`",
    "partition": 'write `partition = "…"` in the target; `sinfo -s` lists them',
    "account": 'write `account = "…"` in the target',
    "max_array": "`xpc doctor` says which `max_array` to put in the target",
    "max_submit": "`xpc doctor` says which `max_submit` to put in the target; `pack N` puts several runs in a task",
    "queue": 'write `queue = "…"` in the target',
}
_PROGRAM = re.compile(r"^(sbatch: )?(error: |\[ERROR\] |/!\\\s*)?(Batch job submission failed: )?")
NAMES = {"slurm": "SLURM", "oar": "OAR"}


def explain(sent: Sent, study: Study, target: Target, diagnostics: Diagnostics) -> None:
    """Add the error that a submit to a cluster ended with."""
    from xpc.runtime.schedulers.refusal_words import about, headline

    failure = sent.failure
    assert failure is not None
    scheduler = NAMES[sent.kind]
    if failure.lost:
        help = "it completes what was sent from here; `xpc status` tells how it goes"
        diagnostics.error("XS001", None, failure.said, help=help)
        return
    if failure.whose:
        message = f"{scheduler} refused, for these jobs are {failure.whose}'s: {failure.said}"
        help = f"what waits for these runs was sent by {failure.whose}, who may type the same, or `xpc cancel` first"
        diagnostics.error("XS004", None, message, help=help)
        return
    if failure.call is None:
        message = f"{scheduler} does not answer as it should: {failure.said}"
        next_step = "type the command again: the next submit completes it"
        diagnostics.error("XS005", None, message, help=("what was sent is noted; `xpc status` names it", next_step))
        return
    names = about(sent.kind, failure.said)
    spans = dict(target.spans)
    if failure.call.experiment in study.experiments:
        spans |= study.experiments[failure.call.experiment].resources.spans
    why, more = headline(sent.kind, _lines(failure.said) or ["it did not say why"])
    message = f"{scheduler} refused array `{failure.call.array}`: {why}"
    more_said = [f"{scheduler} also said: {line}" for line in more]
    found = next(((name, spans[name]) for name in names if name in spans), None)
    if found is None:
        cures = [HELP[name] for name in names if name in HELP]
        diagnostics.error("XS004", None, message, help=[*more_said, *cures[:1]])
        return
    name, span = found
    diagnostics.error("XS004", span, message, _label(name, sent, target), help=more_said)


def _lines(said: str) -> list[str]:
    """Give the lines of what was said, without the name of the program that says it on each."""
    lines = (_PROGRAM.sub("", line.strip()) for line in said.splitlines())
    return list(dict.fromkeys(line for line in lines if line))


def _label(name: str, sent: Sent, target: Target) -> str:
    if name != "time" or sent.kind != "slurm" or sent.failure is None:
        return "asked here"
    from xpc.runtime.schedulers.slurm_partition import longest_time

    asked = (sent.failure.request or {}).get("options", {}).get("slurm", {}).get("partition")
    partition = asked or target.options.get("partition") or target.native.get("partition")
    known = longest_time(str(partition) if partition else None)
    return "asked here" if known is None else f"asked here; partition `{known[0]}` allows {duration(known[1])}"
