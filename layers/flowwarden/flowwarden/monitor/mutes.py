"""Applies mutes to findings: a muted finding is counted and logged, and does not notify. Pure.

The mutes are those of the policy, and those made by command. A finding matches a mute if all members that the
mute has match. A mute never hides what it does not name: of the other ends and of the services of a finding,
all must match.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import Struct, to_builtins
from msgspec.structs import replace

from flowwarden.monitor.causes import stated_role
from flowwarden.monitor.findings import Finding, Severity, TrafficFinding
from flowwarden.monitor.traffic.hosts import Hosts
from flowwarden.network.addresses import PeerClass
from flowwarden.network.host_set import host_set
from flowwarden.network.services import Service
from flowwarden.policy.mutes import Mute
from flowwarden.policy.networks import is_network
from flowwarden.state.sets import DAY

SUGGESTED_DAYS: Final = 7
"""How long the mute that a page suggests lasts."""
TO_EDIT: Final = "write why"
"""The reason in the mute that a page suggests."""


def muted(findings: Iterable[Finding], mutes: Sequence[Mute], hosts: Hosts, now: int) -> list[Finding]:
    """The findings; those that match a mute no longer notify.

    Args:
        findings: after triage.
        mutes: of the policy, and those made by command.
        hosts: what is known of the ends of the flows.
        now: Unix seconds.
    """
    found = [*findings]
    if not mutes or not any(each.severity.pages for each in found):
        return found
    standing = [each for each in mutes if each.applies_at(now)]
    return [_muted(finding, standing, hosts) for finding in found]


def _muted(finding: Finding, mutes: Sequence[Mute], hosts: Hosts) -> Finding:
    by = (
        next((each for each in mutes if matches(each, finding, hosts)), None)
        if finding.severity.pages
        else None
    )
    return finding if by is None else replace(finding, severity=Severity.INFO, silenced=True, muted=by.reason)


def matches(mute: Mute, finding: Finding, hosts: Hosts) -> bool:
    """Whether all members of a mute match a finding."""
    if mute.detector not in {None, finding.detector}:
        return False
    if mute.subject is not None and not _is_subject(mute.subject, finding.subject):
        return False
    if {mute.peer, mute.service, mute.role, mute.vpc} == {None}:
        return True
    return isinstance(finding, TrafficFinding) and _traffic_matches(mute, finding, hosts)


def _is_subject(written: str, subject: str) -> bool:
    if written == subject:
        return True
    return is_network(written) and is_network(subject) and host_set((written,)).hold(subject)


def _traffic_matches(mute: Mute, finding: TrafficFinding, hosts: Hosts) -> bool:
    place = Place.of(finding, hosts)
    return (
        mute.role in {None, place.role}
        and mute.vpc in {None, place.vpc}
        and (mute.service is None or services_of(finding) == {Service.parse(mute.service).number})
        and (mute.peer is None or _are_peers(mute.peer, finding))
    )


class Place(Struct, frozen=True):
    """Where the subject of a finding is; '' for what is not known."""

    role: str
    vpc: str

    @classmethod
    def of(cls, finding: TrafficFinding, hosts: Hosts) -> Place:
        """The place of a finding's subject."""
        role = stated_role(finding) or hosts.at(finding.subject, finding.example).role or ""
        return cls(role, hosts.vpc_of(finding.example))


def services_of(finding: TrafficFinding) -> set[str]:
    """The services that a finding is about: its own, or all those of its traffic."""
    if finding.service is not None:
        return {finding.service.number}
    return {Service(*each).number for each, _ in finding.tally.services}


def _are_peers(written: str, finding: TrafficFinding) -> bool:
    """Whether the other ends are all in a network, or the finding is about their class."""
    if written in [*PeerClass]:
        return finding.peer_class == written
    return all(map(host_set((written,)).hold, peers_of(finding)))


def peers_of(finding: TrafficFinding) -> list[str]:
    """The addresses at the other ends; at both ends, if the subject is not an address at one of them."""
    clients, servers = (
        [address for address, _ in each] for each in (finding.tally.clients, finding.tally.servers)
    )
    if finding.subject == finding.example.client:
        return servers
    return clients if finding.subject == finding.example.server else [*clients, *servers]


def suggested(finding: Finding, hosts: Hosts, now: int) -> dict[str, Any]:
    """The mute that matches this finding and its repeats, and as little else as possible, as a JSON object.

    Args:
        finding: one that notifies.
        hosts: what is known of the ends of its flows.
        now: Unix seconds.
    """
    until = datetime.fromtimestamp(now + SUGGESTED_DAYS * DAY, UTC).date().isoformat()
    mute = Mute(**suggested_match(finding, hosts), until=until, reason=TO_EDIT)
    document: dict[str, Any] = to_builtins(mute)
    return document


def suggested_match(finding: Finding, hosts: Hosts) -> dict[str, str]:
    """What that mute matches: its members without `until` and `reason`."""
    found = {"detector": finding.detector, "subject": finding.subject}
    if isinstance(finding, TrafficFinding):
        service = finding.service.number if finding.service else None
        vpc = Place.of(finding, hosts).vpc or None
        more = {"peer": finding.peer_class.value, "service": service, "vpc": vpc}
        found |= {name: each for name, each in more.items() if each is not None}
    return found
