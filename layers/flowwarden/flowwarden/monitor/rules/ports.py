"""External dependencies of the lookup of rules, as Protocols. `aws/` implements them; tests use fakes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from msgspec import Struct

from flowwarden.network.interface import NetworkInterface
from flowwarden.network.rules.model import Network, NetworkAcl, SecurityGroup
from flowwarden.state.rule_changes import RuleChange

type Allow = Callable[[], AbstractContextManager[None]]
"""Encloses each request. Raises RulesUnavailable if no further one may be made."""


class Attached(Struct, frozen=True):
    """A network interface, with the names of its security groups."""

    interface: NetworkInterface
    group_names: Mapping[str, str]
    """By id, in EC2's order."""


class RuleDirectory(Protocol):
    """Security groups, network ACLs and what they depend on, as EC2 describes them now.

    Each method raises RulesUnavailable if EC2 refuses, throttles, or does not answer.
    """

    def interface(self, interface_id: str, allow: Allow) -> Attached | None:
        """A network interface; None if EC2 does not describe it."""

    def interface_at(self, vpc_id: str, address: str, allow: Allow) -> Attached | None:
        """The interface of a VPC with this private IPv4 address or IPv6 address; None if there is none."""

    def groups(self, names: Mapping[str, str], vpc_id: str, allow: Allow) -> Mapping[str, SecurityGroup]:
        """Security groups by id, without those that EC2 does not describe.

        Args:
            names: their names, by id.
            vpc_id: their VPC.
            allow: see `Allow`.
        """

    def acls(self, subnets: Sequence[str], allow: Allow) -> Mapping[str, NetworkAcl]:
        """Network ACLs by the subnets that they belong to."""

    def prefix_list(self, prefix_list_id: str, allow: Allow) -> tuple[Network, ...]:
        """The networks of a prefix list."""


class RuleChanges(Protocol):
    """Changes of rules in the last day, as CloudTrail reported them."""

    def of(self, resources: Sequence[str], since: int, allow: Allow) -> Sequence[RuleChange]:
        """The latest changes of these resources since a time (Unix seconds), the latest first.

        Raises RulesUnavailable.
        """
