"""Roles: which interfaces share what is learned, and which talk for others."""

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


def interface(**told: Any) -> NetworkInterface:
    """An instance's interface with everything that may name a role, but for what the test says."""
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
    return NetworkInterface(**{**usual, **told})


@pytest.mark.parametrize(
    ("told", "role"),
    [
        ({}, "tag:Role=web"),
        ({"tags": {"role": "db", AUTO_SCALING_TAG: "web-green"}}, "tag:role=db"),
        ({"tags": {AUTO_SCALING_TAG: "web-green", "Name": "web-1"}}, "asg:web-green"),
        ({"tags": {"Name": "web-1"}}, "sg:sg-1+sg-2"),
        ({"tags": {}, "security_groups": ()}, "subnet:subnet-1"),
        ({"tags": {}, "security_groups": (), "subnet_id": None}, UNKNOWN),
    ],
)
def test_the_role_is_told_by_the_narrowest_thing_that_there_is(told: dict[str, Any], role: str) -> None:
    """Tag, Auto Scaling group, security groups, subnet."""
    assert role_of(interface(**told), ROLE_TAGS) == role


def test_the_first_tag_that_the_policy_names_counts() -> None:
    """In the policy's order, not in EC2's."""
    both = interface(tags={"Service": "shop", "Role": "web"})
    assert role_of(both, ("Role", "Service")) == "tag:Role=web"
    assert role_of(both, ("Service", "Role")) == "tag:Service=shop"
    assert role_of(both, ()) == "sg:sg-1+sg-2"


def test_a_tag_without_a_value_names_no_role() -> None:
    """Hosts that nobody has said anything about have nothing in common."""
    assert role_of(interface(tags={"Role": "", "role": "db"}), ROLE_TAGS) == "tag:role=db"
    assert role_of(interface(tags={"Role": "", AUTO_SCALING_TAG: ""}), ROLE_TAGS) == "sg:sg-1+sg-2"


@given(st.permutations(GROUPS[:6]))
def test_the_order_of_security_groups_does_not_matter(groups: list[str]) -> None:
    """EC2 promises none; also where the role is shortened."""
    untagged = interface(tags={}, security_groups=tuple(groups))
    assert role_of(untagged, ()) == role_of(interface(tags={}, security_groups=GROUPS[:6]), ())


def test_four_security_groups_can_be_read_and_more_are_told_by_a_digest() -> None:
    """A role is part of a key of the state table, whose length is limited and paid for."""
    assert role_of(interface(tags={}, security_groups=GROUPS[:4]), ()) == f"sg:{'+'.join(GROUPS[:4])}"
    many = role_of(interface(tags={}, security_groups=GROUPS), ())
    assert many.startswith(f"sg:{GROUPS[0]}+{GROUPS[1]}+")
    assert len(many) == LONGEST
    assert role_of(interface(tags={}, security_groups=GROUPS[:15]), ()) != many


@given(st.text(min_size=1, max_size=256), st.text(min_size=1, max_size=256))
def test_any_two_values_are_two_roles_short_enough_for_a_key(one: str, other: str) -> None:
    """However long the tag, and in whatever script."""
    roles = [role_of(interface(tags={"Role": value}), ROLE_TAGS) for value in (one, other)]
    assert (roles[0] == roles[1]) == (one == other)
    assert all(len(role) <= LONGEST and 2 * len(role.encode()) < 1024 for role in roles)


def test_long_values_that_begin_alike_are_two_roles() -> None:
    """The digest is of all of the value."""
    roles = {role_of(interface(tags={"Role": "x" * 250 + end}), ROLE_TAGS) for end in ("a", "b")}
    assert len(roles) == 2


@pytest.mark.parametrize("kind", sorted(MIDDLEBOXES))
def test_who_passes_on_what_others_say_is_a_middlebox(kind: str) -> None:
    """NAT gateways, load balancers, endpoints, transit gateways."""
    assert is_middlebox(interface(kind=kind))


@pytest.mark.parametrize("kind", ["interface", "lambda", "efa", "branch", "trunk", "made_up"])
def test_who_speaks_for_himself_is_none(kind: str) -> None:
    """Whatever is not known may scan."""
    assert not is_middlebox(interface(kind=kind))
