"""Environment blocks to the variables, secrets, setup lines and container of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..grammar import tree
from .context import Context
from .functions import looks_secret
from .nearest import did_you_mean
from .scope import Scope
from .study import Code, Environment
from .values import Value, dotted

OWN: Final = "XPC_"
RUNTIMES: Final = ("podman", "docker", "apptainer")


def resolve_environment(use: tree.UseEnvironment | None, scope: Scope, context: Context) -> Environment:
    """Give the environment that an experiment uses with what it inherits; an empty one without."""
    blocks = context.definitions.environments
    if use is None or not context.known("environment", use.name, blocks):
        return Environment()
    lineage, _ = context.lineage("environment", blocks[use.name.text], blocks)
    setup: list[tree.Text] = []
    variables: dict[str, Value | Code | tree.Text] = {}
    secrets: dict[str, None] = {}
    container: tree.Container | None = None
    mounts: list[tree.Mount] = []
    for item in (item for block in lineage for item in block.body):
        match item:
            case tree.Setup(text=text):
                setup.append(text)
            case tree.Secret(name=name):
                if _arrives(name, context):
                    secrets[name.text] = None
                    variables.pop(name.text, None)
            case tree.Assign(key=key, value=value):
                found = _variable(key, value, scope, context)
                if found is not None:
                    variables[key.path[0]] = found[0]
                    secrets.pop(key.path[0], None)
            case tree.Container():
                container = item if _runtime(item, context) else container
            case tree.Mount():
                mounts.append(item)
    _without_container(mounts, container, context)
    return Environment(tuple(setup), variables, tuple(secrets), container, tuple(mounts))


def _arrives(name: tree.Word, context: Context) -> bool:
    """Tell whether a secret of this name can reach a program; xpc's own variables are taken out before it starts."""
    if not name.text.startswith(OWN):
        return True
    context.diagnostics.error(
        "XP045",
        name.span,
        f"a secret called `{name.text}` would never arrive: variables that begin with `{OWN}` are xpc's own",
        "never arrives",
        help=f"give it another name, such as `{name.text.removeprefix(OWN) or 'TOKEN'}`",
    )
    return False


def _variable(key: tree.Key, expr: tree.Expr, scope: Scope, context: Context) -> tuple[Value | Code | tree.Text] | None:
    if len(key.path) > 1 or not key.path[0].isidentifier() or not key.path[0].isascii():
        message = f"`{dotted(key.path)}` is no name for an environment variable"
        context.diagnostics.error("XP045", key.span, message, "not a variable's name")
        return None
    name = key.path[0]
    if looks_secret(name):
        context.diagnostics.error(
            "XP037",
            key.span,
            f"`{name}` looks secret, and the values of variables are recorded",
            "recorded with every run",
            help=f"write `secret {name}`: it is passed on from your environment and never recorded",
        )
        return None
    if isinstance(expr, tree.Text) and expr.plain is None:
        return (expr,)
    code = context.compile(expr, scope)
    if code is None:
        return None
    return (code if code.names else code.call(()),)


def _runtime(item: tree.Container, context: Context) -> bool:
    """Tell whether a container's runtime is known, or none is named."""
    word = item.runtime
    if word is None or word.text in RUNTIMES:
        return True
    help = did_you_mean(word.text, RUNTIMES) or (f"there are {', '.join(RUNTIMES)}",)
    context.diagnostics.error("XP045", word.span, f"unknown container runtime `{word.text}`", "not one", help=help)
    return False


def _without_container(mounts: Sequence[tree.Mount], container: tree.Container | None, context: Context) -> None:
    if mounts and container is None:
        help = 'write `container "image"` beside it'
        context.diagnostics.error("XP045", mounts[0].span, "`mount` without a `container`", "into what?", help=help)
