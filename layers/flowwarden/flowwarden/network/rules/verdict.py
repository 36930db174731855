"""The verdict: which component rejected a packet, judged by the rules as they are now.

The interface that logged a REJECT, and the side, limit what can have rejected the packet: on its way in, the
network ACL of the interface's subnet and the security groups of the interface, by their inbound rules; on its
way out, the same by their outbound rules. Other components cannot be the cause, whatever they would do; they
are reported as further obstacles.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from flowwarden.network.rules.check import Check, Outcome
from flowwarden.network.rules.matching import Unknown
from flowwarden.network.rules.model import Configuration, Direction, End, Packet, Place
from flowwarden.network.rules.path import checks


class Rejected(Struct, frozen=True, kw_only=True):
    """A packet that was rejected, with where this was logged."""

    request: Packet
    """The request of its connection, also if the reply was rejected."""
    source: End
    """The end that sent the request."""
    destination: End
    direction: Direction | None
    """Of the rejected packet, at the interface that logged it; None if the record does not contain it."""
    is_reply: bool = False
    """Whether a reply was rejected."""

    @property
    def here(self) -> End | None:
        """The end at the interface that logged it; None if the direction is not known."""
        if self.direction is None:
            return None
        leaves_source = (self.direction is Direction.OUTBOUND) is not self.is_reply
        return self.source if leaves_source else self.destination


class Verdict(Struct, frozen=True, kw_only=True):
    """What rejected a packet."""

    outcome: Outcome
    """`DENIED`: by `by`. `ALLOWED`: the rules allow the packet now. `UNDETERMINED`: because of `doubts`."""
    by: Check | None = None
    also: tuple[Check, ...] = ()
    """Other components of the path that deny packets of the connection."""
    examined: tuple[Check, ...] = ()
    """The components that can have rejected the packet."""
    doubts: tuple[Unknown, ...] = ()


def judge(rejected: Rejected, configuration: Configuration) -> Verdict:
    """What rejected a packet, according to this configuration."""
    path = checks(rejected.request, rejected.source, rejected.destination, configuration)
    examined = tuple(each for each in path if _can_be_cause(each, rejected))
    denying = [each for each in examined if each.outcome is Outcome.DENIED]
    doubts = tuple(dict.fromkeys(doubt for each in examined for doubt in each.doubts))
    by = denying[0] if denying else None
    also = tuple(each for each in path if each.outcome is Outcome.DENIED and each is not by)
    return Verdict(
        outcome=_outcome(by, doubts, rejected.here),
        by=by,
        also=also,
        examined=examined,
        doubts=() if by else doubts,
    )


def _outcome(by: Check | None, doubts: Sequence[Unknown], here: End | None) -> Outcome:
    if by is not None:
        return Outcome.DENIED
    is_known = here is not None and here.place is Place.INTERFACE
    return Outcome.ALLOWED if is_known and not doubts else Outcome.UNDETERMINED


def _can_be_cause(check: Check, rejected: Rejected) -> bool:
    if check.is_reply is not rejected.is_reply:
        return False
    return rejected.direction in {None, check.direction}
