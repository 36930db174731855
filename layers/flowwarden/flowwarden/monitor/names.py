"""The names that a notification shows, and which of them must be looked up for it. Pure.

A batch describes the interfaces that logged its records. The far ends of their connections, the names of
subnets and the alias of the account are only needed by notifications, so they are looked up for these alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_address, ip_network
from itertools import islice
from typing import Final

from msgspec import Struct

from flowwarden.monitor.findings import Finding, InterfaceFinding, TrafficFinding
from flowwarden.monitor.traffic.hosts import Described, Hosts
from flowwarden.network.interface import NetworkInterface

MOST_FINDINGS: Final = 25
"""Findings of a batch, the most urgent first, whose hosts are looked up: as many as a sink is sent singly."""
MOST_ADDRESSES: Final = 10
"""Addresses at each end of a finding, of which a notification lists as many."""
MOST_LOOKED_UP: Final = 200
"""Addresses, subnets and interfaces that a batch looks up: EC2's limit for the values of one filter."""


class Names(Struct, frozen=True, kw_only=True):
    """What was found."""

    aliases: Mapping[str, str] = {}
    """The alias of an account by its id."""
    subnets: Mapping[str, str] = {}
    """The names of subnets by their ids, of those that have one."""
    interfaces: Mapping[str, NetworkInterface] = {}
    """The interfaces that findings name, by their ids."""
    hosts: Mapping[tuple[str, str], Described] = {}
    """The interfaces at the far ends, by VPC and address."""
    unavailable: str = ""
    """Why some of it could not be found: `DescribeSubnets: RequestLimitExceeded`; '' if AWS answered."""


class Wanted(Struct, frozen=True, kw_only=True):
    """What has to be looked up."""

    addresses: tuple[tuple[str, str], ...] = ()
    """Addresses at far ends, each after its VPC."""
    interfaces: tuple[str, ...] = ()
    """Ids of interfaces that findings name."""
    subnets: tuple[str, ...] = ()
    """Ids of the subnets of hosts that are known."""


def wanted(findings: Sequence[Finding], hosts: Hosts) -> Wanted | None:
    """What the notifications about these findings need; None if there is none. The most urgent come first."""
    paging = [*islice((each for each in findings if each.severity.pages), MOST_FINDINGS)]
    if not paging:
        return None
    traffic = [each for each in paging if isinstance(each, TrafficFinding)]
    named = (name for each in paging if isinstance(each, InterfaceFinding) for name in each.interfaces)
    return Wanted(
        addresses=_first(pair for each in traffic for pair in _unknown(each, hosts)),
        interfaces=_first(named),
        subnets=_first(subnet for each in traffic for subnet in _subnets(each, hosts)),
    )


def subnets_of(interfaces: Iterable[NetworkInterface]) -> tuple[str, ...]:
    """The subnets of interfaces, without duplicates."""
    return _first(each.subnet_id for each in interfaces if each.subnet_id)


def _first[T](several: Iterable[T]) -> tuple[T, ...]:
    return tuple(islice(dict.fromkeys(several), MOST_LOOKED_UP))


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
