"""What `xpc submit --rerun stale` and `--force` do first, with the lock held: done runs are set aside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from .output import count

if TYPE_CHECKING:
    from xpc.compiler.plan import Plan
    from xpc.runtime.superseded import SupersedeError

    from .again import Mode
    from .session import Session


def setting_aside(
    session: Session,
    plan: Plan,
    mode: Mode | None,
    forced: Mapping[str, Sequence[int]] | None,
    *,
    silent: bool = False,
) -> Callable[[], bool]:
    """Give what makes done runs of *plan* planned again; it looks anew, since others may have submitted meanwhile."""

    def prepare() -> bool:
        from xpc.runtime.superseded import SupersedeError, supersede

        from .again import find_again
        from .build_summary import held_lines
        from .freshness import Freshness
        from .standing import Standings

        store = (standings := Standings(session.folder)).store
        try:
            again = find_again(plan, standings, Freshness(session, standings, plan), mode, forced)
            try:
                done = supersede(store, again.runs(plan.tables))
            except SupersedeError as refused:
                _refused(session, refused)
                return False
        finally:
            store.close()
        if not silent:
            if done:
                click.echo(f"Kept {count(len(done), 'earlier result')} (`xpc show` names the folders).", err=True)
            for line in held_lines(again):
                click.echo(line[0].upper() + line[1:] + ".", err=True)
        return True

    return prepare if mode is not None else lambda: True


def _refused(session: Session, refused: SupersedeError) -> None:
    experiment, id = refused.run
    session.diagnostics.error(
        "XS009",
        None,
        f"the folder of `{experiment}` `{id[:7]}` can't be set aside: {refused.error.strerror or refused.error}",
        help=(
            f"it is renamed to `runs/{experiment}/{id}.v1`, for which `runs/{experiment}` has to be yours to write to",
            "nothing was sent; what was set aside before it is sent by the next `xpc submit`",
        ),
    )
