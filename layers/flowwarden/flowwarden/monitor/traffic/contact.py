"""One contact as an object: a client, a service of a server, and the outcome."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from enum import StrEnum
from operator import itemgetter

from msgspec import Struct

from flowwarden.monitor.baseline.peers import class_of
from flowwarden.monitor.baseline.profile import Standing
from flowwarden.monitor.traffic.sessions import SizedRecords
from flowwarden.network.addresses import PeerClass
from flowwarden.network.services import ADMIN_PORTS, DATABASE_PORTS
from flowwarden.records.columnar.tokenizer import Integers


class ContactOutcome(StrEnum):
    """The outcome of a contact, as far as the batch shows it."""

    ANSWERED = "answered"
    REFUSED = "refused"
    """Rejected by a rule, or reset by the host."""
    DENIED = "denied"
    """Rejected on the way to the internet by the rules of the client's own interface. The record shows that a
    rule denies the service, and nothing about the server."""
    UNANSWERED = "unanswered"
    """TCP that was accepted and not answered. For other protocols, a missing answer proves nothing."""


class Contact(Struct, frozen=True, kw_only=True):
    """One contact of a batch; see `contacts`."""

    client: str
    server: str
    protocol: int
    port: int
    peer: str
    """The peer of the far end, as seen from the interface that logged the contact; see `peer_of`."""
    outcome: ContactOutcome
    first: int
    """Unix seconds of the first packet; -1 if the log does not contain it."""
    rows: Integers
    """The rows of its records in the batch."""
    client_ports: frozenset[int] = frozenset()
    """The client port of each connection."""
    sizes: SizedRecords = frozenset()
    """The sizes of its connections, if its port is in `SIZED_PORTS`."""
    standing: Standing = Standing.NEW
    """How usual its edge is for the client's role."""

    @property
    def failed(self) -> bool:
        """Whether the contact was not answered."""
        return self.outcome is not ContactOutcome.ANSWERED

    @property
    def inside(self) -> bool:
        """Whether the server is internal."""
        return class_of(self.peer) is PeerClass.OWN


def some_of_each_kind(contacts: Iterable[Contact]) -> list[Contact]:
    """The contacts, ordered so that the first ones contain as many of each kind as possible.

    Only the first `contacts.MOST_FLOWS` become flows, and a finding needs a flow. Otherwise many failures
    could displace an answer.
    """
    kinds: defaultdict[tuple[bool, bool, bool], int] = defaultdict(int)
    ranked: list[tuple[int, tuple[bool, bool, bool], Contact]] = []
    for each in contacts:
        kind = each.port not in ADMIN_PORTS, each.port not in DATABASE_PORTS, not each.failed
        ranked.append((kinds[kind], kind, each))
        kinds[kind] += 1
    return [each for *_, each in sorted(ranked, key=itemgetter(0, 1, 2))]
