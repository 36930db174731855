"""Evidence: what an alert rests on. A repeat is reported again only if the evidence grew.

Hosts that share one cause are members of one incident. Within `JOIN_SECONDS` of a notification, further
members join it without another one; the next notification of the incident lists them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

SEVERITIES: Final = ("info", "medium", "high", "critical")
"""The severity for each gravity."""
GROWTH: Final = 10
"""How many times the amount, or the members, of the last notification are new evidence."""
JOIN_SECONDS: Final = 3600
"""After a notification, for how long other members join its incident."""
REMIND_SECONDS: Final = 7 * 86_400
"""After a notification, when an incident that never paused is reported again."""
REMIND_MANY_SECONDS: Final = 86_400
"""The same for an incident of several members: one of them may have paused."""
MOST_MEMBERS: Final = 50
"""Members of an incident that are stored: each write is billed by the size of the item."""
MOST_ASKED: Final = 20
"""Members of an alert that are compared with those stored, which bounds the condition of a write."""
UNCOUNTED: Final = 2**53
"""The limit of an amount if nothing is counted: no amount reaches it."""
MOST_ASKS: Final = 8
"""The same for groups of places, those of the gravest findings first."""
MAX_SUPPRESSED: Final = 20
"""Maximum suppressed batches that an item counts. It stores a set of their ids, so that a retry counts once;
the set is bounded because each write is billed by the size of the item."""
SPARED: Final = 8
"""Once `MAX_SUPPRESSED` is reached, a repeat extends the window only by more than 1/8 of it, because each
extension costs a write."""
MOST_PLACES: Final = 50
"""Places that are stored."""


class Evidence(Struct, frozen=True, kw_only=True):
    """The evidence for an alert, or for all that was reported about an incident."""

    gravity: int = 0
    """Higher for graver."""
    amount: int = 0
    """How much was counted; 0 if nothing is."""
    members: tuple[str, ...] = ()
    """Those that share the cause, such as hosts; empty if the incident is about one subject only."""
    places: tuple[str, ...] = ()
    """What a notification about it says that the members do, such as networks that they contact."""
    asks: tuple[tuple[str, ...], ...] = ()
    """If there are any, others join only if of each of these groups one was reported as a place: an intruder
    must not join the incident of an ordinary change, also if the same batch shows both."""
    strict: bool = False
    """Whether `asks` also apply to a member that was reported together with others, or that others joined.
    Once it was reported for something else, it may go on with anything: it is a place itself then."""
    combines: int = 0
    """The gravity from which two or more members are one step graver together (`combined`): the members are
    then kinds of evidence, such as scan and egress. 0 if members do not make an incident graver."""

    @property
    def combined(self) -> Evidence:
        """The same with the gravity of all members together: `combines` + 1 or more, if they combine.

        It depends only on the members and the gravest of them, so it is the same in whatever order and in
        however many batches they were seen.
        """
        if not self.combines or len(self.members) <= 1 or self.gravity < self.combines:
            return self
        return replace(self, gravity=max(self.gravity, self.combines + 1))

    @property
    def grows_at(self) -> int:
        """The amount that is new evidence; beyond any amount if nothing is counted."""
        return min(GROWTH * self.amount, UNCOUNTED) or UNCOUNTED

    def is_like(self, other: Evidence) -> bool:
        """Whether members are compared in the same way; with `asks`, only the same members are."""
        same_way = (self.asks, self.strict) == (other.asks, other.strict)
        return same_way and (not self.asks or self.members == other.members)

    def covers(self, other: Evidence) -> bool:
        """Whether a repeat with the other evidence shows nothing beyond this one."""
        no_more = other.gravity <= self.gravity and other.amount <= self.amount
        return self.is_like(other) and no_more and set(other.members) <= set(self.members)

    @property
    def remind(self) -> int:
        """Seconds for which an incident can go on before it is reported again."""
        return REMIND_SECONDS if len(self.members) <= 1 else REMIND_MANY_SECONDS

    @property
    def crowd(self) -> int:
        """The number of further members that are new evidence."""
        return (GROWTH - 1) * max(1, len(self.members))

    def together(self, earlier: Evidence | None, joined: Iterable[str] = ()) -> Evidence:
        """This evidence, with what was reported earlier and the members that joined since."""
        before = earlier or replace(self, members=())
        alone = [each for each in self.members if self.strict and each in before.members]
        return Evidence(
            gravity=max(self.gravity, before.gravity),
            amount=max(self.amount, before.amount),
            members=_some((*self.members, *joined, *before.members), MOST_MEMBERS),
            places=_some((*alone, *self.places, *before.places), MOST_PLACES),
            asks=self.asks,
            strict=self.strict,
            combines=self.combines,
        ).combined


def _some(names: Iterable[str], most: int) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))[:most]
