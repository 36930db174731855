"""Peers' rules for scans, reimplemented with their published thresholds, on the same deliveries.

Zeek: at least 25 hosts on one port, or 15 ports of one host, that a source failed to connect to in 5 min.
Elastic: at least 250 ports of a host with at most 2 packets each in 9 min; at least 100 hosts on ports of
administration; at least 50 ports of an internal host in 1 min. Panther: at least 10 ports of a host that an
internal host sends to in 60 min, regardless of the initiator.

Zeek reads packets. No network rule of Elastic reads VPC flow logs. Panther's rule is experimental, off by
default, and excludes seven common ports; the rule here excludes none, so the original would page less often.

To the peers' advantage, only internal sources count (scans from the internet would page all day), and repeats
are suppressed for as long as the monitor's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from ipaddress import ip_address
from typing import Any, Final

from msgspec import Struct

from benchmarks.evaluation.generator.model import Delivery
from benchmarks.evaluation.reading import Reading
from benchmarks.evaluation.subject import Page
from benchmarks.evaluation.tally import QUIET_SECONDS
from flowwarden.network.services import TCP
from flowwarden.records.model import Action, Flow

KEPT_SECONDS: Final = 2 * 3600
"""Seconds after the end of a time span for which it still accepts late records."""
SYN, SYN_ACK = 2, 18
FEW_PACKETS: Final = 2
ADMIN_PORTS: Final = frozenset({21, 22, 23, 25, 139, 445, 3389, 5985, 5986})


@lru_cache(maxsize=65_536)
def is_private(address: str) -> bool:
    """Whether an address is in a private range, as the peers' rules require."""
    return ip_address(address).is_private


class Contact(Struct, frozen=True, gc=False):
    """A record of traffic sent by an internal host."""

    source: str
    target: str
    port: int
    packets: int
    start: int
    failed: bool
    """Rejected, or without a reply in the delivery; a TCP connection attempt, if the flags are known."""
    egress: bool
    """Whether the source's own interface recorded it, if known."""


type Pick = Callable[[Contact], tuple[object, object] | None]
"""The key of a rule's counter and the value that must be distinct; None if the contact does not count."""


class Rule(Struct, frozen=True):
    """A threshold of distinct values in a time span."""

    name: str
    seconds: int
    threshold: int
    pick: Pick


ZEEK: Final = (
    Rule("zeek-address-scan", 300, 25, lambda c: (c.port, c.target) if c.failed else None),
    Rule("zeek-port-scan", 300, 15, lambda c: (c.target, c.port) if c.failed else None),
)
ELASTIC: Final = (
    Rule("elastic-scan", 540, 250, lambda c: (c.target, c.port) if c.packets <= FEW_PACKETS else None),
    Rule("elastic-sweep", 540, 100, lambda c: ("", c.target) if c.port in ADMIN_PORTS else None),
    Rule("elastic-inside", 60, 50, lambda c: (c.target, c.port) if is_private(c.target) else None),
)
PANTHER: Final = (Rule("panther-egress-ports", 3600, 10, lambda c: (c.target, c.port) if c.egress else None),)
PEERS: Final = {"Zeek": ZEEK, "Elastic": ELASTIC, "Panther": PANTHER}


class Contacts:
    """Extracts contacts from deliveries, once for all peers."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._last: tuple[Delivery, list[Contact]] | None = None

    def of(self, delivery: Delivery) -> list[Contact]:
        """The delivery's contacts."""
        if self._last is None or self._last[0] is not delivery:
            self._last = delivery, list(_contacts(self._reading.records(delivery).flows))
        return self._last[1]


class Peer:
    """The rules of one peer."""

    learns = False

    def __init__(self, name: str, contacts: Contacts) -> None:
        self.name = name
        self._rules: Sequence[Rule] = PEERS[name]
        self._contacts = contacts
        self._seen: dict[tuple[str, int], dict[tuple[str, object], set[object]]] = {}
        self._quiet: dict[tuple[str, str], int] = {}
        self._kept_until = 0
        """Unix seconds until which no counter is old; at most."""

    @property
    def write_units(self) -> Counter[str]:
        """Unknown: the peers do not document their state."""
        return Counter()

    def process(self, delivery: Delivery) -> list[Page]:
        """Count the delivery's contacts; return a page for each rule that reaches its threshold."""
        pages = []
        for contact in self._contacts.of(delivery):
            for rule in self._rules:
                picked = rule.pick(contact)
                if picked is not None and self._count(rule, contact, picked):
                    page = self._page(rule, contact, delivery.arrived)
                    pages += [page] if page else []
        self._forget(delivery.arrived)
        return pages

    def overdue(self, now: int) -> list[str]:
        """None: they have no open incidents."""
        del now
        return []

    def _count(self, rule: Rule, contact: Contact, picked: tuple[object, object]) -> bool:
        """Whether the threshold is reached with this contact."""
        key = rule.name, contact.start // rule.seconds
        span = self._seen.get(key)
        if span is None:
            span = self._seen[key] = {}
            self._kept_until = min(self._kept_until, _kept_until(rule, key[1]))
        distinct = span.setdefault((contact.source, picked[0]), set())
        distinct.add(picked[1])
        return len(distinct) >= rule.threshold

    def _page(self, rule: Rule, contact: Contact, arrived: int) -> Page | None:
        key = rule.name, contact.source
        if self._quiet.get(key, 0) > arrived:
            return None
        self._quiet[key] = arrived + QUIET_SECONDS
        return Page(
            at=contact.start,
            arrived=arrived,
            detector=rule.name,
            subject=contact.source,
            key=f"{rule.name} {contact.source}",
            confidence=None,
            names=frozenset((contact.source, contact.target)),
        )

    def _forget(self, now: int) -> None:
        if now <= self._kept_until:
            return
        rules = {rule.name: rule for rule in self._rules}
        for key in [key for key in self._seen if _kept_until(rules[key[0]], key[1]) < now]:
            del self._seen[key]
        self._kept_until = min((_kept_until(rules[name], number) for name, number in self._seen), default=now)

    def state(self) -> Any:  # noqa: ANN401 -- see the protocol
        """The counters, and the suppressed keys."""
        return self._seen, self._quiet

    def restore(self, state: Any) -> None:  # noqa: ANN401 -- see the protocol
        """Continue with this state."""
        self._seen, self._quiet = state


def _kept_until(rule: Rule, number: int) -> int:
    """The last Unix second at which the counters of a rule's span are kept."""
    return (number + 1) * rule.seconds + KEPT_SECONDS


def _contacts(flows: Sequence[Flow]) -> Iterator[Contact]:
    answers = {(flow.dstaddr, flow.srcaddr, flow.dstport, flow.srcport, flow.protocol) for flow in flows}
    for flow in flows:
        source = flow.pkt_srcaddr or flow.srcaddr
        if flow.protocol != TCP or not is_private(source):
            continue
        rejected = flow.action is Action.REJECT
        key = flow.srcaddr, flow.dstaddr, flow.srcport, flow.dstport, flow.protocol
        opens = flow.tcp_flags is None or flow.tcp_flags & SYN_ACK == SYN
        yield Contact(
            *(source, flow.pkt_dstaddr or flow.dstaddr, flow.dstport or 0, flow.packets or 0),
            *(flow.start or 0, opens and (rejected or key not in answers)),
            egress=flow.flow_direction in {None, "egress"},
        )
