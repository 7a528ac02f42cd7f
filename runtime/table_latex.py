"""A result to a LaTeX table in the manner of booktabs."""

from __future__ import annotations

import re
from typing import Final

from .cell_text import TextColumn, text_column
from .query.result import Result

_SPECIAL: Final = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "{''}",
    "[": "{[}",
    "*": "{*}",
    "±": r"$\pm$",
    "∞": r"$\infty$",
    "–": "--",
    "…": r"\dots{}",
}
_DASHES: Final = re.compile(r"(?<=-)(?=-)")  # two hyphens would be printed as one dash
_NUMBER: Final = re.compile(r"-?[0-9.,]+(?:e[+-]?[0-9]+)?")
_GROUPS: Final = re.compile(r"(?<=[0-9]),(?=[0-9])")


def latex(result: Result) -> str:
    """Give a tabular environment; numbers stand in math mode, the best ones bold; everything else is escaped."""
    columns = [text_column(column) for column in result.columns]
    sides = "".join("r" if column.right else "l" for column in columns)
    heading = " & ".join(escape(column.name) for column in columns)
    rows = [" & ".join(_cell(column, row) for column in columns) + r" \\" for row in range(result.size)]
    begin = [rf"\begin{{tabular}}{{{sides}}}", r"\toprule", heading + r" \\", r"\midrule"]
    return "\n".join([*begin, *rows, r"\bottomrule", r"\end{tabular}"])


def escape(text: str) -> str:
    """Write a text so that LaTeX prints just these characters."""
    return "{}".join("".join(_SPECIAL.get(char, char) for char in part) for part in _DASHES.split(text))


def _cell(column: TextColumn, row: int) -> str:
    cell = column.cells[row]
    error = column.error[row] if column.error is not None else ""
    strong = row in column.best
    if column.right and _NUMBER.fullmatch(cell) and (not error or _NUMBER.fullmatch(error)):
        text = rf"{_math(cell)} \pm {_math(error)}" if error else _math(cell)
        return rf"$\mathbf{{{text}}}$" if strong else f"${text}$"
    text = rf"{escape(cell)} $\pm$ {escape(error)}" if error else escape(cell)
    return rf"\textbf{{{text}}}" if strong else text


def _math(number: str) -> str:
    """Write a number for math mode, where a comma would be followed by a gap."""
    number = _GROUPS.sub("{,}", number)
    mantissa, _, exponent = number.partition("e")
    return rf"{mantissa} \times 10^{{{int(exponent)}}}" if exponent else mantissa
