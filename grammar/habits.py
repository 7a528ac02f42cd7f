"""What people type by habit from other languages, recognised at the token where the parser stopped."""

from __future__ import annotations

from collections.abc import Callable

from . import habit_characters as characters
from . import habit_forms as forms
from . import habit_numbers as numbers
from . import habit_operators as operators
from . import habit_queries as queries
from .fault import Fault, Finding

_HABITS: tuple[Callable[[Fault], Finding | None], ...] = (
    characters.open_quote,
    characters.open_bracket,
    characters.character,
    characters.logic,
    characters.dollar,
    characters.other_character,
    operators.doubled_operator,
    numbers.number,
    numbers.unit_apart,
    numbers.colon_time,
    queries.sql,
    queries.all_columns,
    queries.bare_condition,
    operators.else_if,
    operators.is_something,
    operators.spread,
    operators.single_equals,
    operators.chained,
    forms.yaml_value,
    forms.yaml_item,
    forms.trailing_comma,
    forms.tuple_form,
    forms.several_after,
    forms.after_all,
    forms.bare_placeholder,
    forms.hyphen,
    forms.bare_list,
    forms.prefixed_text,
    forms.unquoted,
    forms.quoted_name,
)


def recognise(fault: Fault) -> Finding | None:
    """Give the finding of the first habit that fits."""
    for habit in _HABITS:
        found = habit(fault)
        if found is not None:
            return found
    return None
