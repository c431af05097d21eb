"""Round numbers for an axis."""

import math
from dataclasses import dataclass

_HUGE = 1e300  # beyond this the width of an axis is no longer a number
_TINY = 1e-300  # below this its steps are not
_SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis and the label that stands there."""

    at: float
    label: str


def round_ticks(low: float, high: float, about: int = 7) -> list[Tick]:
    """About `about` ticks in ``[low, high]``, at multiples of 1, 2 or 5 times a power of 10."""
    step = round_step((high - low) / about)
    digits = max(0, -math.floor(math.log10(step)))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    largest = max(abs(low), abs(high))
    places = [k * step for k in range(first, last + 1)]
    significant = math.floor(math.log10(largest)) - math.floor(math.log10(step))
    if (largest >= 1e5 and significant <= 3) or largest < 1e-3:
        return [Tick(at, _scientific(at, significant)) for at in places]
    return [Tick(at, plain(at, digits)) for at in places]


def decade_ticks(low: float, high: float, about: int = 6) -> list[Tick]:
    """Ticks for the axis of a base-10 logarithm: whole powers of ten."""
    first, last = math.ceil(low - 1e-9), math.floor(high + 1e-9)
    step = max(1, math.ceil((last - first + 1) / about))
    return [Tick(k, power_of_ten(k)) for k in range(first, last + 1) if k % step == 0]


def power_of_ten(exponent: int) -> str:
    """``10⁻⁸``."""
    return "10" + str(exponent).translate(_SUPERSCRIPT)


def plain(value: float, digits: int = 3) -> str:
    """`value` with `digits` decimals, a true minus sign, and never a negative zero."""
    if not math.isfinite(value):
        return "undefined" if math.isnan(value) else ("∞" if value > 0 else "−∞")
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def round_step(rough: float) -> float:
    """The least of 1, 2, 5, 10 times a power of 10 that is not below `rough`."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= rough * (1 - 1e-9))


def brief(value: float) -> str:
    """Three decimals, none where there is nothing to tell, powers of ten where they are short."""
    if not math.isfinite(value):
        return plain(value)
    if value == round(value) and abs(value) < 1e5:
        return plain(value, 0)
    return plain(value) if 1e-3 <= abs(value) < 1e5 else _scientific(value, 2)


def comfortable(
    low: float, high: float, margin: float = 0.06, noise: float = 0.0
) -> tuple[float, float]:
    """``[low, high]`` with some air, never empty: the limits of an axis that shows these values.

    Differences below a thousandth of the values, or below `noise`, are not spread over the axis.
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return -1.0, 1.0
    low, high = (min(max(end, -_HUGE), _HUGE) for end in (low, high))
    spread, size = high - low, max(abs(low), abs(high))
    if spread <= max(1e-3 * size, noise, _TINY):
        half = size / 2 if size > max(noise, _TINY) else 0.5
        return (low + high) / 2 - half, (low + high) / 2 + half
    return low - margin * spread, high + margin * spread


def to_scale(value: float, limits: tuple[float, float], digits: int = 3) -> str:
    """`value` as it counts on an axis with these `limits`: with `digits` decimals, or digits.

    What is huge or tiny is told in powers of ten, and what is nothing on this axis as zero.
    """
    size = max(map(abs, limits))
    if not math.isfinite(value):
        return plain(value)
    if size >= 1e-3 and abs(value) < 1e5:
        return plain(value, max(digits, digits - 1 - math.floor(math.log10(size))))
    return _scientific(value if abs(value) >= 1e-4 * size else 0.0, 2)


def _scientific(value: float, digits: int) -> str:
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.{max(0, digits)}e}".split("e")
    return f"{mantissa}e{int(exponent)}".replace("-", "−")
