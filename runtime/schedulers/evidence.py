"""Jobs to what their scheduler says of them: one look for everything that a command asks about."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from .ask import Answer, ask

if TYPE_CHECKING:
    from ..states import State

Task = tuple[str, int | None]  # a job, and SLURM's index of its task, as in `SentJob`
Phase = Literal["queued", "running", "ended"]
Ask = Callable[[list[str]], Answer]


@dataclass(frozen=True, slots=True)
class Seen:
    """One task as the scheduler tells it.

    *state*: how it ended; `failed` and `done` are the scheduler's words about the exit status of the shim, which is no
    proof of what became of a run. *reason*: in the scheduler's own words. *restarts*: how often it was put back.
    """

    phase: Phase
    state: State | None
    reason: str
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """What one look has shown. *answered* is false if the scheduler can't be asked; *said* is why.

    What *seen* lacks the scheduler does not know (any more); for those in *gone* that is sure, for others the
    accounting may only be late. *now*: the job in a task's place by now, where it was started again as another one.
    """

    answered: bool
    said: str = ""
    seen: Mapping[Task, Seen] = field(default_factory=dict)
    gone: frozenset[Task] = frozenset()
    now: Mapping[Task, str] = field(default_factory=dict)


def look(
    kind: str,
    jobs: Iterable[Task],
    *,
    names: Mapping[str, str] | None = None,
    ended: Container[Task] = (),
    run: Ask = ask,
) -> Look:
    """Ask the scheduler of *kind* about *jobs*: one `squeue` and at most one `sacct`, or one `oarstat`.

    *names*: the name that a job was given, by job; a job of another name has only got the same number later. *ended*:
    tasks of which it is known how they ended, so that it is news only if they wait or run again.
    """
    from .oar_states import look_oar
    from .slurm_states import look_slurm

    asked = list(dict.fromkeys(jobs))
    if not asked:
        return Look(True)
    if kind == "slurm":
        return look_slurm(asked, names or {}, ended, run)
    if kind == "oar":
        return look_oar(asked, names or {}, run)
    return Look(False, f"no scheduler is called {kind}")
