"""When each interface wrote records, and where nothing is known. Pure, and bounded in memory.

A flow log writes a NODATA record for a window without traffic. So a time without any record of an interface
is a time about which nothing is known. Records show only the first and the last packet of their window, so
that two of them can be almost two windows apart: only longer times count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from flowwarden.monitor.view import BatchView
from flowwarden.records.columnar.distinct import different
from flowwarden.records.columnar.tokenizer import ABSENT
from flowwarden.records.model import GapKind
from flowwarden.replay.observed import Coverage, CoveredTime, InterfaceCoverage, Interval
from flowwarden.state.sets import fingerprint

SLOT: Final = 600
"""Seconds that are observed as one: the longest aggregation interval."""
LEAST_MISSING: Final = 3
"""Slots without a record that are a gap."""
MOST_INTERFACES: Final = 5_000
"""Interfaces that are observed: each needs three bits for each slot."""
MOST_SLOTS: Final = 60_000
"""More than a year. Records with other times are wrong."""
EARLIER: Final = 144
"""Slots before that of the first record that are observed, because records can be out of order."""
MOST_TIMES: Final = 168
"""Columns of the whole time."""
WORST: Final = 30
"""Interfaces of which the gaps are listed."""
INTERVALS: Final = 60
"""Gaps of an interface that are listed."""


class _Bits(Struct):
    """The slots of an interface, as bits of numbers."""

    flows: int = 0
    no_data: int = 0
    skipped: int = 0

    @property
    def any(self) -> int:
        return self.flows | self.no_data | self.skipped

    @property
    def missing(self) -> int:
        """The slots of gaps between the first and the last slot."""
        seen, found = self.any, 0
        for begin, end in runs(~seen & ((1 << seen.bit_length()) - 1)):
            if begin > low(seen) and end - begin >= LEAST_MISSING:
                found |= (1 << end) - (1 << begin)
        return found


class Covered:
    """Collects the times of records."""

    def __init__(self) -> None:
        self._interfaces: dict[str, _Bits] = {}
        self._base: int | None = None
        """The first slot."""
        self._left_out: set[int] = set()

    def see(self, view: BatchView) -> None:
        """Add a batch."""
        for name, slots in _slots_of(view):
            if (bits := self._bits(name)) is not None:
                bits.flows |= self._mask(slots)
        for gap in view.records.gaps:
            first, last = gap.start, gap.end
            if not gap.interface_id or first is None or last is None or last - first > MOST_SLOTS * SLOT:
                continue
            if (bits := self._bits(gap.interface_id)) is None:
                continue
            mask = self._mask(range(first // SLOT, last // SLOT + 1))
            if gap.kind is GapKind.NODATA:
                bits.no_data |= mask
            else:
                bits.skipped |= mask

    def _bits(self, name: str) -> _Bits | None:
        if name not in self._interfaces:
            if len(self._interfaces) >= MOST_INTERFACES:
                if len(self._left_out) < MOST_SLOTS:
                    self._left_out.add(fingerprint(name))
                return None
            self._interfaces[name] = _Bits()
        return self._interfaces[name]

    def _mask(self, slots: range | list[int]) -> int:
        if self._base is None:
            self._base = min(slots) - EARLIER
        mask = 0
        for slot in slots:
            if 0 <= slot - self._base < MOST_SLOTS:
                mask |= 1 << (slot - self._base)
        return mask

    def coverage(self) -> Coverage:
        """The coverage of all interfaces."""
        every = {name: bits for name, bits in self._interfaces.items() if bits.any}
        gaps = {name: bits.missing | bits.skipped for name, bits in every.items()}
        worst = sorted(
            (name for name in every if gaps[name]), key=lambda each: (-gaps[each].bit_count(), each)
        )
        begin = min((low(bits.any) for bits in every.values()), default=0)
        length = max((bits.any.bit_length() for bits in every.values()), default=0) - begin
        width = max(1, -(-length // MOST_TIMES))
        return Coverage(
            seconds=width * SLOT,
            times=[*self._times([*every.values()], begin, length, width)],
            with_gaps=len(worst),
            worst=[self._interface(name, every[name]) for name in worst[:WORST]],
            left_out=len(self._left_out),
        )

    def _times(self, every: list[_Bits], begin: int, length: int, width: int) -> Iterator[CoveredTime]:
        """The number of interfaces in each column; one is missing if it is in any slot of the column."""
        size = -(-length // width)
        sums = np.zeros((4, size), np.int64)
        for bits in every:
            parts = [columns(each >> begin, size, width) for each in (bits.flows, bits.no_data, bits.skipped)]
            parts.append(columns(bits.missing >> begin, size, width))
            parts[1] = parts[1] & ~parts[0]
            sums += np.array(parts)
        for number in range(size):
            records, no_data, skipped, missing = (int(each) for each in sums[:, number])
            yield CoveredTime(
                begin=self._time(begin + number * width), records=records, no_data=no_data, skipped=skipped,
                missing=missing,
            )  # fmt: skip

    def _interface(self, name: str, bits: _Bits) -> InterfaceCoverage:
        return InterfaceCoverage(
            interface=name,
            first=self._time(low(bits.any)),
            last=self._time(bits.any.bit_length()),
            missing=self._intervals(bits.missing),
            skipped=self._intervals(bits.skipped),
        )

    def _intervals(self, bits: int) -> list[Interval]:
        every = [Interval(begin=self._time(begin), end=self._time(end)) for begin, end in runs(bits)]
        longest = sorted(every, key=lambda each: each.begin - each.end)[:INTERVALS]
        return sorted(longest, key=lambda each: each.begin)

    def _time(self, slot: int) -> int:
        return ((self._base or 0) + slot) * SLOT


def _slots_of(view: BatchView) -> Iterator[tuple[str, list[int]]]:
    """The slots in which the interfaces of a batch wrote flows."""
    flows, index = view.records.flows, view.index
    times = np.concatenate([flows["start"], flows["end"]])
    known = times != ABSENT
    if not np.count_nonzero(known):
        return
    slots, places = times[known] // SLOT, np.tile(index.of_row, 2)[known]
    # A record with a wrong time must not make the numbers below too large.
    near = np.abs(slots - np.partition(slots, len(slots) // 2)[len(slots) // 2]) < MOST_SLOTS
    slots, places = slots[near], places[near]
    base, span = int(slots.min()), int(slots.max() - slots.min()) + 1
    found: defaultdict[int, list[int]] = defaultdict(list)
    for key in different(places * span + (slots - base)).tolist():
        place, slot = divmod(key, span)
        found[place].append(base + slot)
    for place, several in found.items():
        if interface := index.names[place]:
            yield interface, several


def low(bits: int) -> int:
    """The place of the lowest bit that is set; 0 if none is."""
    return max(0, (bits & -bits).bit_length() - 1)


def runs(bits: int) -> Iterator[tuple[int, int]]:
    """The first place of each run of bits that are set, and the place after its last."""
    place = 0
    while bits:
        skipped = low(bits)
        bits >>= skipped
        length = low(~bits)
        yield place + skipped, place + skipped + length
        bits >>= length
        place += skipped + length


def columns(bits: int, size: int, width: int) -> NDArray[np.bool_]:
    """Whether any of `width` bits is set, for each of `size` columns."""
    needed = -(-size * width // 8)
    whole = bits & ((1 << size * width) - 1)
    every = np.unpackbits(np.frombuffer(whole.to_bytes(needed, "little"), np.uint8), bitorder="little")
    return every[: size * width].reshape(size, width).any(axis=1)
