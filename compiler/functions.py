"""The functions of expressions: arguments to a value, with the meaning of Python's or numpy's function of that name."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Final

from ..grammar import tree
from ..grammar.node import Node
from ..grammar.source import Span
from .fault import fault
from .format import format_value
from .operators import LEAST, LONGEST_LIST, MOST, checked, kind, rounded
from .read_text import LINK, read_text
from .scope import World
from .types import label, named
from .values import Duration, Value


class Given(Node):
    """What a function is called with: values, their places, and what it may read."""

    call: tree.Call
    values: Sequence[Value]
    world: World

    def span(self, index: int) -> Span:
        return self.call.arguments[index].value.span

    def refuse(self, index: int, wanted: str) -> Value:
        value = self.values[index]
        name = self.call.function.path[-1]
        raise fault(
            "XP025", self.span(index), f"`{name}` takes {wanted} here, but this is {named(value)}", label(value)
        )

    def integer(self, index: int) -> int:
        value = self.values[index]
        if type(value) is not int:
            self.refuse(index, "an int")
        return value  # type: ignore[return-value]  # refuse does not come back

    def number(self, index: int) -> int | float:
        value = self.values[index]
        if type(value) not in (int, float):
            self.refuse(index, "a number")
        return value  # type: ignore[return-value]  # refuse does not come back

    def text(self, index: int) -> str:
        value = self.values[index]
        if not isinstance(value, str):
            self.refuse(index, "a text")
        return value  # type: ignore[return-value]  # refuse does not come back


class Function(Node):
    """A function, the names of its arguments, and how many of them it needs (*most* None: any number)."""

    apply: Callable[[Given], Value]
    names: tuple[str, ...]
    least: int
    most: int | None
    written: str = ""  # the arguments as a manual shows them, where their names and number don't say it

    @property
    def usage(self) -> str:
        if self.written:
            return self.written
        shown = [name if i < self.least else f"[{name}]" for i, name in enumerate(self.names)]
        return ", ".join(shown) + (", …" if self.most is None else "")


def _count(given: Given, index: int) -> int:
    count = given.integer(index)
    if not 0 <= count <= LONGEST_LIST:
        raise fault(
            "XP030", given.span(index), f"a list has from 0 to {LONGEST_LIST:,} elements, not {count:,}", "how many"
        )
    return count


def _range(given: Given) -> Value:
    bounds = [given.integer(i) for i in range(len(given.values))]
    if len(bounds) == 3 and bounds[2] == 0:
        raise fault("XP025", given.span(2), "the step of a range cannot be 0", "step")
    numbers = range(*bounds)
    if _length(numbers) > LONGEST_LIST:
        many = f"{_length(numbers):,}"
        raise fault(
            "XP030", given.call.span, f"this range has {many} elements, and {LONGEST_LIST:,} is the most", "too long"
        )
    return list(numbers)


def _length(numbers: range) -> int:
    """``len(range)`` overflows where a range has more than 2**63 elements."""
    if not numbers:
        return 0
    return (numbers[-1] - numbers[0]) // numbers.step + 1


def _linspace(given: Given) -> Value:
    low, high, count = given.number(0), given.number(1), _count(given, 2)
    last = max(count - 1, 1)
    return _spaced(given, count, low, high, lambda i: low + (high - low) * i / last)


def _geomspace(given: Given) -> Value:
    low, high, count = given.number(0), given.number(1), _count(given, 2)
    if low == 0 or high == 0 or (low < 0) != (high < 0):
        at = 0 if low == 0 else 1
        raise fault("XP025", given.span(at), "`geomspace` needs two bounds of one sign, neither of them 0", "bound")
    last = max(count - 1, 1)
    first, step = math.log(abs(low)), (math.log(abs(high)) - math.log(abs(low))) / last
    sign = -1 if low < 0 else 1
    return _spaced(given, count, low, high, lambda i: sign * math.exp(first + step * i))


def _logspace(given: Given) -> Value:
    low, high, count = given.number(0), given.number(1), _count(given, 2)
    base = float(given.number(3)) if len(given.values) > 3 else 10.0
    if base <= 0:
        raise fault("XP025", given.span(3), "the base of `logspace` is more than 0", "base")
    last = max(count - 1, 1)
    try:
        ends = base**low, base**high
        return _spaced(given, count, *ends, lambda i: base ** (low + (high - low) * i / last))
    except OverflowError:
        raise fault("XP028", given.call.span, "the result is not a finite number", "too large") from None


def _spaced(given: Given, count: int, low: float, high: float, middle: Callable[[int], float]) -> Value:
    """Both ends are exact; what lies between them is computed, and so rounded."""
    values = [middle(i) for i in range(count)]
    if count:
        values[0] = low
    if count > 1:
        values[-1] = high
    return [checked(float(value), given.call.span) for value in values]


def _extreme(given: Given, choose: Callable[[Sequence[Value]], Value]) -> Value:
    one = given.values[0]
    values = one if len(given.values) == 1 and isinstance(one, list) else given.values
    name = given.call.function.path[-1]
    if len(given.values) == 1 and not isinstance(one, list):
        given.refuse(0, "a list or several values")
    if not values:
        raise fault("XP025", given.span(0), f"`{name}` of an empty list", "empty")
    kinds = {kind(value) for value in values}
    if len(kinds) > 1 or not kinds <= {"number", "size", "duration", "text"}:
        raise fault(
            "XP025", given.call.span, f"`{name}` takes numbers, or values of one kind", " and ".join(sorted(kinds))
        )
    return choose(values)


def _round(given: Given) -> Value:
    value = given.values[0]
    digits = given.integer(1) if len(given.values) > 1 else None
    if isinstance(value, Duration):
        return Duration(rounded(round(float(value), digits)))
    number = given.number(0)
    if digits is not None and abs(digits) > 400:
        raise fault("XP025", given.span(1), "`round` takes from -400 to 400 digits", "digits")
    return checked(round(number) if digits is None else round(number, digits), given.call.span)


def _len(given: Given) -> Value:
    value = given.values[0]
    if not isinstance(value, list | dict | str):
        given.refuse(0, "a list, a map or a text")
        return None
    return len(value)


def _str(given: Given) -> Value:
    return format_value(given.values[0])


def _int(given: Given) -> Value:
    value = given.values[0]
    match value:
        case bool() | int():
            return int(value)
        case float():
            return checked(int(value), given.call.span)
        case str() if re.fullmatch(r"[-+]?[0-9]{1,19}", value.strip()) and LEAST <= int(value) <= MOST:
            return int(value)
        case str():
            raise fault("XP025", given.span(0), f"`{value[:40]}` is no int", "text")
        case _:
            return given.refuse(0, "a number or a text")


def _float(given: Given) -> Value:
    value = given.values[0]
    match value:
        case bool() | int() | float():
            return float(value)
        case str() if re.fullmatch(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?", value.strip()):
            number = float(value)
            if math.isfinite(number):
                return number
            raise fault("XP028", given.span(0), f"`{value[:40]}` is not a finite number", "too large")
        case str():
            raise fault("XP025", given.span(0), f"`{value[:40]}` is no float", "text")
        case _:
            return given.refuse(0, "a number or a text")


SECRET: Final = ("CREDENTIAL", "CREDENTIALS", "KEY", "PASSWD", "PASSWORD", "PRIVATE", "SECRET", "SECRETS", "TOKEN")
ENDINGS: Final = ("APIKEY", "PASSWD", "PASSWORD", "SECRET", "TOKEN")


def looks_secret(name: str) -> bool:
    """Tell whether an environment variable's name says that its value must not be recorded."""
    words = name.upper().split("_")
    return any(word in SECRET or word.endswith(ENDINGS) for word in words)


def _env(given: Given) -> Value:
    name = given.text(0)
    if looks_secret(name):
        raise fault(
            "XP037",
            given.span(0),
            f"`{name}` looks secret, and the values of `env` are recorded",
            "recorded with every run",
            help=f"write `secret {name}` in an `environment`: it is passed on and never recorded",
        )
    if name in given.world.env:
        return given.world.env[name]
    if len(given.values) > 1:
        return given.values[1]
    raise fault(
        "XP036",
        given.span(0),
        f"the environment variable `{name}` is not set",
        "not set",
        help=f'give a default: `env("{name}", "…")`',
    )


def _files(given: Given) -> Value:
    pattern = given.text(0)
    found = given.world.files.glob(pattern)
    if not found:
        raise fault("XP107", given.span(0), f"no file matches `{pattern}`", "no match")
    for path in found:
        if not given.world.files.is_inside(path, given.world.roots):
            raise fault("XP049", given.span(0), f"`{path}` lies outside the project", "matches it", help=LINK)
    return list(found)


def _read(given: Given) -> Value:
    return read_text(given.text(0), given.span(0), given.world)


def _lines(given: Given) -> Value:
    text = read_text(given.text(0), given.span(0), given.world)
    return list(text.splitlines())


FUNCTIONS: Final[dict[str, Function]] = {
    "env": Function(_env, ("name", "default"), 1, 2),
    "files": Function(_files, ("glob",), 1, 1),
    "float": Function(_float, ("value",), 1, 1),
    "geomspace": Function(_geomspace, ("start", "stop", "num"), 3, 3),
    "int": Function(_int, ("value",), 1, 1),
    "len": Function(_len, ("value",), 1, 1),
    "lines": Function(_lines, ("path",), 1, 1),
    "linspace": Function(_linspace, ("start", "stop", "num"), 3, 3),
    "logspace": Function(_logspace, ("start", "stop", "num", "base"), 3, 4),
    "max": Function(lambda given: _extreme(given, max), ("value",), 1, None),  # type: ignore[arg-type]
    "min": Function(lambda given: _extreme(given, min), ("value",), 1, None),  # type: ignore[arg-type]
    "range": Function(_range, ("start", "stop", "step"), 1, 3, "[start], stop, [step]"),
    "read": Function(_read, ("path",), 1, 1),
    "round": Function(_round, ("value", "digits"), 1, 2),
    "str": Function(_str, ("value",), 1, 1),
}
