"""A host: an interface with what was recorded at it and is not written yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from benchmarks.evaluation.generator.model import Interface

type Key = tuple[str, str, int, int, int, str, bool, str, str]
"""srcaddr, dstaddr, srcport, dstport, protocol, action, whether egress, pkt-srcaddr, pkt-dstaddr."""

PACKETS, BYTES, FIRST, LAST, FLAGS, TRUTH = range(6)
type Record = list[int]
"""What is summed up of a flow in a window, in the order of the names above; the truth is an index."""

ENDLESS: Final = 2**40
"""Unix seconds that never come."""


class Stretch(Struct, frozen=True):
    """From when to when, in Unix seconds."""

    begin: int
    end: int

    def holds(self, moment: int) -> bool:
        """Whether it goes on at that moment."""
        return self.begin <= moment < self.end


def hold(stretches: tuple[Stretch, ...], moment: int) -> bool:
    """Whether one of them goes on at that moment: more than one may be planned on a day."""
    return any(each.holds(moment) for each in stretches)


class Fault(Struct, frozen=True):
    """What is wrong with a server for a while."""

    begin: int
    end: int
    outcome: int
    """What comes of conversations with it: one of the outcomes in `talks`."""
    port: int
    """The one port that it is wrong with; 0 for all of them."""


class Host(Struct, eq=False):
    """An interface that is alive, and the windows that are open at it."""

    interface: Interface
    address: str
    ipv6: str
    """'' if it has none."""
    write: Callable[..., str]
    """Turns a record into a line: see `lines.writer`."""
    write_gap: Callable[..., str]
    """The same for a window without records: see `lines.gap_writer`."""
    next_window: int
    """The first window that is not written yet, as a number of windows since 1970."""
    windows: dict[int, dict[Key, Record]] = {}
    fault: Fault | None = None
    blind: tuple[Stretch, ...] = ()
    """Its records are lost: SKIPDATA."""
    mute: tuple[Stretch, ...] = ()
    """It writes nothing at all."""
    garbled: tuple[Stretch, ...] = ()
    """Its lines are not what the log format says."""
    busy_until: int = 0
    """Unix seconds until which something is going on with it, so that nothing else begins."""
    ends: int = ENDLESS
    """Unix seconds at which the interface is deleted."""

    @property
    def stream(self) -> str:
        """Its log stream."""
        return f"{self.interface.interface_id}-all"
