"""The results of reports to what is printed: tables, where their numbers come from, how a kept file differs."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from xpc.runtime.tables import WIDTH, as_json, json_rows, notes, render

from .failure import MISUSE, refuse
from .output import colour_wanted, columns

if TYPE_CHECKING:
    from xpc.grammar.diagnostic import Diagnostics
    from xpc.runtime.query import Result
    from xpc.runtime.table_compare import Change
    from xpc.runtime.table_read import Grid

Found = Sequence[tuple[str, "Sequence[Result]"]]
"""The tables of each report, by its name."""

NARROWEST = 40  # columns of a terminal that is printed for
MOST = 50  # differences that are shown


def tables(found: Found, format: str) -> str:
    """Give all tables in one text, each with its heading where there are several or where it has a title."""
    results = [(name, result) for name, own in found for result in own]
    if format == "json":
        return as_json(_json(results))
    alone = len(results) == 1
    texts = [
        _headed(name, result, text_of(result, format, hint=f"xpc report {name} --explain"), format, alone=alone)
        for name, result in results
    ]
    return "\n\n".join(texts)


def text_of(result: Result, format: str, hint: str = "") -> str:
    """Give one table as it suits where it goes: the best are bold on a terminal, and it is as wide as that."""
    width = max(NARROWEST, shutil.get_terminal_size().columns) if sys.stdout.isatty() else WIDTH
    where = f"Where each number comes from: `{hint}`." if hint else ""
    return render(result, format, width, color=colour_wanted(sys.stdout), hint=where)


def _json(results: Sequence[tuple[str, Result]]) -> object:
    """Give the rows of a single table, or a list of tables."""
    if len(results) == 1:
        return json_rows(results[0][1])
    return [{"report": name, "title": result.title, "rows": json_rows(result)} for name, result in results]


def _headed(name: str, result: Result, text: str, format: str, *, alone: bool) -> str:
    title = result.title or ("" if alone else name)
    if not title:
        return text
    match format:
        case "table":
            return f"{title}\n\n{text}"
        case "github":
            return f"### {title}\n\n{text}"
        case "latex":
            return f"% {title}\n{text}"
        case _:
            return text  # CSV has no place for it, HTML has it as its caption


# ------------------------------------------------------------------ --explain


def explanations(found: Found, format: str) -> str:
    """Give where the numbers of all tables come from: `table` is for people, `json` for machines."""
    from xpc.runtime.explain import explain, explained

    if format not in ("table", "json"):
        refuse(f"`--explain` has no format `{format}`", help="write `--format table` or `--format json`", status=MISUSE)
    results = [(name, result) for name, own in found for result in own]
    if format == "json":
        tables = [{"report": name, "title": result.title, "rows": explained(result)} for name, result in results]
        return as_json(tables)
    texts = []
    for name, result in results:
        parts = [name if len(results) > 1 else "", explain(result) or "No rows.", "\n".join(notes(result))]
        texts.append("\n\n".join(filter(None, parts)))
    return "\n\n".join(texts)


# ------------------------------------------------------------------ --check


def format_of(file: str) -> str:
    """Give the format that a file of tables has by its name."""
    from xpc.runtime.table_read import ENDINGS

    format = ENDINGS.get(Path(file).suffix.lower())
    if format is None:
        known = ", ".join(f"`{ending}`" for ending in ENDINGS)
        refuse(f"`{file}` has none of the endings of tables", help=f"they are {known}", status=MISUSE)
    return format


def check(found: Found, file: str, names: Sequence[str], diagnostics: Diagnostics) -> str:
    """Compare the tables with a file; give what differs, which has been reported then, or that nothing does."""
    from xpc.runtime.table_compare import compare, missing
    from xpc.runtime.table_read import UnreadableError, read_tables

    format = format_of(file)
    make = f"`xpc report{''.join(f' {name}' for name in names)} --format {format} > {shlex.quote(file)}`"
    if not Path(file).exists():
        refuse(f"there is no file `{file}`", help=f"make it: {make}")
    now = read_tables(tables(found, format), format)
    try:
        old = read_tables(Path(file).read_text("utf-8"), format)
    except (UnreadableError, UnicodeDecodeError) as error:
        refuse(f"`{file}` holds no table: {error}", help=f"make it anew: {make}")
    results = [result for _, own in found for result in own]
    changes: list[Change] = []
    for at, (result, table) in enumerate(zip(results, now, strict=True)):
        kept = old[at] if len(old) == len(now) else _with_heading(table, old)
        changes += [missing(table)] if kept is None else compare(kept, table, _keys(result))
    if len(old) > len(now) and format in ("csv", "json"):
        refuse(f"`{file}` has {len(old)} tables, and the report has {len(now)}", help=f"make it anew: {make}")
    if not changes:
        return f"{file} is what the records say."
    message = f"`{file}` is not what the records say: {_cells(len(changes))}"
    diagnostics.error("XQ023", None, message, help=f"if the new ones are right: {make}")
    return _listed(changes)


def _with_heading(table: Grid, old: Sequence[Grid]) -> Grid | None:
    """Find a table among others of a file, such as those of a whole paper."""
    return next((other for other in old if list(other.heading) == list(table.heading)), None)


def _keys(result: Result) -> int:
    """Count the columns that name the rows: the keys that come first."""
    count = 0
    for column in result.columns:
        if not column.key:
            break
        count += 1
    return count


def _cells(number: int) -> str:
    return f"{number:,} cell{' differs' if number == 1 else 's differ'}"


def _listed(changes: Sequence[Change]) -> str:
    shown = [(change.row, change.column, change.file, change.now) for change in changes[:MOST]]
    text = columns([("row", "column", "file", "now"), *shown], [False] * 4)
    return text if len(changes) <= MOST else f"{text}\n… and {len(changes) - MOST:,} more"
