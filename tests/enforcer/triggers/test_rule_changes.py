"""Changes of rules as CloudTrail reports them, in requests of the form that EC2's calls have there."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.enforcer.state.stack import Stack
from flowwarden.enforcer.triggers.rule_changes import RULE_CALLS, changes_of
from flowwarden.enforcer.triggers.trigger import RunKind
from flowwarden.enforcer.triggers.trigger import read as read_trigger
from flowwarden.printable import printable
from flowwarden.state.rule_changes import LONGEST, ROUTES, RuleChange
from flowwarden.state.sets import DAY
from flowwarden.unreadable import CLOCKS
from tests.enforcer.fakes import STACK
from tests.enforcer.triggers.test_trigger import call
from tests.hostile import HOSTILE, places, poisoned

AT = 1_793_611_800  # the time in the events, 2026-11-02T09:30:00Z
GROUP, ACL, INTERFACE = "sg-0a1b2c3d4e5f60718", "acl-0a1b2c3d", "eni-0a1b2c3d"
OTHER_GROUPS = {"items": [{"groupId": "sg-0b"}]}
RANGE = {"cidrIp": "10.20.2.0/24", "description": "web"}
PERMISSION = {
    "ipProtocol": "tcp",
    "fromPort": 5432,
    "toPort": 5432,
    "groups": {"items": [{"userId": "111122223333", "groupId": "sg-0b"}]},
    "ipRanges": {"items": [RANGE]},
    "ipv6Ranges": {},
    "prefixListIds": {},
}
ENTRY = {
    "networkAclId": ACL,
    "ruleNumber": 90,
    "egress": False,
    "ruleAction": "deny",
    "aclProtocol": "6",
    "cidrBlock": "10.20.2.0/24",
    "icmpTypeCode": {},
    "portRange": {"from": 5432, "to": 5433},
}
PARTS = {"ruleNumber": 90, "egress": True, "networkAclId": ACL}
ROUTE = {"routeTableId": "rtb-0a1b2c3d", "destinationCidrBlock": "10.20.0.0/16", "gatewayId": "igw-1"}


def changed(
    name: str, request: Any, stack: Stack = STACK, now: int = AT, **detail: Any
) -> tuple[RuleChange, ...]:
    """The change that a call reports."""
    return changes_of(call(name, requestParameters=request, **detail), stack, now)


CALLS = (
    (
        "RevokeSecurityGroupIngress",
        {"groupId": GROUP, "ipPermissions": {"items": [PERMISSION]}},
        GROUP,
        "tcp/5432 10.20.2.0/24, sg-0b",
    ),
    (
        "AuthorizeSecurityGroupEgress",
        {
            "groupId": GROUP,
            "ipPermissions": {"items": [{"ipProtocol": "-1", "ipRanges": {"items": [RANGE]}}]},
        },
        GROUP,
        "all traffic 10.20.2.0/24",
    ),
    (
        "RevokeSecurityGroupIngress",
        {
            "groupId": GROUP,
            "ipPermissions": {},
            "securityGroupRuleIds": {"items": [{"securityGroupRuleId": "sgr-1"}]},
        },
        GROUP,
        "sgr-1",
    ),
    (
        "ModifySecurityGroupRules",
        {
            "ModifySecurityGroupRulesRequest": {
                "GroupId": GROUP,
                "SecurityGroupRule": {"SecurityGroupRuleId": "sgr-1", "tag": 1},
            }
        },
        GROUP,
        "sgr-1",
    ),
    ("ReplaceNetworkAclEntry", ENTRY, ACL, "inbound rule 90 deny tcp/5432-5433 10.20.2.0/24"),
    ("DeleteNetworkAclEntry", PARTS, ACL, "outbound rule 90"),
    ("ReplaceNetworkAclAssociation", {"associationId": "aclassoc-1", "networkAclId": ACL}, ACL, "aclassoc-1"),
    (
        "ModifyNetworkInterfaceAttribute",
        {"networkInterfaceId": INTERFACE, "groupSet": OTHER_GROUPS},
        INTERFACE,
        "groups sg-0b",
    ),
    (
        "ModifyInstanceAttribute",
        {"instanceId": "i-0a1b2c3d", "groupSet": OTHER_GROUPS},
        "i-0a1b2c3d",
        "groups sg-0b",
    ),
    (
        "ModifyManagedPrefixList",
        {
            "ModifyManagedPrefixListRequest": {
                "PrefixListId": "pl-0a1b2c3d",
                "RemoveEntry": {"Cidr": "10.0.0.0/8", "tag": 1},
            }
        },
        "pl-0a1b2c3d",
        "-10.0.0.0/8",
    ),
    ("DeleteRoute", ROUTE, ROUTES, "10.20.0.0/16 of rtb-0a1b2c3d"),
)


@pytest.mark.parametrize(("name", "request_", "resource", "what"), CALLS)
def test_a_call_names_its_resource_and_what_it_changed(
    name: str, request_: Any, resource: str, what: str
) -> None:
    """With its caller and its time."""
    (found,) = changed(name, request_)
    assert (found.resource, found.what, found.call, found.at) == (resource, what, name, AT)
    assert (found.actor, found.call_id) == ("arn:aws:iam::111122223333:user/maria", "8f6d")


def test_a_route_contains_its_destination() -> None:
    """By which a page finds it."""
    (found,) = changed("CreateRoute", ROUTE)
    assert found.destination == "10.20.0.0/16"
    assert found.concerns("10.20.2.9")
    assert not found.concerns("10.21.2.9")


def test_another_attribute_of_an_interface_is_no_change_of_rules() -> None:
    """Such as the check of source and destination."""
    request = {"networkInterfaceId": INTERFACE, "sourceDestCheck": {"value": False}}
    assert changed("ModifyNetworkInterfaceAttribute", request) == ()


@pytest.mark.parametrize(
    ("detail", "now"),
    [
        ({"errorCode": "Client.UnauthorizedOperation"}, AT),
        ({"recipientAccountId": "999988887777"}, AT),
        ({"awsRegion": "us-east-1"}, AT),
        ({"eventSource": "logs.amazonaws.com"}, AT),
        ({}, AT + DAY),
        ({}, AT - CLOCKS - 1),
    ],
)
def test_a_call_that_failed_or_is_not_of_this_day_and_place_is_no_change(detail: Any, now: int) -> None:
    """The last two are too old, and from the future."""
    assert changed("DeleteNetworkAclEntry", PARTS, now=now, **detail) == ()


@pytest.mark.parametrize("name", RULE_CALLS)
def test_the_calls_start_no_run(name: str) -> None:
    """They are stored, and the account is not checked because of them."""
    assert read_trigger(call(name), STACK).kind is RunKind.IGNORED


@pytest.mark.parametrize(
    "wrong", ["", "sg-", "sg-xyz", "sg-0a1b2c3d\n", "sg-0a1b2c3d#1", 5, None, ["sg-0a1b2c3d"]]
)
def test_what_is_not_an_id_is_no_resource(wrong: object) -> None:
    """A key of the table consists of it."""
    assert changed("AuthorizeSecurityGroupIngress", {"groupId": wrong}) == ()


def test_hostile_text_stays_short_and_on_one_line() -> None:
    """Wherever it is in the event."""
    event = call("RevokeSecurityGroupIngress", requestParameters=CALLS[0][1])
    for path in places(event):
        for found in changes_of(poisoned(event, path, HOSTILE), STACK, AT):
            for text in (found.actor, found.what, found.call_id, found.resource, found.destination):
                assert text == printable(text, LONGEST)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(sorted({*ENTRY, *PERMISSION, "items", "groupId", "groupSet"})), inner
        )
    ),
)


@given(st.sampled_from(sorted(RULE_CALLS)), json)
def test_no_request_raises_an_error(name: str, request_: Any) -> None:
    """Whatever it contains."""
    assert len(changed(name, request_)) <= 1
