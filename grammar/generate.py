"""The three grammar files to ``tables.py``: ``python -m xpc.grammar.generate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FILES = ("expression.lark", "experimentfile.lark", "query.lark")
STARTS = (
    "top_item",
    "config_item",
    "grid_item",
    "resources_item",
    "environment_item",
    "target_item",
    "experiment_item",
    "clause",
    "query",
    "expression",
    "setting_key",
    "mistake",
)


def tables() -> str:
    """Give the text of ``tables.py``. The same grammar gives the same bytes.

    The tables are JSON in a string: read in two milliseconds, whether or not Python may keep compiled files.
    """
    from lark import Lark
    from lark.grammar import Rule
    from lark.lexer import TerminalDef

    grammar = "\n".join((HERE / name).read_text(encoding="utf-8") for name in FILES)
    lark = Lark(grammar, parser="lalr", start=list(STARTS), keep_all_tokens=True, maybe_placeholders=False)
    data, memo = lark.memo_serialize([TerminalDef, Rule])
    table = data["parser"].pop("parser")
    tokens, states, starts, ends = _ordered(table)
    return "\n".join(
        (
            '"""Made from the grammar files by ``python -m xpc.grammar.generate``. Do not edit."""',
            "",
            'TABLES = r"""',
            f'{{"data": {_json(data)},',
            f'"memo": [\n{_lines(memo[index] for index in range(len(memo)))}],',
            f'"tokens": {_json(tokens)},',
            f'"starts": {_json(starts)},',
            f'"ends": {_json(ends)},',
            f'"states": [\n{_lines(states)}]}}"""',
            "",
        )
    )


def _ordered(table: dict[str, Any]) -> tuple[list[str], list[list[int]], dict[str, int], dict[str, int]]:
    """Number the parser's states in the order in which they are reached, since Lark numbers them by chance.

    A state is a flat list of token, action, token, action …; an action is the next state, or ``~rule`` for a reduction.
    """
    names = table["tokens"]
    order: dict[int, int] = {}
    waiting = [table["start_states"][start] for start in STARTS]
    for state in waiting:
        if state in order:
            continue
        order[state] = len(order)
        row = sorted(table["states"][state].items(), key=lambda entry: names[entry[0]])
        waiting.extend(target for _, (action, target) in row if action == 0)
    tokens = sorted(names.values())
    number = {name: index for index, name in enumerate(tokens)}
    states: list[list[int]] = []
    for state in order:
        entries = sorted((number[names[token]], entry) for token, entry in table["states"][state].items())
        states.append([n for token, (action, to) in entries for n in (token, ~to["@"] if action else order[to])])
    starts = {start: order[table["start_states"][start]] for start in STARTS}
    ends = {start: order[table["end_states"][start]] for start in STARTS}
    return tokens, states, starts, ends


def _json(value: object) -> str:
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True)
    return text.replace('"""', '""\\u0022')


def _lines(values: Any) -> str:
    return ",\n".join(_json(value) for value in values)


if __name__ == "__main__":
    (HERE / "tables.py").write_text(tables(), encoding="utf-8")
