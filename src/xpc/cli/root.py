"""The list of commands. Each one's module is imported when the command is called, never before."""

from __future__ import annotations

import importlib
import os

import click

COMMANDS = {
    "check": "say what is wrong with the Experimentfile",
    "list": "list the runs that it describes",
    "build": "compile it: pin the code, write the arrays",
    "submit": "build, then run what is not done",
    "status": "count runs by state and explain failures",
    "wait": "come back when the runs have ended",
    "logs": "print what a run printed",
    "show": "tell everything about a run",
    "cancel": "take queued and running runs back from a cluster",
    "retry": "run again what failed",
    "accept": "keep results though something changed since",
    "report": "print the tables of the file's reports",
    "query": "ask the records a question",
    "plot": "draw the plots of the reports",
    "diff": "compare two runs: config, code, metrics",
    "reproduce": "run a run once more, and say what differs",
    "view": "make a tree of links to browse",
    "gc": "make room: remove, or pack, what is not needed",
    "doctor": "find the schedulers, and try what jobs may do",
}


class Commands(click.Group):
    """A group that knows its commands by name alone until one is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f".command_{cmd_name}", __package__).command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from xpc.grammar.nearest import nearest

            close = nearest(args[0], COMMANDS)
            hint = f" Did you mean `xpc {close}`?" if close else " `xpc --help` lists them."
            raise click.UsageError(f"there is no command `{args[0]}`.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("-C", "folder", metavar="DIR", help="Go to DIR first.")
@click.version_option(package_name="xpc", prog_name="xpc", message="%(prog)s %(version)s")
def root(folder: str | None) -> None:
    """The experiment compiler: one Experimentfile in, runs and tables out."""
    if folder is not None:
        try:
            os.chdir(folder)
        except OSError as refused:
            raise click.UsageError(f"can't go to {folder}: {refused.strerror}") from None
