"""Finds the names that the notifications of a batch show.

A batch describes the interfaces that logged its records. The far ends of their connections, the names of
subnets and the alias of the account are only needed by notifications, so they are looked up for these alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_address, ip_network
from itertools import islice
from typing import Final

from flowwarden.monitor.alerts import urgency
from flowwarden.monitor.caches.names import NameCache
from flowwarden.monitor.findings import Finding, InterfaceFinding, TrafficFinding
from flowwarden.monitor.names import Names, Wanted, first
from flowwarden.monitor.traffic.hosts import Hosts
from flowwarden.monitor.view import BatchView

MOST_FINDINGS: Final = 25
"""Findings of a batch, the most urgent first, whose hosts are looked up: as many as a sink is sent singly."""
MOST_ADDRESSES: Final = 10
"""Addresses at each end of a finding, of which a notification lists as many."""


def names_of(
    findings: Sequence[Finding], view: BatchView, cache: NameCache | None, time_left: Callable[[], float]
) -> Names | None:
    """The names for the findings that are sent; None if none is, or there is nothing to ask.

    A fault of this code costs the names, and not the notifications.

    Args:
        findings: of the batch.
        view: the batch.
        cache: asks AWS; None as in evaluations.
        time_left: seconds until Lambda stops the function.
    """
    if cache is None:
        return None
    try:
        needed = wanted(sorted(findings, key=urgency), view.hosts)
        return None if needed is None else cache.find(needed, view.interfaces, view.now, time_left)
    except Exception as error:  # noqa: BLE001 - the batch would fail, and after its retries so would its pages
        return cache.broken(error)


def wanted(findings: Sequence[Finding], hosts: Hosts) -> Wanted | None:
    """What the notifications about these findings need; None if there is none. The most urgent come first."""
    paging = [*islice((each for each in findings if each.severity.pages), MOST_FINDINGS)]
    if not paging:
        return None
    traffic = [each for each in paging if isinstance(each, TrafficFinding)]
    named = (name for each in paging if isinstance(each, InterfaceFinding) for name in each.interfaces)
    return Wanted(
        addresses=first(pair for each in traffic for pair in _unknown(each, hosts)),
        interfaces=first(named),
        subnets=first(subnet for each in traffic for subnet in _subnets(each, hosts)),
    )


def _ends(finding: TrafficFinding) -> Iterator[str]:
    for end in (finding.tally.clients, finding.tally.servers):
        yield from (address for address, _ in end[:MOST_ADDRESSES])


def _unknown(finding: TrafficFinding, hosts: Hosts) -> Iterator[tuple[str, str]]:
    """The ends without a description whose address is in the VPC of the interface that logged the flow.

    In another VPC, the same address can be another host.
    """
    vpc = hosts.vpc_of(finding.example)
    networks = [*map(ip_network, hosts.networks_of(finding.example))]
    for address in _ends(finding):
        if hosts.at(address, finding.example).interface is None and vpc:
            inside = any(ip_address(address) in each for each in networks)
            yield from [(vpc, address)] if inside else []


def _subnets(finding: TrafficFinding, hosts: Hosts) -> Iterator[str]:
    found = (hosts.at(address, finding.example).subnet for address in _ends(finding))
    yield from (subnet for subnet in found if subnet)
