"""Acting hosts: what one internal host does is one incident, whichever detectors report it. Pure.

An incident about a host contains the findings that show its behavior, of any detector, batch and container.
Different kinds of behavior by one host are graver together (`COMBINES`). Findings that an ordinary change of
a role can explain belong to the role's incident first, see `causes`, until something else shows that the host
acts alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec import Struct

from flowwarden.monitor.behavior import Behavior
from flowwarden.monitor.causes import Cause, Shares, role_of
from flowwarden.monitor.detectors import BY_NAME
from flowwarden.monitor.findings import Finding, Severity, TrafficFinding, vpc_of
from flowwarden.monitor.render.incident_key import account_of
from flowwarden.monitor.traffic.hosts import Hosts
from flowwarden.network.addresses import PeerClass
from flowwarden.records.model import FlowDirection

COMBINES: Final = Severity.HIGH
"""Two or more kinds of behavior of one host are critical if one of them has this severity."""


HOSTS_OF_CHANGE: Final = 3
"""Hosts of a role that do the same, from which on a change of the role is its cause."""


class Place(NamedTuple):
    """An acting host: its address is unique in a VPC of an account."""

    account: str
    vpc: str
    host: str


class Act(NamedTuple):
    """What a detector reported that a host did."""

    detector: str
    behavior: Behavior

    @property
    def severity(self) -> Severity:
        """That of the detector."""
        return BY_NAME[self.detector].severity


class Past(Struct, frozen=True):
    """What earlier batches reported about a host."""

    acts: Mapping[Act, int] = {}
    """With the first hour in which each was reported, as Unix seconds of its beginning."""
    own: bool = False
    """Whether the host has an incident of its own."""
    of_role: frozenset[Behavior] = frozenset()
    """What `HOSTS_OF_CHANGE` hosts of its role did, or more, as part of the role's incidents."""


class Shown(NamedTuple):
    """A finding that shows what a host does."""

    act: Act
    cause: Cause | None


NOTHING: Final = Past()


def behavior_of(finding: Finding) -> Behavior | None:
    """The behavior of the acting host that a finding shows; None if it shows none."""
    shows = BY_NAME[finding.detector].behavior
    return shows(finding) if shows is not None and isinstance(finding, TrafficFinding) else None


def may_explain(inhibitor: Finding, finding: Finding) -> bool:
    """Whether a finding may inhibit another.

    Not if both show behavior of another kind, which is graver, nor if the rules that it is about cannot have
    rejected the flows of the other.
    """
    if denies_one_way(inhibitor.detector) and side_of(inhibitor) is not side_of(finding):
        return False
    both = behavior_of(inhibitor), behavior_of(finding)
    return None in both or both[0] is both[1]


def denies_one_way(detector: str) -> bool:
    """Whether findings of a detector are about the inbound or the outbound rules of a network ACL alone."""
    return BY_NAME[detector].shares is Shares.NETWORK_ACL


def side_of(finding: Finding) -> FlowDirection | None:
    """The side at which the flows of a finding were logged: outbound rules reject only what is sent there."""
    return finding.example.side if isinstance(finding, TrafficFinding) else None


def acting_host(finding: Finding) -> str:
    """The internal host that does what a finding shows; '' if there is none, or more than one.

    The subject of some findings is a role: these show a host if they show only one.
    """
    if not isinstance(finding, TrafficFinding) or behavior_of(finding) is None:
        return ""
    if finding.example.client_class is not PeerClass.OWN:
        return ""
    if finding.subject == finding.example.client:
        return finding.subject
    clients = finding.tally.clients
    return clients[0][0] if len(clients) == 1 else ""


def place_of(finding: Finding, owner: str) -> Place | None:
    """The acting host of a finding that notifies; None if it has none. `owner` is the batch's account."""
    host = acting_host(finding) if finding.severity.pages else ""
    return Place(account_of(finding) or owner, vpc_of(finding), host) if host else None


def act_of(finding: Finding) -> Act | None:
    """What a finding shows that a host does; None if it shows none."""
    behavior = behavior_of(finding)
    return Act(finding.detector, behavior) if behavior else None


def own_incidents(
    findings: Iterable[tuple[Finding, Cause | None]], past: Mapping[Place, Past], owner: str
) -> dict[Place, Past]:
    """The hosts with an incident of their own, with what earlier batches reported about them.

    Args:
        findings: those of a batch, each with its cause.
        past: what earlier batches reported.
        owner: the account of the batch.
    """
    shown: defaultdict[Place, list[Shown]] = defaultdict(list)
    for finding, cause in findings:
        place, act = place_of(finding, owner), act_of(finding)
        if place and act:
            # The subject of a finding without a cause may be a role, which shares by being the subject.
            is_of_role = finding.subject != place.host
            shown[place].append(Shown(act, Cause((), "", ()) if is_of_role else cause))
    known = {place: past.get(place, NOTHING) for place in shown}
    return {place: known[place] for place, some in shown.items() if _acts_alone(some, known[place])}


def acting_for_role(
    findings: Iterable[TrafficFinding], own: Collection[Place], hosts: Hosts, owner: str
) -> Iterator[tuple[TrafficFinding, str]]:
    """The findings about hosts that act as part of their role's incident, with the roles."""
    for finding in findings:
        place, role = place_of(finding, owner), role_of(finding, hosts)
        if place and role and place not in own:
            yield finding, role


def _acts_alone(shown: Sequence[Shown], past: Past) -> bool:
    """Whether a host has an incident of its own.

    It has one if it had one, if it shows different behavior, or if no change of its role can look like what
    it does. What was reported in the role's incident goes on there, and is no different behavior of the host
    if its role did it.
    """
    before = {each.behavior for each in past.acts}
    kinds = before.union(each.act.behavior for each in shown) - past.of_role
    if past.own or len(kinds) > 1:
        return True
    return any(
        each.cause is None or not (each.cause.ordinary or each.act.behavior in before) for each in shown
    )
