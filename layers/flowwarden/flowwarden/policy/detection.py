"""Thresholds: from how much on a detector tells of something. The policy may change each of them."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

FEW: Final = Meta(ge=1, le=100)
DISTINCT: Final = Meta(ge=1, le=500)
"""Of which distinct ones are counted in 256 buckets: beyond 500 the count says less and less."""


class Thresholds(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The defaults, and why they are what they are. A description goes to the table in docs/policy.md."""

    scan_hour: Annotated[
        int, DISTINCT, Meta(description="places that failed a host within an hour, less those that answered")
    ] = 12
    """Places that failed a host within an hour, less those that answered: 0.09 false pages a day and 1,000
    interfaces, together with the next one, on synthetic traffic."""
    scan_day: Annotated[int, DISTINCT, Meta(description="the same within a day")] = 20
    """The same within a day: who probes every five or fifteen minutes is found by it after some hours."""
    scan_ports: Annotated[
        int, DISTINCT, Meta(description="privileged ports of one server that one client asks for in a batch")
    ] = 15
    """Privileged ports of one server that a client asks for in a batch: Zeek's threshold for a port scan."""
    lateral_hosts: Annotated[
        int, FEW, Meta(description="own hosts asked for remote administration within a day")
    ] = 3
    """Own hosts that a host asks for remote administration within a day. With the scan rule, 98-100 % of
    half-successful movements and 0.29 false pages a day and 1,000 interfaces, on synthetic traffic."""
    brute_force_sessions: Annotated[
        int,
        DISTINCT,
        Meta(
            description="answered connections for remote administration within an hour, ten and more for "
            "each host asked"
        ),
    ] = 40
    """Answered connections of a host for remote administration within an hour. sshd lets six passwords be
    tried in one (MaxAuthTries), so that these are 240; a person has a few connections."""
    probing_places: Annotated[int, FEW, Meta(description="refused pairs of host and port in a batch")] = 5
    """Distinct refused (host, port) pairs of a host in a batch. Primaries and replicas of one or two services
    stay below."""
    blocked_packets: Annotated[
        int, FEW, Meta(description="rejected packets of a host's attempts at a service in a batch")
    ] = 3
    """Rejected packets before a host's attempts at a service count. A blocked TCP connect sends its SYN at 0,
    1, 3, 7, 15 and 31 s, so one real attempt passes; a single stray packet does not."""
    blocked_slots: Annotated[
        int,
        Meta(ge=1, le=36),
        Meta(description="slots of ten minutes, of six hours, of refusals of what was never usual"),
    ] = 12
    """Slots of ten minutes, of six hours, in which a host is refused what was never usual, before that pages.
    Half an hour or an hour is what a rule takes that somebody forgot; found on synthetic traffic, where
    releases are refused for up to 90 minutes."""
    shut_clients: Annotated[int, FEW, Meta(description="own hosts that one service refuses in a batch")] = 5
    """Own hosts refused the same service at one host, from which it is told about the host that refuses: a
    security group that somebody tightened shuts out all its clients together."""
    nacl_tuples: Annotated[
        int,
        FEW,
        Meta(description="connections in a batch whose request was accepted and whose answer was not"),
    ] = 3
    """Connections in a batch whose requests were accepted and whose answers were not: one or two may be a
    rule that changed while they were made."""
    spike_times: Annotated[
        int,
        Meta(ge=2, le=50),
        Meta(description="times as many attempts in ten minutes as the median of a day"),
    ] = 5
    """Times the median of a day: with the robust z above 6, 0.23 spikes a day on synthetic noise.
    Buckets tell of 1,400 attempts at most, so that more than fifty times the least could never be seen."""
    lost_windows: Annotated[
        int, Meta(ge=1, le=6), Meta(description="windows within an hour that AWS skipped")
    ] = 3
    """Windows within an hour that AWS skipped. Two would be chance 3.5 times a day for 1,000 interfaces with
    windows of a minute, if two in ten thousand are skipped; three are it 0.02 times."""
    scan_hit_places: Annotated[
        int, FEW, Meta(description="places that refuse an internet host within a day")
    ] = 10
    """Places that refuse an internet host within a day: few sources of background noise try that many."""
    upload_megabytes: Annotated[
        int,
        Meta(ge=100, le=1000),
        Meta(
            description="millions of bytes that a host sends to the internet within an hour, in records of 4 "
            "and more"
        ),
    ] = 500
    """Millions of bytes that a host sends to the internet within an hour: turbot's rule for a single record.
    More than 1,000 may not be remembered of an hour."""
