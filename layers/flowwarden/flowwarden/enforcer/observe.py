"""Observes the account: all inputs of the plans, with one API call per result page.

VPCs, flow logs and network interfaces are listed in bulk, a thousand per page. Running instances are listed
only if interfaces belong to instances, subnets only if flow logs of subnets or interfaces are concerned, and
transit gateways only if the policy selects some.
One read of the state table returns which interfaces wrote into a log group.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

from msgspec import Struct

from flowwarden.enforcer.decide.delivery import slots
from flowwarden.enforcer.decide.destination import LogDestinations, destinations_of
from flowwarden.enforcer.decide.drift import is_tagged, log_group_of
from flowwarden.enforcer.decide.subscriptions import Reading
from flowwarden.enforcer.gateways import Gateways, gateways_of
from flowwarden.enforcer.ports import Listings
from flowwarden.enforcer.registry import Registry
from flowwarden.enforcer.reporting.report import Remediation
from flowwarden.enforcer.state.interface_activity import has_instance, judged
from flowwarden.enforcer.state.inventory import FlowLog, Subnet, Unread, Vpc, VpcResources, by_vpc
from flowwarden.enforcer.state.stack import Stack
from flowwarden.errors import EnforcementError, StateUnavailable
from flowwarden.network.interface import NetworkInterface
from flowwarden.policy.transit_gateways import is_gateway
from flowwarden.state import heartbeats
from flowwarden.state.ports import EvidenceStore

NAMED_AT_MOST: Final = 200
"""With more names than this, everything is listed: EC2 accepts no more names in a call."""

UNREAD_NAMED: Final = 5
"""Unreadable descriptions that are named for each call; the rest is counted."""
COMPLETE_CALLS: Final = ("DescribeVpcs", "DescribeFlowLogs", "DescribeTransitGateways")
"""The calls whose unreadable items could be mistaken for deleted ones."""
PART_CALLS: Final = ("DescribeSubnets", "DescribeNetworkInterfaces")
"""The calls whose unreadable items could be mistaken for deleted parts of VPCs."""
UNKNOWN_INSTANCES: Final = (
    "cannot determine which instances run, so a flow log that records only these is never reported as silent"
)


class Observed(Struct, frozen=True, kw_only=True):
    """The observed state of the account."""

    vpcs: tuple[Vpc, ...]
    """The VPCs, and the transit gateways if they were listed."""
    resources: Mapping[str, VpcResources]
    """By VPC."""
    destinations: LogDestinations
    """What flow logs of any VPC write to each destination."""
    log_groups: frozenset[str]
    """Log groups of the stack that flow logs write into."""
    managed_groups: frozenset[str]
    """Those of them that managed flow logs write into."""
    listed: tuple[FlowLog, ...]
    """All flow logs that EC2 lists, even deleted ones."""
    complete: bool
    """Whether the descriptions of all VPCs and all flow logs could be read."""
    unread_flow_logs: frozenset[str] = frozenset()
    """Flow logs whose descriptions could not be read; '' stands for one with an unknown id."""
    seen: Mapping[str, Mapping[int, AbstractSet[int]]]
    """By log group and slot: the interfaces that wrote."""
    unreadable: tuple[Remediation, ...] = ()
    """What could not be read, while the rest could."""
    unlisted: Mapping[str | None, EnforcementError] = {}
    """VPCs that are left out, because EC2 does not answer about them; None stands for an unknown number.
    Transit gateways have their own: see `all_unlisted`."""
    parts: frozenset[str] | None = None
    """The ids of all subnets and interfaces; None if some were not read."""
    gateways: Gateways = Gateways()
    """How the listing of transit gateways went."""
    reading: Reading = Reading()
    """The existing log groups that the monitor reads."""

    def is_listable(self, flow_log_id: str, vpc_id: str) -> bool:
        """Whether a flow log would be listed if it existed, so that one that is not listed was deleted.

        If something could not be read, this is known only for VPCs that were read with all their flow logs.
        """
        if self.complete:
            return True
        read = any(each.vpc_id == vpc_id for each in self.vpcs)
        return read and not self.unread_flow_logs & {flow_log_id, ""}

    @property
    def all_unlisted(self) -> Mapping[str | None, EnforcementError]:
        """VPCs and transit gateways that are left out."""
        return {**self.gateways.unlisted, **self.unlisted}

    def lacks_vpc(self, vpc_id: str) -> bool:
        """Whether a VPC or a transit gateway no longer exists. Only complete listings say so."""
        unknown = not vpc_id or (is_gateway(vpc_id) and not self.gateways.listed)
        return not unknown and all(each.vpc_id != vpc_id for each in self.vpcs)

    def lacks(self, resource_ids: Sequence[str]) -> bool:
        """Whether these are subnets and interfaces that no longer exist."""
        kinds = {each.partition("-")[0] for each in resource_ids}
        return (
            bool(kinds)
            and kinds <= {"subnet", "eni"}
            and self.parts is not None
            and (self.parts.isdisjoint(resource_ids))
        )


def observe(
    ec2: Listings,
    evidence: EvidenceStore,
    registry: Registry,
    stack: Stack,
    vpc_ids: Sequence[str] | None,
    now: int,
) -> Observed:
    """Observe these VPCs, or all of them for None.

    Args:
        ec2: EC2 in the account and region.
        evidence: what the monitor stored.
        registry: which flow logs are recorded, and which are deleted, although EC2 may still list them.
        stack: the stack that decides which flow logs and log groups are managed.
        vpc_ids: the VPCs; those that do not exist are left out.
        now: Unix seconds.

    Raises:
        CallRefused, CallFailed, CallThrottled: a listing failed, so the state is unknown.
    """
    named, vpcs = _vpcs(ec2, vpc_ids)
    gateways = gateways_of(ec2, registry, stack, vpc_ids)
    listed = registry.marked(ec2.flow_logs(None))  # all: the formats of a log group depend on all of them
    flow_logs = [each for each in listed if not registry.is_gone(each.flow_log_id, now)]
    interfaces, unknown = _interfaces(ec2, stack, named)
    subnets = list(ec2.subnets(named)) if _is_parted(flow_logs, registry, stack) else None
    unread = ec2.unread()
    return Observed(
        vpcs=(*gateways.found, *vpcs),
        gateways=gateways,
        resources=by_vpc(subnets or (), interfaces, flow_logs),
        destinations=destinations_of(flow_logs, stack),
        **_own_groups(flow_logs, stack),
        listed=tuple(listed),
        **_completeness(unread),
        seen=seen_in(evidence, _groups(flow_logs, stack), now) if interfaces else {},
        parts=_parts(subnets, interfaces, unread),
        unreadable=(*unknown, *gateways.problems, *_left_out(unread)),
    )


def _vpcs(ec2: Listings, vpc_ids: Sequence[str] | None) -> tuple[Sequence[str] | None, tuple[Vpc, ...]]:
    """The VPCs to name in calls, None to list all of them; and the wanted VPCs, in order."""
    ec2.unread()  # discard what earlier runs left out; their reports contain it
    vpc_ids = None if vpc_ids is None else [each for each in vpc_ids if not is_gateway(each)]
    wanted = None if vpc_ids is None else set(vpc_ids)
    named = vpc_ids if vpc_ids is not None and len(vpc_ids) <= NAMED_AT_MOST else None
    found = (each for each in ec2.vpcs(named) if wanted is None or each.vpc_id in wanted)
    return named, tuple(sorted(found, key=lambda vpc: vpc.vpc_id))


def _completeness(unread: Sequence[Unread]) -> dict[str, Any]:
    """The members of `Observed` that say whether VPCs and flow logs could be read."""
    flow_logs = frozenset(each.item_id for each in unread if each.call == "DescribeFlowLogs")
    complete = not any(each.call in COMPLETE_CALLS for each in unread)
    return {"complete": complete, "unread_flow_logs": flow_logs}


def _parts(
    subnets: Iterable[Subnet] | None, interfaces: Iterable[NetworkInterface], unread: Iterable[Unread]
) -> frozenset[str] | None:
    if subnets is None or any(each.call in PART_CALLS for each in unread):
        return None
    return frozenset((*(each.subnet_id for each in subnets), *(each.interface_id for each in interfaces)))


def _is_parted(flow_logs: Iterable[FlowLog], registry: Registry, stack: Stack) -> bool:
    """Whether a subnet or an interface has its own flow log, had a managed one, or needs one."""
    found = any(each.resource_id.startswith(("subnet-", "eni-")) for each in flow_logs)
    return found or registry.has_parts or stack.lists_parts


def _interfaces(
    ec2: Listings, stack: Stack, named: Sequence[str] | None
) -> tuple[list[NetworkInterface], tuple[Remediation, ...]]:
    """The interfaces with their activity, and a report if the activity of some is unknown."""
    found = list(ec2.interfaces(named))
    attached = sorted({each.instance_id for each in found if has_instance(each)})
    if not attached:
        return found, ()
    asked = attached if named is not None and len(attached) <= NAMED_AT_MOST else None
    running: Mapping[str, int | None] | None = None
    unknown: tuple[Remediation, ...] = ()
    try:
        running = dict(ec2.running(asked))
    except EnforcementError as error:
        unknown = (
            Remediation(resource="EC2 instances", summary=f"{UNKNOWN_INSTANCES}: {error}", applied=False),
        )
    return list(judged(found, running, stack.account_id)), unknown


def _own_groups(flow_logs: Sequence[FlowLog], stack: Stack) -> dict[str, Any]:
    """The members of `Observed` about log groups of the stack."""
    managed = (each for each in flow_logs if is_tagged(each, stack))
    return {"log_groups": _groups(flow_logs, stack), "managed_groups": _groups(managed, stack)}


def _groups(flow_logs: Iterable[FlowLog], stack: Stack) -> frozenset[str]:
    named = {log_group_of(each, stack) for each in flow_logs}
    return frozenset(each for each in named if each is not None and stack.keeps(each))


def seen_in(
    evidence: EvidenceStore, groups: Iterable[str], now: int
) -> dict[str, Mapping[int, AbstractSet[int]]]:
    """The interfaces that wrote into each log group, by slot; no slot if the state table does not answer.

    Costs one read for all groups.
    """
    names, wanted = sorted(groups), heartbeats.keys(slots(now))
    try:
        items = evidence.read([*wanted]) if names else {}
    except StateUnavailable:
        # Without this evidence nothing is verified, so nothing is deleted.
        return {group: {} for group in names}
    return {group: heartbeats.seen(wanted, items, group) for group in names}


def _left_out(unread: Iterable[Unread]) -> list[Remediation]:
    """Report entries for unreadable descriptions; the rest of the account was observed."""
    by_call: dict[str, list[str]] = {}
    for each in unread:
        by_call.setdefault(each.call, []).append(each.what)
    return [_left_out_of(call, found) for call, found in by_call.items()]


def _left_out_of(call: str, found: Sequence[str]) -> Remediation:
    named = ", ".join(found[:UNREAD_NAMED])
    more = f" and {len(found) - UNREAD_NAMED} more" if len(found) > UNREAD_NAMED else ""
    what = "EC2's description cannot be read and was skipped, wholly or in part"
    summary = f"{what}: {named}{more}; check their VPCs manually"
    return Remediation(resource=call, summary=summary, applied=False)
