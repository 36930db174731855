"""Usual volume: how much hosts of a role send out per hour and per day, and to which networks. Pure.

Volumes are stored as powers of two, by day. A volume is usual if it was reached on several days. If the large
uploads of a role always go to the same few networks, no volume to another network is usual: the new network
is better evidence than the volume.

A day with an unusual upload is not like the others: what was sent then, also before it was too much, is part
of what was found. It counts only for uploads that may be the same ones again: of the same host, or to the
same network. If there are `DAYS_OF_OTHERS` times as many days with different ones, they count for all hosts
of the role: the hosts of a scaling group change every day, and a service can have many networks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from math import log2
from typing import Final

from flowwarden.monitor.baseline.profile import DAYS_OF_OTHERS
from flowwarden.monitor.measured import Measured
from flowwarden.network.addresses import PeerClass
from flowwarden.state.schema import DAYS_READ, UPLOAD_SIZES
from flowwarden.state.sets import DAY, HOUR, Addition, Sets

TIMES: Final = 5
"""The multiple of the usual volume that is reported: common rules for volumes use five times the median."""
DAYS_SENT: Final = 3
"""Distinct days with such a volume before it is usual. A new backup is reported on these days; a weekly one
recurs often enough."""
DAYS_TO_AWS: Final = 2
"""The same for AWS services, where most backups go: a weekly one has two days in the two weeks in which a
role is learned."""
DAYS_OF_NETWORK: Final = 2
"""Distinct days with uploads to a network before it is usual, as for edges."""
DAYS_OF_EACH: Final = 3
"""The average number of days per network from which a role's uploads count as always going to the same
ones."""
MOST_NETWORKS: Final = 64
"""Maximum networks of a role and day that are stored. If a role uses so many, a new one is not remarkable."""
DAY_FACTOR: Final = 2
"""How many times the limit of an hour the limit of a day is. As for `scan`, it is only a little higher; with
24 times the limit, 12 GB a day would go unnoticed."""
HOURS_AS_DAY: Final = 5
"""For days on which only volumes of hours were stored: the power of two by which the volume of a day can
exceed that of an hour. No day has more than 2^5 hours."""
LARGEST: Final = 62
"""The highest power of two that the report on learning shows."""
MEGABYTE: Final = 1_000_000

SIZES, DAY_SIZES, AWS_SIZES, AWS_DAY_SIZES, NETWORKS, _OUT, _TO_AWS = UPLOAD_SIZES.sets
UNUSUAL: Final = {PeerClass.INTERNET: _OUT, PeerClass.AWS_SERVICE: _TO_AWS}
"""By class of peers: the set with the numbers of unusual uploads to them."""
_NAMES: Final = {
    (PeerClass.INTERNET, HOUR): SIZES, (PeerClass.INTERNET, DAY): DAY_SIZES,
    (PeerClass.AWS_SERVICE, HOUR): AWS_SIZES, (PeerClass.AWS_SERVICE, DAY): AWS_DAY_SIZES,
}  # fmt: skip
DAYS: Final = {PeerClass.INTERNET: DAYS_SENT, PeerClass.AWS_SERVICE: DAYS_TO_AWS}
"""By class of peers: the days with uploads of a size from which on such an upload is usual."""


def measured(sent: float, span: int, limit: int) -> Measured:
    """The bytes that a host sent within a span (seconds), against the limit."""
    return Measured(
        what=f"bytes sent out within {span // HOUR} h",
        value=sent,
        limit=limit,
        threshold="upload_megabytes",
    )


def key_of(role: str, day: int) -> str:
    """The key of the item with a role's volumes on a day."""
    return UPLOAD_SIZES.key_of(role, day)


def learned(
    role: str,
    day: int,
    outside: PeerClass,
    sent: Mapping[int, float],
    networks: Collection[int],
    unusual: Collection[int] = (),
) -> Addition:
    """The addition to a role's item: the powers of two that its hosts reached on a day.

    The caller caps a reported volume at the limit for reports: an incident adds little, and a new large
    backup becomes usual a few days later than a small one.

    Args:
        role: the role of the host.
        day: days since 1970.
        outside: where the host sent the data.
        sent: bytes by span (seconds).
        networks: the numbers of the networks that received it.
        unusual: if the upload is unusual, the numbers by which it is recognized, see `comparable`.
    """
    sets = {_NAMES[outside, span]: frozenset({int(log2(size))}) for span, size in sent.items() if size >= 1}
    if networks and outside is PeerClass.INTERNET:
        sets[NETWORKS] = frozenset(networks)
    if unusual:
        sets[UNUSUAL[outside]] = frozenset(unusual)
    return Addition(key_of(role, day), sets, UPLOAD_SIZES.kept_until(day * DAY))


def keys(role: str, day: int) -> list[str]:
    """The keys of the items with the role's volumes on the days before `day`."""
    return [key_of(role, before) for before in range(day - DAYS_READ, day)]


def comparable(items: Iterable[Sets], ends: Collection[int], outside: PeerClass) -> list[Sets]:
    """The days whose volumes and networks say what is usual for an upload.

    Args:
        items: one for each day on which the role made large uploads, to the internet or to AWS services.
        ends: the numbers of the upload's host and network.
        outside: where it goes.
    """
    every, name = [*items], UNUSUAL[outside]
    apart = [each for each in every if each.get(name) and each[name].isdisjoint(ends)]
    # An upload from before midnight until after it is one, on two days.
    if len({each[name] for each in apart}) >= DAYS_OF_OTHERS * DAYS[outside]:
        return every
    return [each for each in every if each not in apart]


def usual(items: Iterable[Sets], outside: PeerClass = PeerClass.INTERNET, span: int = HOUR) -> int:
    """The bytes per span that a role reached on enough days, rounded up; 0 if it never did.

    Args:
        items: one for each day on which the role made large uploads.
        outside: where they went.
        span: seconds.
    """
    days = sorted((most for each in items if (most := _most(each, outside, span))), reverse=True)
    enough = DAYS[outside]
    return int(2 ** (days[enough - 1] + 1)) if len(days) >= enough else 0


def most(items: Iterable[Sets], outside: PeerClass, span: int) -> int:
    """The most bytes per span that a role reached on any day, rounded up; 0 if it never did."""
    found = max((_most(each, outside, span) for each in items), default=0)
    # A damaged item can contain powers that no host reaches, and whose bytes cannot be divided.
    return 2 ** (min(found, LARGEST) + 1) if found else 0


def _most(sets: Sets, outside: PeerClass, span: int) -> int:
    """The highest power of two of a day; 0 if nothing was sent."""
    most = max(sets.get(_NAMES[outside, span], ()), default=0)
    hour = max(sets.get(_NAMES[outside, HOUR], ()), default=0)
    return most or (hour + HOURS_AS_DAY if hour else 0)


def usual_networks(items: Collection[Sets]) -> frozenset[int] | None:
    """The networks that a role usually sends to; None if they change or are unknown."""
    days = Counter(network for each in items for network in each.get(NETWORKS, ()))
    changing = any(len(each.get(NETWORKS, ())) >= MOST_NETWORKS for each in items)
    if changing or not days or days.total() < DAYS_OF_EACH * len(days):
        return None
    return frozenset(network for network, count in days.items() if count >= DAYS_OF_NETWORK)


def limit(before: int, megabytes: int, span: int = HOUR) -> int:
    """The bytes per span from which a finding is reported, given the usual volume."""
    return max(megabytes * MEGABYTE * (DAY_FACTOR if span == DAY else 1), TIMES * before)
