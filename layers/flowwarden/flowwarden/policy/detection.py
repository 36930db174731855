"""Thresholds from which detectors report a finding. The policy can change each of them."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

FEW: Final = Meta(ge=1, le=100)
DISTINCT: Final = Meta(ge=1, le=500)
"""For distinct values counted in 256 buckets: beyond 500 the estimate becomes too inaccurate."""


class Thresholds(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The defaults and their reasons. Descriptions go to the table in docs/policy.md."""

    scan_hour: Annotated[
        int,
        DISTINCT,
        Meta(description="destinations that fail for a host within an hour, minus those that answer"),
    ] = 12
    """Destinations that fail for a host within an hour, minus those that answer. Together with `scan_day`:
    0.09 false pages per day per 1,000 interfaces on synthetic traffic."""
    scan_day: Annotated[
        int,
        DISTINCT,
        Meta(description="destinations that fail for a host within a day, minus those that answer"),
    ] = 20
    """The same within a day. Detects, after some hours, a host that probes every 5 or 15 minutes."""
    scan_ports: Annotated[
        int,
        DISTINCT,
        Meta(description="privileged ports of one server that one client tries to connect to in a batch"),
    ] = 15
    """Privileged ports of one server that one client tries in a batch: Zeek's threshold for a port scan."""
    lateral_hosts: Annotated[
        int, FEW, Meta(description="internal hosts that a host tries to administer remotely within a day")
    ] = 3
    """Internal hosts that a host tries to administer remotely within a day. With the scan rule, this detects
    98-100 % of half-successful movements, with 0.29 false pages per day per 1,000 interfaces, on synthetic
    traffic."""
    brute_force_sessions: Annotated[
        int,
        DISTINCT,
        Meta(
            description="answered connections of the same small size, for remote administration or with a "
            "database, within an hour, with 10 or more per target host"
        ),
    ] = 40
    """Answered remote administration connections of a host within an hour. sshd allows six password attempts
    per connection (MaxAuthTries), so 40 connections allow 240 attempts; a person opens a few connections."""
    probing_destinations: Annotated[int, FEW, Meta(description="refused (host, port) pairs in a batch")] = 5
    """Distinct (host, port) pairs that refuse a host in a batch. Primaries and replicas of one or two
    services stay below."""
    blocked_packets: Annotated[
        int, FEW, Meta(description="rejected packets from a host to a service in a batch")
    ] = 3
    """Rejected packets before a host's attempts to reach a service count. A blocked TCP connect sends its SYN
    at 0, 1, 3, 7, 15 and 31 s, so one real attempt reaches the threshold; a single stray packet does not."""
    blocked_slots: Annotated[
        int,
        Meta(ge=1, le=36),
        Meta(description="10-minute slots, out of 6 hours, with refusals of unusual traffic"),
    ] = 12
    """10-minute slots, out of 6 hours, in which unusual traffic of a host is refused, before that pages.
    A forgotten rule is usually added within 30 to 60 minutes. Found on synthetic traffic, where releases are
    refused for up to 90 minutes."""
    new_egress_slots: Annotated[
        int,
        Meta(ge=1, le=72),
        Meta(description="10-minute slots, out of 24 hours, in which a role uses a new port of the internet"),
    ] = 12
    """10-minute slots, out of 24 hours, in which the hosts of a role use a TCP port of the internet that is
    new for it, before that pages. A person who tries something ends sooner; a beacon once an hour takes half
    a day."""
    service_blocked_clients: Annotated[
        int, FEW, Meta(description="internal hosts that one service refuses in a batch")
    ] = 5
    """Internal hosts refused by the same service of one host, from which the finding is about the refusing
    host: a tightened security group shuts out all its clients at once."""
    nacl_tuples: Annotated[
        int,
        FEW,
        Meta(description="connections in a batch whose request was accepted and whose reply was rejected"),
    ] = 3
    """Connections in a batch whose request was accepted and whose reply was rejected. One or two may be due
    to a rule that changed during the connection."""
    spike_factor: Annotated[
        int,
        Meta(ge=2, le=50),
        Meta(description="attempts in 10 minutes, as a multiple of the median of a day"),
    ] = 5
    """Multiple of the median of a day. With a robust z-score above 6: 0.23 spikes per day on synthetic noise.
    Buckets can count about 1,400 attempts at most, so a factor above 50 could never be reached, even from
    the lowest median."""
    skipped_windows: Annotated[
        int, Meta(ge=1, le=6), Meta(description="windows within an hour that AWS skipped")
    ] = 3
    """Windows within an hour that AWS skipped. If 2 in 10,000 windows are skipped, then for 1,000 interfaces
    with 1-minute windows two occur by chance 3.5 times a day, three 0.02 times a day."""
    scanner_destinations: Annotated[
        int, FEW, Meta(description="destinations that refuse an internet host within a day")
    ] = 10
    """Destinations that refuse an internet host within a day: few background noise sources try that many."""
    upload_megabytes: Annotated[
        int,
        Meta(ge=100, le=1000),
        Meta(
            description="megabytes (10^6 bytes) that a host sends out in an hour; twice as much in 24 hours"
        ),
    ] = 500
    """Megabytes (10^6 bytes) that a host sends to the internet within an hour: turbot's rule for a single
    record. Twice as much counts within 24 hours."""
