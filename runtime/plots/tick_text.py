"""Numbers at ticks to texts, as people write them: 0.001, not 10⁻³; one number of decimals along an axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

SMALL: Final = 1e-4
LARGE: Final = 1e7
_MOST_DECIMALS: Final = 10
NOTHING: Final = "–"


def even_texts(values: Sequence[float]) -> list[str]:
    """Write the ticks of a linear axis, all with as many decimals as the finest of them needs."""
    sizes = [abs(value) for value in values if value and math.isfinite(value)]
    largest = max(sizes, default=0.0)
    if sizes and (largest < 10 * SMALL or largest >= LARGE):
        return [tick_text(value) for value in values]
    decimals = next((d for d in range(_MOST_DECIMALS) if all(_fits(value, d, largest) for value in values)), 6)
    return [_minus(f"{value + 0.0:,.{decimals}f}") for value in values]


def _fits(value: float, decimals: int, largest: float) -> bool:
    return abs(round(value, decimals) - value) <= largest * 1e-7


def tick_text(value: float) -> str:
    """Write one number by itself."""
    size = abs(value)
    if size and (size < SMALL or size >= LARGE):
        mantissa, _, exponent = f"{value:.3e}".partition("e")
        return _minus(f"{float(mantissa):g}e{int(exponent)}")
    text = f"{value:,.6f}".rstrip("0").rstrip(".") if size < 1000 else f"{value:,.10g}"
    return _minus(text)


def _minus(text: str) -> str:
    return text.replace("-", "−")


def cell_texts(values: Sequence[float], among: Sequence[float], digits: int = 3) -> list[str]:
    """Write values with as many decimals as the largest of *among* needs to have that many digits."""
    largest = max((abs(value) for value in among if math.isfinite(value)), default=0.0)
    if largest and not 1e-3 <= largest < 1e5:
        return [tick_text(float(f"{value:.{digits - 1}g}")) if math.isfinite(value) else NOTHING for value in values]
    decimals = max(0, digits - 1 - math.floor(math.log10(largest))) if largest else 0
    whole = all(value.is_integer() for value in among if math.isfinite(value))
    return [
        _minus(f"{value + 0.0:,.{0 if whole else decimals}f}") if math.isfinite(value) else NOTHING for value in values
    ]
