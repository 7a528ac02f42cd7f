"""The commands' own help pages as one page of the manual: ``python -m xpc.cli.manual > docs/commands.md``."""

from __future__ import annotations

import click

from .root import COMMANDS, root

HEAD = """# Commands

The help pages of all commands; `xpc COMMAND --help` prints the same.
Exit status: 0 fine, 1 your file or runs are at fault, 2 misuse of the command line, 3 the scheduler or the system
refused, 70 a bug in xpc.
"""


def manual() -> str:
    """Give the page, in Markdown."""
    parts = [HEAD, section(root, "xpc")]
    context = click.Context(root, info_name="xpc")
    for name in COMMANDS:
        command = root.get_command(context, name)
        assert command is not None
        parts.append(section(command, f"xpc {name}"))
    return "\n".join(parts)


def section(command: click.Command, name: str) -> str:
    context = click.Context(
        command, info_name=name, terminal_width=100, max_content_width=100, help_option_names=["-h", "--help"]
    )
    return f"## `{name}`\n\n```\n{command.get_help(context)}\n```\n"


if __name__ == "__main__":
    print(manual(), end="")
