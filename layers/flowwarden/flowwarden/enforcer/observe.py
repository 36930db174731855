"""One look at the account: everything that plans are made from, with as few calls as there are pages.

VPCs, flow logs and network interfaces are listed in bulk, a thousand a page, and the instances that run where
interfaces belong to any; subnets only where a subnet or an interface has a flow log of its own. Who wrote
into a log group is one read of the state table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from msgspec import Struct

from flowwarden.enforcer.decide.delivery import slots
from flowwarden.enforcer.decide.destination import LogDestinations, destinations_of
from flowwarden.enforcer.decide.drift import is_own, log_group_of
from flowwarden.enforcer.ports import FlowLogService
from flowwarden.enforcer.reporting.report import Remediation
from flowwarden.enforcer.state.interface_activity import has_instance, judged
from flowwarden.enforcer.state.inventory import FlowLog, Unread, Vpc, VpcResources, by_vpc
from flowwarden.enforcer.state.stack import Stack
from flowwarden.errors import CallFailed, CallRefused, StateUnavailable
from flowwarden.network.interface import NetworkInterface
from flowwarden.state import heartbeats
from flowwarden.state.ports import EvidenceStore

NAMED_AT_MOST: Final = 200
"""VPCs beyond which all of them are listed: EC2 takes no more names in a call."""

UNREAD_NAMED: Final = 5
"""Descriptions that could not be read and are named, of each call; the rest is counted."""
UNTOLD: Final = (
    "nobody can tell which of them run, so no flow log that watches only these is said to be silent"
)


class Observed(Struct, frozen=True, kw_only=True):
    """What was seen."""

    vpcs: tuple[Vpc, ...]
    parts: Mapping[str, VpcResources]
    places: LogDestinations
    """What is written where, by flow logs of any VPC."""
    groups: frozenset[str]
    """Log groups of the stack that flow logs write into."""
    ours: frozenset[str]
    """Those of them that the stack's own flow logs write into."""
    seen: Mapping[str, Mapping[int, AbstractSet[int]]]
    """By log group and slot: the interfaces that wrote."""
    troubles: tuple[Remediation, ...] = ()
    """What could not be seen, though the rest could."""


class Observer:
    """Looks at the account."""

    def __init__(self, ec2: FlowLogService, evidence: EvidenceStore, stack: Stack) -> None:
        self._ec2 = ec2
        self._evidence = evidence
        self._stack = stack

    def at(
        self,
        vpc_ids: Sequence[str] | None,
        now: int,
        *,
        without: Sequence[str] = (),
    ) -> Observed:
        """Look at these VPCs, or at all for None.

        Args:
            vpc_ids: which VPCs; those that do not exist are left out.
            now: Unix seconds.
            without: flow logs that are deleted, which EC2 may list for a while: their VPC would pass for
                covered.

        Raises:
            CallRefused, CallFailed, CallThrottled: something could not be listed, so nothing can be said.
        """
        self._ec2.unread()  # what earlier runs left out they have told
        named = vpc_ids if vpc_ids is not None and len(vpc_ids) <= NAMED_AT_MOST else None
        vpcs = [each for each in self._ec2.vpcs(named) if vpc_ids is None or each.vpc_id in set(vpc_ids)]
        # All of them, whoever is looked at: which formats a log group holds depends on all.
        flow_logs = [each for each in self._ec2.flow_logs(None) if each.flow_log_id not in without]
        interfaces, troubles = self._interfaces(named)
        parted = any(not each.resource_id.startswith("vpc-") for each in flow_logs)
        subnets = list(self._ec2.subnets(named)) if parted else []
        groups = self._groups(flow_logs)
        troubles = (*troubles, *_left_out(self._ec2.unread()))
        return Observed(
            vpcs=tuple(sorted(vpcs, key=lambda vpc: vpc.vpc_id)),
            parts=by_vpc(subnets, interfaces, flow_logs),
            places=destinations_of(flow_logs, self._stack),
            groups=groups,
            ours=self._groups(each for each in flow_logs if is_own(each, self._stack)),
            seen={group: self._seen(group, now) for group in sorted(groups)} if interfaces else {},
            troubles=troubles,
        )

    def again(self, vpc_id: str) -> list[FlowLog]:
        """The flow logs of a VPC itself, as they are now."""
        return list(self._ec2.flow_logs([vpc_id]))

    def _interfaces(
        self, named: Sequence[str] | None
    ) -> tuple[list[NetworkInterface], tuple[Remediation, ...]]:
        """The interfaces, with whether they are active; and what nobody could tell."""
        found = list(self._ec2.interfaces(named))
        attached = sorted({each.instance_id for each in found if has_instance(each)})
        if not attached:
            return found, ()
        asked = attached if named is not None and len(attached) <= NAMED_AT_MOST else None
        running: Mapping[str, int | None] | None = None
        troubles: tuple[Remediation, ...] = ()
        try:
            running = dict(self._ec2.running(asked))
        except (CallRefused, CallFailed) as error:
            troubles = (Remediation(subject="EC2 instances", what=f"{UNTOLD}: {error}", done=False),)
        return list(judged(found, running, self._stack.account_id)), troubles

    def _groups(self, flow_logs: Iterable[FlowLog]) -> frozenset[str]:
        told = {log_group_of(each, self._stack) for each in flow_logs}
        return frozenset(each for each in told if each is not None and self._stack.keeps(each))

    def _seen(self, group: str, now: int) -> Mapping[int, AbstractSet[int]]:
        wanted = heartbeats.keys(group, slots(now))
        try:
            return heartbeats.seen(wanted, self._evidence.read(list(wanted)))
        except StateUnavailable:
            # Nothing is known, so nothing is proven: what would be deleted stays.
            return {}


def _left_out(unread: Iterable[Unread]) -> Iterator[Remediation]:
    """What people are told of descriptions that could not be read; the rest of the account was looked at."""
    by_call: dict[str, list[str]] = {}
    for each in unread:
        by_call.setdefault(each.call, []).append(each.what)
    for call, found in by_call.items():
        named = ", ".join(found[:UNREAD_NAMED])
        more = f" and {len(found) - UNREAD_NAMED} more" if len(found) > UNREAD_NAMED else ""
        what = (
            f"left out, because EC2's description cannot be read: {named}{more}; look at their VPCs yourself"
        )
        yield Remediation(subject=call, what=what, done=False)
