"""Every code that a diagnostic can have, with the title of its page in docs/errors."""

from __future__ import annotations

from typing import Final

TITLES: Final[dict[str, str]] = {
    "XP001": "a statement that does not parse",
    "XP002": "a character that has no place here",
    "XP003": "a tab in the indentation",
    "XP004": "indentation that matches nothing",
    "XP005": "a text that is not closed",
    "XP006": "a bracket that is not closed",
    "XP007": "a block without its colon",
    "XP008": "a block without a body",
    "XP009": "lines below a statement that takes none",
    "XP010": "an unknown statement",
    "XP011": "a statement in the wrong kind of block",
    "XP012": "not a number",
    "XP013": "an unknown escape",
    "XP014": "a brace that is not a placeholder",
    "XP015": "an operator of another language",
    "XP016": "a form of another language",
    "XP017": "a number that is too large",
    "XP018": "nested too deeply",
    "XP019": "`elif` or `else` without `if`",
    "XQ001": "a query that does not parse",
    "XQ002": "a clause that is given twice",
}
