"""Suspects: own hosts that do what is new for their role, with what they did within the hour and the day.

Novelty buys nearly everything: outages and stale addresses fail by the hundred, but on edges that are known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from flowwarden.monitor.traffic.contacts import Contact
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.services import ADMIN_PORTS, TCP
from flowwarden.state.schema import CONTACTS_DAY, CONTACTS_HOUR, MOST_WINDOWS
from flowwarden.state.sets import DAY, HOUR, Addition, Sets, bucket

(
    FAILED, FAILED_USUAL, FAILED_NETWORKS, FAILED_OUTSIDE, ANSWERED, ANSWERED_BY, ANSWERED_OUTSIDE,
    ADMINISTERED, SESSIONS,
) = CONTACTS_HOUR.sets  # fmt: skip
"""Sets of a window: places (server, protocol, port) that failed the host and that answered it, inside and
outside; servers inside that failed it at a service that its role usually asks for elsewhere, and the networks
that these are in; servers inside that answered it; servers that it asked for remote administration; and the
connections that it had for that."""


type Services = frozenset[tuple[int, int]]
"""Protocols and ports."""

SPANS: Final = {HOUR: "1h", DAY: "24h"}
_ITEMS: Final = {HOUR: CONTACTS_HOUR, DAY: CONTACTS_DAY}


class HostActivity(Struct, frozen=True, kw_only=True):
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
    asks: Services = frozenset()
    """Services that the role usually asks for, wherever these are."""
    databases: frozenset[int] = frozenset()
    """Ports on which the role usually serves a database."""
    only_listens: bool = False
    """Whether the role usually answers others and never goes out to the internet."""

    def window(self, span: int) -> Sets:
        """What is known of the last hour or day."""
        return self.hour if span == HOUR else self.day

    def administering(self, flows: Iterable[DirectedFlow]) -> list[DirectedFlow]:
        """Those of the flows that ask own hosts for remote administration which is not usual for the role."""
        unusual = {port for port in ADMIN_PORTS if (TCP, port) not in self.asks}
        return [each for each in flows if each.service_port in unusual and each.server_class is PeerClass.OWN]

    def answered(self, flows: Iterable[DirectedFlow]) -> list[DirectedFlow]:
        """Those of the flows of its new contacts that belong to an answered one."""
        places = {(each.server, each.protocol, each.port) for each in self.contacts if not each.failed}
        return [each for each in flows if (each.server, each.flow.protocol, each.service_port) in places]


def by_client(contacts: Iterable[Contact]) -> dict[str, list[Contact]]:
    """Contacts by who started them."""
    found: defaultdict[str, list[Contact]] = defaultdict(list)
    for contact in contacts:
        found[contact.client].append(contact)
    return dict(found)


def windows(host: str, contacts: Sequence[Contact], asks: Services, now: int) -> dict[int, list[Addition]]:
    """What a host's new contacts add to its windows, by their span.

    Args:
        host: what tells it from any other: addresses are used again in other VPCs.
        contacts: of the batch.
        asks: services that its role usually asks for, wherever these are.
        now: Unix seconds.
    """
    return {
        span: [
            Addition(item.key_of(begin, host), sets(within, asks), item.kept_until(begin * span))
            for begin, within in sorted(_by_window(contacts, span, now).items())
        ]
        for span, item in _ITEMS.items()
    }


def sets(contacts: Iterable[Contact], asks: Services = frozenset()) -> dict[str, frozenset[int]]:
    """Contacts as the sets of a window; administration that is usual for the role is none."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    for contact in contacts:
        usual = (contact.protocol, contact.port) in asks
        if usual and contact.inside and contact.failed:
            found[FAILED_USUAL].add(bucket(contact.server))
            found[FAILED_NETWORKS].add(bucket(contact.peer))
        else:
            found[_set_of(contact)].add(bucket(contact.server, contact.protocol, contact.port))
        if contact.inside and not contact.failed:
            found[ANSWERED_BY].add(bucket(contact.server))
        if contact.inside and contact.port in ADMIN_PORTS and not usual:
            found[ADMINISTERED].add(bucket(contact.server))
            if sessions := _sessions(contact):
                found[SESSIONS] |= sessions
    return {name: frozenset(numbers) for name, numbers in found.items()}


def _sessions(contact: Contact) -> set[int]:
    """The connections of a contact; none that failed, for these are the business of others."""
    if contact.failed:
        return set()
    place = contact.server, contact.protocol, contact.port
    return {bucket(*place, client_port) for client_port in contact.client_ports}


def _set_of(contact: Contact) -> str:
    if contact.inside:
        return FAILED if contact.failed else ANSWERED
    return FAILED_OUTSIDE if contact.failed else ANSWERED_OUTSIDE


def _by_window(contacts: Iterable[Contact], span: int, now: int) -> dict[int, list[Contact]]:
    found: defaultdict[int, list[Contact]] = defaultdict(list)
    for contact in contacts:
        # A record from the future would open a window that nobody else is in.
        found[(min(contact.first, now) if contact.first >= 0 else now) // span].append(contact)
    # One from long ago would open one that nobody asks for any more, and each costs a write.
    return {begin: found[begin] for begin in sorted(found)[-MOST_WINDOWS:]}
