"""A build to the secrets that would be written down with it: a value, a `--set` or a text that holds one."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xpc.compiler.emit import Build

    from .session import Session

SHORTEST: Final = 8  # characters; what is shorter may stand anywhere by chance


def stop_for_secrets(session: Session, build: Build, environ: Mapping[str, str] = os.environ) -> None:
    """End the command if the build holds what a `secret` of its experiments has for its value here."""
    plan = json.loads(build.files["plan.json"])
    names = {name: of for of, found in plan["experiments"].items() for name in found["environment"]["secrets"]}
    values = {name: environ[name] for name in names if len(environ.get(name, "")) >= SHORTEST}
    if not values:
        return
    for name in _held(build, values):
        session.diagnostics.error(
            "XP037",
            None,
            f"the value of the secret `{name}` stands in what is recorded of `{names[name]}`",
            help=(
                "take it out of the keys, texts and `--set`: the program finds it in its environment",
                f'if it is none, write `{name} = env("{name}")` in place of `secret {name}`',
            ),
        )
    session.stop_if_failed()


def _held(build: Build, values: Mapping[str, str]) -> list[str]:
    """Give the names of those values that the plan or a point of it has, as JSON has them."""
    wanted = {
        name: json.dumps(value, ensure_ascii=False)[1:-1].encode("utf-8", "replace") for name, value in values.items()
    }
    found = {name for name, text in wanted.items() if text in build.files["plan.json"]}
    for chunk, _ in build.points():
        found |= {name for name, text in wanted.items() if text in chunk}
    return sorted(found)
