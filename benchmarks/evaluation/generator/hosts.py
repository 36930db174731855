"""A host: an interface and its records that are not written yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from benchmarks.evaluation.generator.model import Interface

type Key = tuple[str, str, int, int, int, str, bool, str, str]
"""The values of srcaddr, dstaddr, srcport, dstport, protocol, action, whether egress, pkt-srcaddr,
pkt-dstaddr."""

PACKETS, BYTES, FIRST, LAST, FLAGS, TRUTH = range(6)
type Record = list[int]
"""The sums of a flow in a window, in the order of the names above; the truth is an index."""

ENDLESS: Final = 2**40
"""A time that is never reached (Unix seconds)."""


class Period(Struct, frozen=True):
    """Begin and end, in Unix seconds."""

    begin: int
    end: int

    def contains(self, moment: int) -> bool:
        """Whether the time is in the span."""
        return self.begin <= moment < self.end


def any_contains(periods: tuple[Period, ...], moment: int) -> bool:
    """Whether the time is in one of the spans: several may be planned on a day."""
    return any(each.contains(moment) for each in periods)


class Fault(Struct, frozen=True):
    """A temporary fault of a server."""

    begin: int
    end: int
    outcome: int
    """The outcome of conversations with it, from `conversations`."""
    port: int
    """The affected port; 0 for all ports."""


class Host(Struct, eq=False):
    """An existing interface and its open windows."""

    interface: Interface
    address: str
    ipv6: str
    """The IPv6 address; '' if there is none."""
    write: Callable[..., str]
    """Converts a record into a line: see `lines.writer`."""
    write_gap: Callable[..., str]
    """The same for a window without records: see `lines.gap_writer`."""
    next_window: int
    """The first unwritten window, as a number of windows since 1970."""
    windows: dict[int, dict[Key, Record]] = {}
    fault: Fault | None = None
    blind: tuple[Period, ...] = ()
    """The time spans in which its records are lost: SKIPDATA."""
    mute: tuple[Period, ...] = ()
    """The time spans in which it writes no lines."""
    garbled: tuple[Period, ...] = ()
    """The time spans in which its lines do not match the log format."""
    busy_until: int = 0
    """Unix seconds until which it is reserved for an incident."""
    incidents: int = 0
    """The number of incidents that it was chosen for."""
    ends: int = ENDLESS
    """Unix seconds of its deletion."""

    @property
    def stream(self) -> str:
        """Its log stream."""
        return f"{self.interface.interface_id}-all"
