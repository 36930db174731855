"""Figures with confidence intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, exp, lgamma, log, sqrt
from typing import Final

from msgspec import Struct

from benchmarks.evaluation.generator.model import DAY

_TAIL: Final = 0.025
_NORMAL: Final = 1.959964
"""The quantile of the normal distribution for the tail."""
_COUNTED: Final = 500
"""Maximum count for exact Poisson sums; above it, Byar's approximation is accurate enough."""
_STEPS: Final = 100


class Rate(Struct, frozen=True):
    """A rate with its 95 % interval."""

    value: float
    low: float
    high: float


def poisson_interval(count: int) -> tuple[float, float]:
    """The exact (Garwood) 95 % interval of the mean of a Poisson variable observed once."""
    if count > _COUNTED:
        return _byar(count, -_NORMAL), _byar(count + 1, _NORMAL)
    low = 0.0 if count == 0 else _root(lambda mean: 1 - _cumulated(count - 1, mean) - _TAIL, count)
    return low, _root(lambda mean: _TAIL - _cumulated(count, mean), count)


def per_day_and_thousand(count: int, interfaces: int, seconds: int) -> Rate:
    """Events per day and 1,000 interfaces."""
    exposure = interfaces / 1000 * seconds / DAY
    low, high = poisson_interval(count)
    return Rate(count / exposure, low / exposure, high / exposure)


def quantile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least this share of the values does not exceed; None without values."""
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)] if ordered else None


def _cumulated(count: int, mean: float) -> float:
    """The probability that a Poisson variable is at most `count`."""
    return sum(exp(each * log(mean) - mean - lgamma(each + 1)) for each in range(count + 1))


def _root(rises: Callable[[float], float], count: int) -> float:
    low, high = 1e-9, count + 10 * sqrt(count + 1) + 10
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if rises(middle) < 0:
            low = middle
        else:
            high = middle
    return high


def _byar(count: int, normal: float) -> float:
    return count * (1 - 1 / (9 * count) + normal / (3 * sqrt(count))) ** 3
