"""Options that several commands share, each with one meaning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

RESCAN = "xpc.rescan"
FORMATS = ("full", "concise", "json", "github")


def settings(function: Command) -> Command:
    return click.option(
        "--set", "settings", metavar="KEY=VALUE", multiple=True, help="Give a key another value. May be repeated."
    )(function)


def where(function: Command) -> Command:
    return click.option("--where", metavar="EXPR", help="Only runs for which this holds, as in a query.")(function)


def rerun(function: Command) -> Command:
    """Add `--rerun stale` and `--force`: done runs go once more."""
    force = click.option("--force", is_flag=True, help="Send done runs, too, stale or not; keep their results.")
    stale = click.option(
        "--rerun", type=click.Choice(("stale",)), help="Send stale runs, too, and what comes after; keep their results."
    )
    return stale(force(function))


def target(function: Command) -> Command:
    return click.option("--target", metavar="NAME", default="local", show_default=True, help="Where to run.")(function)


def experiments(function: Command) -> Command:
    return click.argument("experiments", metavar="[EXPERIMENT]...", nargs=-1)(function)


def as_json(function: Command) -> Command:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")(function)


def snapshot(function: Command) -> Command:
    return click.option(
        "--snapshot",
        type=click.Choice(("worktree", "head", "clean")),
        default="worktree",
        show_default=True,
        help="Which code: the working tree as it is, the last commit, or an error if they differ.",
    )(function)


def jobs(function: Command) -> Command:
    return click.option(
        "-j", "--jobs", type=click.IntRange(min=1), metavar="N", help="Runs at a time (by default as many as fit)."
    )(function)


def rescan(function: Command) -> Command:
    """Add `--rescan`; `Standings` asks for it."""
    return click.option(
        "--rescan",
        is_flag=True,
        expose_value=False,
        callback=lambda context, _, value: context.meta.update({RESCAN: value}),
        help="Read every record anew, also what was changed by hand.",
    )(function)


def table_format(function: Command) -> Command:
    return click.option(
        "--format",
        type=click.Choice(("table", "csv", "json", "github", "latex", "html")),
        default="table",
        show_default=True,
        help="How to print.",
    )(function)


def explain(function: Command) -> Command:
    return click.option(
        "--explain", is_flag=True, help="Print where each number comes from; with --format json for machines."
    )(function)


def html(function: Command) -> Command:
    """Add `--html FILE` and `--details N`: the report as a page."""
    details = click.option(
        "--details",
        type=click.IntRange(min=0),
        metavar="N",
        help="With --html: how many runs have logs and curves in it (by default 500).",
    )
    file = click.option(
        "--html", "page", metavar="FILE", help="Write one HTML file: tables, curves, a page for each run."
    )
    return file(details(function))
