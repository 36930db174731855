"""Random distributions missing in the standard library."""

from __future__ import annotations

from math import exp, sqrt
from random import Random
from typing import Final

_MANY: Final = 30
"""Minimum mean for the normal approximation of a Poisson number."""


def poisson(random: Random, mean: float) -> int:
    """A Poisson number."""
    if mean <= 0:
        return 0
    if mean > _MANY:
        return max(0, round(random.gauss(mean, sqrt(mean))))
    limit, count, product = exp(-mean), 0, random.random()
    while product > limit:
        product *= random.random()
        count += 1
    return count


def heavy_tailed(random: Random, mean: float) -> int:
    """An integer of at least 1 with a heavy tail: one in ten is twenty times the others."""
    base = (mean - 1) / 2.9
    scale = base * 20 if random.random() < 0.1 else base
    return 1 + int(random.expovariate(1 / scale) + 0.5) if scale > 0 else 1
