"""How a command ends: what a user is told, and the exit status, when something stops it."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import click

FINE, AT_FAULT, MISUSE, REFUSED, OUR_BUG = 0, 1, 2, 3, 70


class Stop(Exception):  # noqa: N818  # it stops a command; whether that is an error is its status
    """Ends a command with *status*; whatever the user has to know has been printed already, or is *message*."""

    def __init__(self, status: int, message: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def refuse(message: str, *, help: str = "", status: int = AT_FAULT) -> NoReturn:
    """End the command with an error that has no place in a file."""
    raise Stop(status, f"error: {message}" + (f"\nhelp: {help}" if help else ""))


def _plain(text: str) -> str:
    """Give lines without what a terminal obeys: names of files and runs are in them."""
    from xpc.grammar.screen import visible

    return "\n".join(map(visible, text.split("\n")))


def _told(refused: PermissionError) -> str:
    """Say what a user may not do, whose the file is, and what helps."""
    from xpc.runtime.denied import denied

    found = denied(refused.filename) if refused.filename else None
    if found is None:
        where = f"{os.fsdecode(refused.filename)}: " if refused.filename else ""
        return f"error[XS000]: {where}{refused.strerror or refused}"
    return "\n".join([f"error[XS008]: {found.message}", *(f"help: {line}" for line in found.help)])


def _misuse(misuse: click.ClickException) -> str:
    """Say what is wrong with a command line; to whom asks what a submit would do, no option that submits is offered."""
    if isinstance(misuse, click.NoSuchOption) and misuse.option_name == "--dry-run":
        return "No such option '--dry-run'. `xpc build --dry-run -v` shows what would be sent, and writes nothing."
    return misuse.format_message()


def _open_outputs() -> None:
    """Give what was started with a closed output (`xpc list >&-`) one that nobody reads: else the next file that is
    opened would be its output."""
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_WRONLY)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            setattr(sys, name, open(number, "w", closefd=False))  # noqa: SIM115  # it is open as long as we live


def _unread() -> int:
    """End where the reader of a pipe has left (`xpc list | head`): no error, and nothing more to flush. Where nobody
    reads stderr either (`xpc submit 2>&1 | true`), what a command was about to do may not have been done."""
    import select

    poll = select.poll()
    poll.register(2, 0)
    unheard = any(events & select.POLLERR for _, events in poll.poll(0))
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return AT_FAULT if unheard else FINE


def run_guarded(arguments: list[str]) -> int:
    from .root import root

    _open_outputs()
    stdout = sys.stdout
    try:
        status = root.main(arguments, prog_name="xpc", standalone_mode=False)
        sys.stdout.flush()
        return status if isinstance(status, int) else FINE
    except Stop as stop:
        if stop.message:
            click.echo(_plain(stop.message), err=True)
        return stop.status
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.Abort:
        return 130
    except click.ClickException as misuse:
        text = _plain(_misuse(misuse))
        told = click.UsageError(text, misuse.ctx) if isinstance(misuse, click.UsageError) else None
        (told or click.ClickException(text)).show()
        return misuse.exit_code
    except BrokenPipeError:
        return _unread()
    except SystemExit:
        if sys.stdout is stdout:
            raise
        return _unread()  # click found that nobody reads: it wraps what is left, and would end with 1
    except KeyboardInterrupt:
        return 130
    except PermissionError as refused:
        click.echo(_plain(_told(refused)), err=True)
        return REFUSED
    except OSError as refused:
        where = f"{refused.filename}: " if refused.filename else ""
        click.echo(_plain(f"error[XS000]: {where}{refused.strerror or refused}"), err=True)
        return REFUSED
    except Exception:
        import traceback

        traceback.print_exc()
        click.echo("This is a bug in xpc, not in your files. Please report it with the lines above.", err=True)
        return OUR_BUG
