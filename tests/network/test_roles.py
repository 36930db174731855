"""Roles: which interfaces share a baseline, and which forward traffic of others."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.network.interface import NetworkInterface
from flowwarden.network.roles import (
    AUTO_SCALING_TAG,
    LONGEST,
    MIDDLEBOXES,
    UNKNOWN,
    is_middlebox,
    role_of,
)
from flowwarden.policy.policy import Policy

ROLE_TAGS = Policy().role_tags
GROUPS = tuple(f"sg-0123456789abcde{number:02x}" for number in range(16))


def interface(**changes: Any) -> NetworkInterface:
    """An instance's interface with everything that can define a role, except for the given changes."""
    usual: dict[str, Any] = {
        "interface_id": "eni-1",
        "addresses": ("10.0.0.1",),
        "subnet_id": "subnet-1",
        "vpc_id": "vpc-1",
        "security_groups": ("sg-2", "sg-1"),
        "kind": "interface",
        "instance_id": "i-1",
        "tags": {"Role": "web", AUTO_SCALING_TAG: "web-green", "Name": "web-1"},
    }
    return NetworkInterface(**{**usual, **changes})


@pytest.mark.parametrize(
    ("changes", "role"),
    [
        ({}, "tag:Role=web"),
        ({"tags": {"role": "db", AUTO_SCALING_TAG: "web-green"}}, "tag:role=db"),
        ({"tags": {AUTO_SCALING_TAG: "web-green", "Name": "web-1"}}, "asg:web-green"),
        ({"tags": {"Name": "web-1"}}, "sg:sg-1+sg-2"),
        ({"tags": {}, "security_groups": ()}, "subnet:subnet-1"),
        ({"tags": {}, "security_groups": (), "subnet_id": None}, UNKNOWN),
    ],
)
def test_the_role_is_the_narrowest_available_group(changes: dict[str, Any], role: str) -> None:
    """Tag, Auto Scaling group, security groups, subnet."""
    assert role_of(interface(**changes), ROLE_TAGS) == role


def test_the_first_tag_of_the_policy_takes_precedence() -> None:
    """The policy's order applies, not EC2's."""
    both = interface(tags={"Service": "shop", "Role": "web"})
    assert role_of(both, ("Role", "Service")) == "tag:Role=web"
    assert role_of(both, ("Service", "Role")) == "tag:Service=shop"
    assert role_of(both, ()) == "sg:sg-1+sg-2"


def test_a_tag_without_a_value_is_ignored() -> None:
    """Hosts with an empty tag have nothing in common."""
    assert role_of(interface(tags={"Role": "", "role": "db"}), ROLE_TAGS) == "tag:role=db"
    assert role_of(interface(tags={"Role": "", AUTO_SCALING_TAG: ""}), ROLE_TAGS) == "sg:sg-1+sg-2"


@given(st.permutations(GROUPS[:6]))
def test_the_order_of_security_groups_does_not_matter(groups: list[str]) -> None:
    """EC2 guarantees none; also if the role is shortened."""
    untagged = interface(tags={}, security_groups=tuple(groups))
    assert role_of(untagged, ()) == role_of(interface(tags={}, security_groups=GROUPS[:6]), ())


def test_four_security_groups_are_readable_and_more_become_a_digest() -> None:
    """A role is part of a key of the state table, whose length is limited and adds to the cost."""
    assert role_of(interface(tags={}, security_groups=GROUPS[:4]), ()) == f"sg:{'+'.join(GROUPS[:4])}"
    many = role_of(interface(tags={}, security_groups=GROUPS), ())
    assert many.startswith(f"sg:{GROUPS[0]}+{GROUPS[1]}+")
    assert len(many) == LONGEST
    assert role_of(interface(tags={}, security_groups=GROUPS[:15]), ()) != many


@given(st.text(min_size=1, max_size=256), st.text(min_size=1, max_size=256))
def test_different_values_are_different_roles_short_enough_for_a_key(one: str, other: str) -> None:
    """For tags of any length and script."""
    roles = [role_of(interface(tags={"Role": value}), ROLE_TAGS) for value in (one, other)]
    assert (roles[0] == roles[1]) == (one == other)
    assert all(len(role) <= LONGEST and 2 * len(role.encode()) < 1024 for role in roles)


def test_long_values_with_the_same_beginning_are_different_roles() -> None:
    """The digest covers the whole value."""
    roles = {role_of(interface(tags={"Role": "x" * 250 + end}), ROLE_TAGS) for end in ("a", "b")}
    assert len(roles) == 2


@pytest.mark.parametrize("kind", sorted(MIDDLEBOXES))
def test_an_interface_that_forwards_traffic_is_a_middlebox(kind: str) -> None:
    """NAT gateways, load balancers, endpoints, transit gateways."""
    assert is_middlebox(interface(kind=kind))


@pytest.mark.parametrize("kind", ["interface", "lambda", "efa", "branch", "trunk", "made_up"])
def test_other_interfaces_are_not_middleboxes(kind: str) -> None:
    """Unknown types can be reported as scanners."""
    assert not is_middlebox(interface(kind=kind))
