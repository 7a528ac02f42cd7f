"""What a comparison says on a pull request: GitHub-flavoured Markdown, in which nothing that users wrote is markup."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import TYPE_CHECKING, Final

from xpc.grammar.screen import visible

from .against_text import closing, length_of_ids, table_rows, verdict
from .against_words import MOST_RUNS, facts, kin_words, run_lines

if TYPE_CHECKING:
    from xpc.compiler.against import Change
    from xpc.compiler.kinship import Kinship

    from .against import Told

MARKER: Final = "<!-- xpc build --against -->"
"""The first line of every such comment: by it the one that is to be brought up to date is found."""
LONGEST: Final = 60_000  # characters; GitHub takes 65,536
LONGEST_VALUE: Final = 300

_MARKUP: Final = frozenset("\\`*_{}[]|~:!$@#<>&\"'")


def code(text: str) -> str:
    """Give a text that Markdown and HTML show as it is.

    Inside `<code>` GitHub links nothing, mentions nobody and draws no emoji; as a code span by backticks it would
    not stay in its cell of a table.
    """
    return f"<code>{_plain(text, _MARKUP)}</code>"


def _plain(text: str, markup: Container[str]) -> str:
    shown = visible(text)
    shown = shown if len(shown) <= LONGEST_VALUE else shown[: LONGEST_VALUE - 1] + "…"
    escaped = "".join(f"&#{ord(char)};" if char in markup else char for char in shown)
    return escaped.replace("www.", "www&#46;")


def to_markdown(told: Told) -> str:
    """Give the comment; as many run lines as GitHub has room for."""
    head = [MARKER, "### What this changes in the runs", "", _sentence(told), ""]
    if told.changed:
        head += [*_table(told), ""]
    tail = [*(line for kin in told.comparison.kin for line in _note(kin)), *closing(told)]
    room = LONGEST - sum(len(line) + 1 for line in (*head, *tail))
    body: list[str] = []
    for number, change in enumerate(told.changed):
        lines = list(_change(told, change))
        room -= sum(len(line) + 1 for line in lines)
        if room < 200:
            body += [f"… and {len(told.changed) - number} more experiments", ""]
            break
        body += lines
    return "\n".join((*head, *body, *tail))


def _sentence(told: Told) -> str:
    said = verdict(told)
    lacks = ", which has no Experimentfile" if told.new_study else ""
    return f"{said[0].upper()}{said[1:]}, against {code(told.revision.shown)}{lacks}."


def _table(told: Told) -> Iterator[str]:
    header, *rows = table_rows(told)
    yield f"| {' | '.join(header)} |"
    yield f"| --- |{' ---: |' * (len(header) - 1)}"
    yield from (f"| {' | '.join([code(row[0]), *row[1:]])} |" for row in rows)


def _change(told: Told, change: Change) -> Iterator[str]:
    said = list(facts(told, change))
    shown, left = run_lines(change, length_of_ids(told), MOST_RUNS)
    if not said and not shown:
        return
    yield f"**{code(change.name)}**"
    yield ""
    for fact in said:
        yield f"- {code(fact.about)}: {code(fact.words)}" if fact.quoted else f"- {fact.about}: {fact.words}"
    if shown:
        yield from ["", "<details>", f"<summary>{_summary(len(shown), left)}</summary>", "", "<pre>"]
        yield from (_plain(f"{sign} {id}  {values}".rstrip(), "<>&") for sign, id, values in shown)
        yield from ["</pre>", "", "</details>"]
    yield ""


def _summary(shown: int, left: int) -> str:
    if left:
        return f"{shown} of {shown + left:,} runs"
    return "1 run" if shown == 1 else f"{shown} runs"


def _note(kin: Kinship) -> Iterator[str]:
    """Give the note on runs that a key made new, as a quotation."""
    yield "> " + "".join(code(text) if quoted else text for text, quoted in kin_words(kin)) + "."
    yield ""
