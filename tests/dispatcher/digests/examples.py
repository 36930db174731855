"""Example digests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from flowwarden.dispatcher import daily_digest, hourly_digest
from flowwarden.dispatcher.digest_day import NOTHING, Day
from flowwarden.dispatcher.digest_place import DigestPlace
from flowwarden.notify.notification import Notification
from flowwarden.state.digests import (
    HOSTS,
    RECORDS,
    SOURCES,
    TARGETS,
    Content,
    Group,
    Kept,
    Source,
    Target,
    port_number,
)
from flowwarden.state.registers import encoded, ranks

PLACE: Final = DigestPlace("111122223333", "eu-west-1", "docs/runbooks")
DAY: Final = 20_400
HOUR: Final = DAY * 24 + 10
GROUPS: Final = {
    Group("ping-sweep", "vpc-1", "10.0.0.5", "own", "icmp"): 12,
    Group("internet-to-admin-port", "vpc-1", "10.0.0.6", "internet", "tcp/22"): 1,
    Group("internet-to-admin-port", "", "", "", ""): 3,
    Group("reject-spike", "vpc-2", "10.9.0.4", "internet", ""): 2,
}
REPORT_ONLY: Final = {
    **GROUPS,
    Group("scan", "vpc-1", "10.0.0.7", "own", "", report_only=True): 1,
    Group("internet-to-admin-port", "vpc-1", "10.0.0.8", "internet", "tcp/22", report_only=True): 1,
}
KEPT: Final = {Kept.SUPPRESSED: 31, Kept.MUTED: 0, Kept.INHIBITED: 4}


def counted(number: int) -> frozenset[int]:
    """The registers of so many values."""
    return encoded(ranks(np.arange(number, dtype=np.uint64)))


def hour(sources: list[Source], targets: list[Target], hosts: int, records: int) -> Content:
    """What is stored of an hour."""
    return Content(
        {HOSTS: counted(hosts), RECORDS: counted(records)},
        {
            SOURCES: frozenset(each.text for each in sources),
            TARGETS: frozenset(each.text for each in targets),
        },
    )


SCANNED: Final = tuple(port_number(6, port) for port in (21, 22, 23, 25, 80, 110, 443, 445))
TODAY: Final = Day.of(
    [
        hour(
            [
                Source("203.0.113.9", 9, 8, SCANNED),
                Source("203.0.113.9", 4, 3, SCANNED),
                Source("198.51.100.7", 4, 0, (port_number(17, 53),)),
            ],
            [Target("10.0.0.5", 9), Target("10.0.0.6", 4)],
            900,
            4_000,
        ),
        hour(
            [
                Source(
                    "203.0.113.9",
                    6,
                    5,
                    tuple(port_number(6, port) for port in (3389, 5432, 5900, 6379, 9200)),
                ),
                Source("2001:db8::1", 0, 0, (port_number(58, -1),)),
            ],
            [Target("10.0.0.5", 7)],
            1_200,
            5_000,
        ),
    ]
)
BEFORE: Final = Day.of(
    [hour([Source("198.51.100.7", 4, 0, (port_number(17, 53),))], [Target("10.0.0.5", 4)], 700, 3_000)]
)

EXAMPLES: Final[Mapping[str, Callable[[], Notification]]] = {
    "hourly": lambda: hourly_digest.render(HOUR, GROUPS, KEPT, PLACE),
    "hourly-one": lambda: hourly_digest.render(
        HOUR, dict([*GROUPS.items()][1:2]), dict.fromkeys(Kept, 0), PLACE
    ),
    "hourly-report-only": lambda: hourly_digest.render(HOUR, REPORT_ONLY, KEPT, PLACE),
    "daily": lambda: daily_digest.render(DAY, TODAY, BEFORE, PLACE),
    "daily-first": lambda: daily_digest.render(DAY, TODAY, NOTHING, PLACE),
}
