"""Suspects: own hosts that do what is new for their role, with what they did within the hour and the day.

Novelty buys nearly everything: outages and stale addresses fail by the hundred, but on edges that are known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from flowwarden.detection.contacts import Contact
from flowwarden.detection.evidence import DAY, HOUR, Addition, Sets, bucket

FAILED, ANSWERED, ADMINISTERED = "failed", "answered", "administered"
"""Sets of a window: places (server, protocol, port) that failed the host, that answered it, and servers that
it asked for remote administration."""

ADMIN_PORTS: Final = frozenset({22, 23, 135, 445, 3389, 5985, 5986})
"""SSH, Telnet, Windows RPC, SMB, RDP, WinRM: how one host is operated from another. No database ports: pools
and replicas reach many of those (6.6 false pages a day and 1,000 interfaces, measured on synthetic
traffic)."""

DATABASE_PORTS: Final = frozenset({3306, 5432, 1433, 1521, 6379, 27017})
"""MySQL, PostgreSQL, SQL Server, Oracle, Redis, MongoDB."""

SPANS: Final = {HOUR: "1h", DAY: "24h"}


class Suspect(Struct, frozen=True, kw_only=True):
    """A host, what it does that is new, and what is known of its last hour and day."""

    client: str
    role: str
    """`UNKNOWN` where EC2 does not tell the interface."""
    learning: bool
    """Whether the role is too young, or unknown, for new to mean unusual."""
    contacts: tuple[Contact, ...]
    """The new ones of the batch."""
    hour: Sets
    day: Sets
    administers: frozenset[int] = frozenset()
    """Ports on which the role usually administers others, wherever these are."""
    databases: frozenset[int] = frozenset()
    """Ports on which the role usually serves a database."""

    def window(self, span: int) -> Sets:
        """What is known of the last hour or day."""
        return self.hour if span == HOUR else self.day


def by_client(contacts: Iterable[Contact]) -> dict[str, list[Contact]]:
    """Contacts by who started them."""
    found: defaultdict[str, list[Contact]] = defaultdict(list)
    for contact in contacts:
        found[contact.client].append(contact)
    return dict(found)


def windows(
    host: str, contacts: Sequence[Contact], administers: frozenset[int], now: int
) -> dict[int, list[Addition]]:
    """What a host's new contacts add to its windows, by their span.

    Args:
        host: what tells it from any other: addresses are used again in other VPCs.
        contacts: of the batch.
        administers: ports on which its role usually administers others.
        now: Unix seconds.
    """
    return {
        span: [
            Addition(f"contacts#{name}#{begin}#{host}", sets(within, administers), begin * span + 2 * span)
            for begin, within in sorted(_by_window(contacts, span, now).items())
        ]
        for span, name in SPANS.items()
    }


def sets(contacts: Iterable[Contact], administers: frozenset[int] = frozenset()) -> dict[str, frozenset[int]]:
    """Contacts as the sets of a window; administration on ports that are usual for the role is none."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    for contact in contacts:
        place = bucket(contact.server, contact.protocol, contact.port)
        found[FAILED if contact.failed else ANSWERED].add(place)
        if contact.inside and contact.port in ADMIN_PORTS - administers:
            found[ADMINISTERED].add(bucket(contact.server))
    return {name: frozenset(numbers) for name, numbers in found.items()}


def _by_window(contacts: Iterable[Contact], span: int, now: int) -> dict[int, list[Contact]]:
    found: defaultdict[int, list[Contact]] = defaultdict(list)
    for contact in contacts:
        # A record from the future would open a window that nobody else is in.
        found[(min(contact.first, now) if contact.first >= 0 else now) // span].append(contact)
    return found
