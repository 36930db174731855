"""The two ends of a finding's connections: addresses, and what is known of their hosts. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

from flowwarden.monitor.findings import TrafficFinding
from flowwarden.monitor.render.console import Console
from flowwarden.monitor.render.named_host import NamedHost
from flowwarden.monitor.render.parts import RenderContext
from flowwarden.network.addresses import PeerClass

TOP: Final = 10
"""The number of addresses or services that a notification lists; the rest is counted."""

type Ranked = tuple[tuple[str, int], ...] | list[tuple[str, int]]
"""Names with their numbers of records, most first."""


class End(Struct, frozen=True):
    """One end of the connections."""

    addresses: Ranked
    hosts: tuple[NamedHost, ...]
    """Of the addresses that are listed."""
    classes: tuple[PeerClass, ...]
    """The peer classes of all addresses."""

    @property
    def text(self) -> str:
        """`10.0.1.20 web-1, 10.0.1.21 and 3 more (internal)`."""
        names = [f"{address} {host.label}".rstrip() for address, host in self.listed]
        return f"{_with_rest(names, len(self.addresses))} ({' and '.join(map(_class, self.classes))})"

    @property
    def details(self) -> Iterator[str]:
        """The lines about the hosts that are known: two about an only host, one about each of several."""
        known = [(address, host) for address, host in self.listed if host.is_known]
        for address, host in known:
            who, place = ", ".join(host.who), ", ".join(host.place)
            if len(self.addresses) == 1:
                yield from filter(None, (who, place))
            else:
                yield f"{address}: {'; '.join(filter(None, (who, place)))}"

    @property
    def listed(self) -> list[tuple[str, NamedHost]]:
        """The addresses that are listed, each with its host."""
        return [(address, host) for (address, _), host in zip(self.addresses, self.hosts, strict=False)]

    def document(self, console: Console) -> dict[str, Any]:
        """The same for machines."""
        shown = zip(self.addresses, self.hosts, strict=False)
        return {
            "classes": [each.value for each in self.classes],
            "distinct": len(self.addresses),
            "hosts": [
                {"address": address, **host.document(console), "records": records}
                for (address, records), host in shown
            ],
        }


def from_end(finding: TrafficFinding, context: RenderContext) -> End:
    """The end that opened the connections."""
    tally = finding.tally
    return End(tally.clients, _at(finding, tally.clients, context), tally.client_classes)


def to_end(finding: TrafficFinding, context: RenderContext) -> End:
    """The end that the connections were opened to."""
    tally = finding.tally
    return End(tally.servers, _at(finding, tally.servers, context), tally.server_classes)


def listed(ranked: Ranked, most: int) -> str:
    """The first names, and the number of the others."""
    return _with_rest([name for name, _ in ranked[:most]], len(ranked))


def _at(finding: TrafficFinding, addresses: Ranked, context: RenderContext) -> tuple[NamedHost, ...]:
    hosts = (context.hosts.at(address, finding.example) for address, _ in addresses[:TOP])
    outside = PeerClass.INTERNET in finding.tally.client_classes
    return tuple(context.named_host(each, from_outside=outside) for each in hosts)


def _with_rest(names: list[str], count: int) -> str:
    return f"{', '.join(names)}{f' and {count - len(names):,} more' if count > len(names) else ''}"


def _class(peer_class: PeerClass) -> str:
    return "internal" if peer_class is PeerClass.OWN else peer_class.value
