"""Options that several commands share, each with one meaning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

FORMATS = ("full", "concise", "json", "github")


def settings(function: Command) -> Command:
    return click.option(
        "--set", "settings", metavar="KEY=VALUE", multiple=True, help="Give a key another value. May be repeated."
    )(function)


def where(function: Command) -> Command:
    return click.option("--where", metavar="EXPR", help="Only runs for which this holds, as in a query.")(function)


def target(function: Command) -> Command:
    return click.option("--target", metavar="NAME", default="local", show_default=True, help="Where to run.")(function)


def experiments(function: Command) -> Command:
    return click.argument("experiments", metavar="[EXPERIMENT]...", nargs=-1)(function)


def as_json(function: Command) -> Command:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")(function)
