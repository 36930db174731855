"""Causes that several findings share: they are one incident, with one page that lists them. Pure.

Only the role at the end that logged the flows counts: every container knows it, so that each has the same
incidents. The findings of a host without a known role join nothing.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.monitor.baseline.peers import network_of
from flowwarden.monitor.findings import TrafficFinding
from flowwarden.monitor.traffic.hosts import Hosts
from flowwarden.monitor.traffic.selection import logged_by
from flowwarden.network.roles import UNKNOWN
from flowwarden.network.services import ADMIN_PORTS
from flowwarden.printable import one_line
from flowwarden.records.model import FlowDirection

MOST_NETWORKS: Final = 10
"""Maximum number of networks of a finding that are recorded as reported."""
MOST_READ: Final = 64
"""Maximum number of addresses of a finding whose networks are determined, those with most records first."""
LONGEST_MEMBER: Final = 64
"""Maximum characters of a member. A subnet id comes from a log line, so it may be any text of any length."""


class Shares(StrEnum):
    """What findings of a detector must have in common to be one incident."""

    NOTHING = "nothing: each subject is an incident of its own"
    RULES = (
        "the rules that refuse: inbound ones of a role at a service, or outbound ones of a role; the clients "
        "are their victims"
    )
    ROLE = "the role: what its rules deny is one change of its rules"
    NETWORK_ACL = "the VPC and the direction of the rules: a network ACL has several subnets"
    SERVICE = "the role, and the only service that its hosts try, unless that is remote administration"
    CLIENTS = "the role, the service, and a network of the clients"
    DESTINATION = "the role, and a network and service that its hosts connect to"


class Cause(Struct, frozen=True):
    """The cause of a finding, equal for all findings of the incident."""

    identity: tuple[str, ...]
    """The VPC, and what distinguishes it from other causes there."""
    what: str
    """The cause in words, with what this finding shows of it; the members are listed after it."""
    members: tuple[str, ...]
    """The hosts, services or subnets that this finding adds to the incident."""
    places: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    strict: bool = False
    """`places`, `asks` and `strict` go into `Evidence`, which explains them; `asks` is one of its groups."""
    ordinary: bool = True
    """Whether an ordinary change of a role can look like the finding."""


def cause_of(finding: TrafficFinding, shares: Shares, hosts: Hosts) -> Cause | None:
    """The cause of a finding that other findings can share; None if it is an incident of its own.

    Args:
        finding: the finding.
        shares: what its detector's findings must have in common.
        hosts: what is known of the ends of its flows.
    """
    vpc, found = hosts.vpc_of(finding.example), _within_vpc(finding, shares, hosts)
    # Without a VPC, each subnet may be in another one.
    if found is None or (not vpc and shares is Shares.NETWORK_ACL):
        return None
    return replace(found, identity=(vpc, *found.identity))


def _within_vpc(finding: TrafficFinding, shares: Shares, hosts: Hosts) -> Cause | None:
    match shares:
        case Shares.NOTHING:
            return None
        case Shares.RULES:
            return _rules(finding, hosts)
        case Shares.NETWORK_ACL:
            return _network_acl(finding)
        case Shares.ROLE:
            return _denied(finding)
    role = role_of(finding, hosts)
    return _at_role(finding, shares, role) if role else None


def role_of(finding: TrafficFinding, hosts: Hosts) -> str:
    """The role whose hosts can share the cause of a finding; '' if it is unknown."""
    role = _stated_role(finding, hosts)
    return role if role and role != UNKNOWN else ""


def stated_role(finding: TrafficFinding) -> str | None:
    """The role in the facts, '' if the finding does not depend on one; None if the facts have none."""
    role: str | None = getattr(finding.facts, "role", None)
    return role


def _stated_role(finding: TrafficFinding, hosts: Hosts) -> str | None:
    """The role that the facts state, '' if the finding does not depend on one; else that of the subject."""
    stated = stated_role(finding)
    return _role(finding, finding.subject, hosts) if stated is None else stated


def _role(finding: TrafficFinding, address: str, hosts: Hosts) -> str | None:
    """The role at an end, if it logged the flows."""
    return hosts.at(address, finding.example).role if logged_by(finding.example, address) else None


def _rules(finding: TrafficFinding, hosts: Hosts) -> Cause | None:
    """The rules of the role that logged the REJECTs; the clients are the members."""
    example, service = finding.example, finding.main_service
    clients = tuple(name for name, _ in finding.tally.clients)
    if example.side is FlowDirection.INGRESS and (role := _role(finding, example.server, hosts)):
        identity = "inbound", role, service.identity
        return Cause(identity, f"the inbound rules of {role} refuse {service}; victims", clients)
    if example.side is FlowDirection.EGRESS and (role := _role(finding, example.client, hosts)):
        victims = tuple(f"{each} ({service.number})" for each in clients)
        return Cause(("outbound", role), f"the outbound rules of {role} refuse its hosts; victims", victims)
    return None


def _network_acl(finding: TrafficFinding) -> Cause:
    subnet = one_line(finding.subject, LONGEST_MEMBER)
    return Cause((finding.aspect,), f"a network ACL denies {finding.aspect} replies; subnets", (subnet,))


def _denied(finding: TrafficFinding) -> Cause:
    """The outbound rules of the subject, which is a role, or a host without a known role."""
    service = finding.service.number if finding.service else "several services"
    where = finding.peer_class.value
    what = f"the outbound rules of {finding.subject} deny services"
    return Cause((finding.subject,), what, (f"{service} ({where})",))


def _at_role(finding: TrafficFinding, shares: Shares, role: str) -> Cause:
    """The behavior of a role's hosts; another host joins if it does what was reported about them."""
    service, host = finding.service, (finding.subject,)
    identity = role, finding.peer_class.value, *((service.identity,) if service else ())
    match shares:
        case Shares.CLIENTS:
            places = _networks(finding.tally.clients)
            what = f"clients in {places[0]} reach hosts of {role}"
        case Shares.DESTINATION:
            networks = _destinations(finding)
            places = tuple(f"{each} {finding.main_service.identity}" for each in networks)
            what = f"hosts of {role} connect to {networks[0]} ({finding.main_service.number})"
            # What many hosts do can be ordinary; that one of them goes elsewhere, too, must not hide in it.
            return Cause(identity, what, host, places, (*places[:1], *host), strict=True)
        case _:
            alone = _only_service(finding)
            one = len(finding.tally.services) == 1
            tried = f"only {finding.main_service.number}" if one else "several services"
            what = f"hosts of {role} try {tried}"
            # A host that was reported for several services may use any further one in the same incident.
            asks = (*alone, *host)
            return Cause(identity, what, host, alone or host, asks, strict=True, ordinary=bool(alone))
    return Cause(identity, what, host, places, places[:1])


def _only_service(finding: TrafficFinding) -> tuple[str, ...]:
    """The service, if it is the only one and no remote administration."""
    service = finding.main_service
    alone = len(finding.tally.services) == 1 and service.port not in ADMIN_PORTS
    return (service.identity,) if alone else ()


def _destinations(finding: TrafficFinding) -> tuple[str, ...]:
    """The networks of the servers; the one that most bytes went to first, if the finding shows it."""
    first = (network_of(finding.mostly),) if finding.mostly else ()
    return tuple(dict.fromkeys((*first, *_networks(finding.tally.servers))))


def _networks(addresses: tuple[tuple[str, int], ...]) -> tuple[str, ...]:
    """Their networks, the one with most records first."""
    return tuple(dict.fromkeys(network_of(each) for each, _ in addresses[:MOST_READ]))[:MOST_NETWORKS]
