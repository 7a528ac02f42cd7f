"""A range of numbers to the round ones that are worth a mark."""

from __future__ import annotations

import math
from typing import Final

_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_NARROW: Final = 1e-9  # a range of which twelve digits show nothing
_LEAST: Final = 1e-300
_LOG_STEPS: Final = ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0))


def linear_ticks(low: float, high: float, most: int, *, whole: bool = False) -> list[float]:
    """Give at most *most* numbers, evenly spaced by 1, 2, 2.5 or 5 times a power of ten; *whole*: no fractions."""
    if not low < high:
        return [low]
    if high - low < max(abs(low) * _NARROW, abs(high) * _NARROW, _LEAST):
        return [low, high]
    rough = (high - low) / max(most - 1, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    for step in (power * factor for factor in (*_STEPS, 20.0, 50.0)):
        if whole and not step.is_integer():
            continue
        first = math.ceil(low / step - 1e-9)
        count = math.floor(high / step + 1e-9) - first + 1
        if count <= most:
            return [float(f"{(first + i) * step:.12g}") for i in range(count)]
    return [low, high]


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Give at most *most* numbers of a logarithmic range: powers of ten, with 2 and 5 between them where few fit in."""
    if not 0 < low < high:
        return [low]
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    best: list[float] = []
    for factors in _LOG_STEPS:
        values = [float(f"{factor}e{power}") for power in powers for factor in factors]
        inside = [value for value in values if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]
        if len(inside) <= most and len(inside) > len(best):
            best = inside
    if best:
        return best if len(best) > 1 else sorted({*best, low, high})
    whole = [float(f"1e{power}") for power in powers if low <= 10.0**power <= high]
    return whole[:: -(-len(whole) // most)] if whole else [low, high]
