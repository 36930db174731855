"""Reads changes of rules from CloudTrail: calls that change security groups, network ACLs or routes. Pure.

The monitor names them on pages about rejections. The parts of an event are what its caller wrote: an id must
have the form of an id, and every text is shortened.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from flowwarden.enforcer.state.stack import Stack
from flowwarden.enforcer.triggers.cloudtrail import as_list, caller_of, mapping, text
from flowwarden.enforcer.triggers.trigger import API_CALL, EC2, unix_seconds, unwrapped, why_ignored
from flowwarden.printable import one_line
from flowwarden.state.rule_changes import LONGEST, ROUTES, RuleChange
from flowwarden.state.sets import DAY
from flowwarden.unreadable import CLOCKS

MOST_PARTS: Final = 4
"""Permissions, far ends and ids that a change names; the others are counted."""
_ID: Final = re.compile(r"(sg|acl|eni|i|pl|rtb)-[0-9a-f]{8,32}")
_CALL_ID: Final = re.compile(r"[0-9A-Za-z-]{1,64}")

type _Request = Mapping[str, Any]


def changes_of(event: object, stack: Stack, now: int) -> tuple[RuleChange, ...]:
    """The change that an EventBridge event reports; () if it reports none.

    Args:
        event: the event that the function was invoked with.
        stack: the stack; calls in other accounts or Regions are no changes of its rules.
        now: Unix seconds; a change of another day is not remembered.
    """
    whole = mapping(event)
    detail = mapping(whole.get("detail"))
    name = text(detail.get("eventName"))
    if whole.get("detail-type") != API_CALL or detail.get("eventSource") != EC2 or name not in RULE_CALLS:
        return ()
    if why_ignored(detail, name, stack):
        return ()
    at = unix_seconds(detail.get("eventTime")) or unix_seconds(whole.get("time"))
    resource, what, destination = RULE_CALLS[name](unwrapped(detail, "requestParameters", "Request"))
    if not resource or at is None or not now - DAY < at <= now + CLOCKS:
        return ()
    caller = caller_of(detail)
    found = RuleChange(
        resource=resource,
        call=name,
        call_id=caller.event_id if _CALL_ID.fullmatch(caller.event_id) else "unknown",
        at=at,
        actor=one_line(caller.actor, LONGEST),
        what=one_line(what, LONGEST),
        destination=destination,
    )
    return (found,)


def _of_group(request: _Request) -> tuple[str, str, str]:
    permissions = _items(request.get("ipPermissions"))
    named = [_permission(each) for each in permissions]
    named += [text(each.get("securityGroupRuleId")) for each in _items(request.get("securityGroupRuleIds"))]
    return _id(request, "groupId"), _several(named), ""


def _of_rules(request: _Request) -> tuple[str, str, str]:
    """ModifySecurityGroupRules, whose members begin with capitals."""
    changed = [mapping(each) for each in as_list(request.get("SecurityGroupRule"))]
    return _id(request, "GroupId"), _several([text(each.get("SecurityGroupRuleId")) for each in changed]), ""


def _of_acl(request: _Request) -> tuple[str, str, str]:
    if "ruleNumber" not in request:
        return _id(request, "networkAclId"), text(request.get("associationId")), ""
    way = "outbound" if request.get("egress") is True else "inbound"
    ports = mapping(request.get("portRange"))
    service = _service(request.get("aclProtocol"), ports.get("from"), ports.get("to"))
    network = text(request.get("cidrBlock")) or text(request.get("ipv6CidrBlock"))
    action = text(request.get("ruleAction"))
    parts = [f"{way} rule {request.get('ruleNumber')}", action, service if action else "", network]
    return _id(request, "networkAclId"), " ".join(each for each in parts if each), ""


def _of_interface(request: _Request) -> tuple[str, str, str]:
    return _with_groups(request, "networkInterfaceId")


def _of_instance(request: _Request) -> tuple[str, str, str]:
    return _with_groups(request, "instanceId")


def _with_groups(request: _Request, member: str) -> tuple[str, str, str]:
    """A change of an attribute, if it is the security groups."""
    groups = [text(each.get("groupId")) for each in _items(request.get("groupSet"))]
    return (_id(request, member), f"groups {_several(groups)}", "") if groups else ("", "", "")


def _of_prefix_list(request: _Request) -> tuple[str, str, str]:
    """ModifyManagedPrefixList, whose members begin with capitals."""
    changed = [
        f"{sign}{text(mapping(each).get('Cidr'))}"
        for sign, member in (("+", "AddEntry"), ("-", "RemoveEntry"))
        for each in as_list(request.get(member))
    ]
    return _id(request, "PrefixListId"), _several(changed), ""


def _of_route(request: _Request) -> tuple[str, str, str]:
    table = _id(request, "routeTableId")
    destination = text(request.get("destinationCidrBlock")) or text(request.get("destinationIpv6CidrBlock"))
    known = table and destination
    return (ROUTES, f"{destination} of {table}", one_line(destination, LONGEST)) if known else ("", "", "")


RULE_CALLS: Final[Mapping[str, Callable[[_Request], tuple[str, str, str]]]] = {
    "AuthorizeSecurityGroupIngress": _of_group,
    "AuthorizeSecurityGroupEgress": _of_group,
    "RevokeSecurityGroupIngress": _of_group,
    "RevokeSecurityGroupEgress": _of_group,
    "ModifySecurityGroupRules": _of_rules,
    "CreateNetworkAclEntry": _of_acl,
    "ReplaceNetworkAclEntry": _of_acl,
    "DeleteNetworkAclEntry": _of_acl,
    "ReplaceNetworkAclAssociation": _of_acl,
    "ModifyNetworkInterfaceAttribute": _of_interface,
    "ModifyInstanceAttribute": _of_instance,
    "ModifyManagedPrefixList": _of_prefix_list,
    "CreateRoute": _of_route,
    "ReplaceRoute": _of_route,
    "DeleteRoute": _of_route,
}
"""By call: reads the resource ('' if it cannot be read), what was changed, and the destination of a route."""


def _id(request: _Request, member: str) -> str:
    found = text(request.get(member))
    return found if _ID.fullmatch(found) else ""


def _items(listed: object) -> Iterator[Mapping[str, Any]]:
    """The items of a list, which CloudTrail writes as `items`, in a structure."""
    for each in as_list(mapping(listed).get("items")):
        yield mapping(each)


def _permission(permission: Mapping[str, Any]) -> str:
    """`tcp/5432 from or to 10.0.0.0/8`."""
    service = _service(permission.get("ipProtocol"), permission.get("fromPort"), permission.get("toPort"))
    return f"{service} {_several(list(_peers(permission)))}".strip()


def _peers(permission: Mapping[str, Any]) -> Iterator[str]:
    for member, name in (
        ("ipRanges", "cidrIp"),
        ("ipv6Ranges", "cidrIpv6"),
        ("groups", "groupId"),
        ("prefixListIds", "prefixListId"),
    ):
        yield from (text(each.get(name)) for each in _items(permission.get(member)))


def _service(protocol: object, first: object, last: object) -> str:
    """`tcp/5432`, `udp/53-60`, `all traffic`; a protocol is a name or a number."""
    name = {"-1": "all traffic", "6": "tcp", "17": "udp", "1": "icmp"}.get(str(protocol), str(protocol))
    if not isinstance(first, int) or not isinstance(last, int) or name not in {"tcp", "udp"}:
        return name
    return f"{name}/{first}" if first == last else f"{name}/{first}-{last}"


def _several(parts: list[str]) -> str:
    named = [one_line(each, LONGEST) for each in islice(filter(None, parts), MOST_PARTS)]
    rest = sum(map(bool, parts)) - len(named)
    return ", ".join(named) + (f" and {rest} more" if rest else "")
