"""The two ends of a finding's connections: addresses, and what is known of their hosts. Pure."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from flowwarden.monitor.findings import TrafficFinding
from flowwarden.monitor.traffic.hosts import Host, Hosts
from flowwarden.network.addresses import PeerClass
from flowwarden.notify.text import moment

TOP: Final = 10
"""The number of addresses or services that a notification lists; the rest is counted."""

type Ranked = tuple[tuple[str, int], ...] | list[tuple[str, int]]
"""Names with their numbers of records, most first."""


class End(Struct, frozen=True):
    """One end of the connections."""

    addresses: Ranked
    hosts: tuple[Host, ...]
    """Of the addresses that are listed."""
    classes: tuple[PeerClass, ...]
    """The peer classes of all addresses."""

    @property
    def text(self) -> str:
        """`10.0.1.20 [i-1, eni-1, subnet-1, role tag:Role=web] (internal)`."""
        shown = zip(self.addresses, self.hosts, strict=False)
        names = [f"{address}{_known(host)}" for (address, _), host in shown]
        return f"{_with_rest(names, len(self.addresses))} ({' and '.join(map(_class, self.classes))})"

    @property
    def document(self) -> dict[str, Any]:
        """The same for machines."""
        shown = zip(self.addresses, self.hosts, strict=False)
        return {
            "classes": [each.value for each in self.classes],
            "distinct": len(self.addresses),
            "hosts": [
                {
                    "address": address,
                    "interface": host.interface,
                    "instance": host.instance,
                    "subnet": host.subnet,
                    "role": host.role,
                    "described": host.described,
                    "records": records,
                }
                for (address, records), host in shown
            ],
        }


def from_end(finding: TrafficFinding, hosts: Hosts) -> End:
    """The end that opened the connections."""
    tally = finding.tally
    return End(tally.clients, _at(finding, tally.clients, hosts), tally.client_classes)


def to_end(finding: TrafficFinding, hosts: Hosts) -> End:
    """The end that the connections were opened to."""
    tally = finding.tally
    return End(tally.servers, _at(finding, tally.servers, hosts), tally.server_classes)


def listed(ranked: Ranked, most: int) -> str:
    """The first names, and the number of the others."""
    return _with_rest([name for name, _ in ranked[:most]], len(ranked))


def _at(finding: TrafficFinding, addresses: Ranked, hosts: Hosts) -> tuple[Host, ...]:
    return tuple(hosts.at(address, finding.example) for address, _ in addresses[:TOP])


def _with_rest(names: list[str], count: int) -> str:
    return f"{', '.join(names)}{f' and {count - len(names):,} more' if count > len(names) else ''}"


def _known(host: Host) -> str:
    role = f"role {host.role}" if host.role else None
    lately = None if host.described is None else f"per EC2 at {moment(host.described)}"
    known = [each for each in (host.instance, host.interface, host.subnet, role, lately) if each]
    return f" [{', '.join(known)}]" if known else ""


def _class(peer_class: PeerClass) -> str:
    return "internal" if peer_class is PeerClass.OWN else peer_class.value
