"""Estimates how many distinct values there are, from a few numbers that merge like sets (HyperLogLog). Pure.

A value changes at most one of `REGISTERS` registers, and only to a larger rank. So the same value counts
once, in whatever order and container. The standard deviation is 1.04 / sqrt(REGISTERS), 13 % (Flajolet et
al., 2007).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import log
from typing import Final

import numpy as np
from numpy.typing import NDArray

REGISTERS: Final = 64
_RANK_BITS: Final = 6
_ALPHA: Final = 0.709
_FEW: Final = 2.5
"""Values for each register up to which unused registers give the better estimate (linear counting)."""
_KEPT: Final = 52
"""Bits that a double represents exactly."""

type Hashes = NDArray[np.uint64]


def ranks(values: Hashes) -> dict[int, int]:
    """The registers that these values change, with the ranks."""
    if not len(values):
        return {}
    mixed = _mixed(values)
    rest = (mixed >> np.uint64(64 - _KEPT)).astype(np.float64)
    found = np.zeros(REGISTERS, np.int64)
    registers = (mixed & np.uint64(REGISTERS - 1)).astype(np.int64)
    np.maximum.at(found, registers, _KEPT + 1 - np.frexp(rest)[1])
    return {register: rank for register, rank in enumerate(found.tolist()) if rank}


def _mixed(values: Hashes) -> Hashes:
    """The values with all bits mixed (the end of splitmix64), because neighbors must differ everywhere."""
    mixed: Hashes = values * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


def encoded(found: Mapping[int, int]) -> frozenset[int]:
    """Registers with their ranks as numbers of a set."""
    return frozenset(register << _RANK_BITS | rank for register, rank in found.items())


def estimate(numbers: Iterable[int]) -> int:
    """The number of distinct values, approximately; 0 for none."""
    found = [0] * REGISTERS
    for number in numbers:
        register, rank = number >> _RANK_BITS, number & (1 << _RANK_BITS) - 1
        if register < REGISTERS:
            found[register] = max(found[register], rank)
    if not any(found):
        return 0
    count = _ALPHA * REGISTERS**2 / sum(2.0**-rank for rank in found)
    unused = found.count(0)
    if count <= _FEW * REGISTERS and unused:
        count = REGISTERS * log(REGISTERS / unused)
    return max(1, round(count))
