"""The user's policy: internal addresses and subnets, the purpose of hosts and what they are allowed to do.

Every setting has a default, so a policy is optional. The policy is JSON. An unknown setting, a value of the
wrong type, an invalid CIDR or an invalid tag key is rejected with its path, its value and what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from flowwarden.errors import PolicyError
from flowwarden.policy.detection import Thresholds
from flowwarden.policy.flow_logs import Exemption, FlowLogSpec, FlowLogsPolicy, Rule, Selection
from flowwarden.policy.tag_fields import LONGEST_KEY
from flowwarden.policy.validation import check

_ID = re.compile(r"[a-z]+-[0-9a-z]+")

SHORTEST_PREFIX = {4: 8, 6: 16}
"""Shortest prefix of an own or partner network, by IP version: no organization owns a larger range."""


class Policy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The user's settings, one document for both functions."""

    own_cidrs: tuple[str, ...] = ()
    """Internal networks besides the private ranges: public IPv4, IPv6."""
    partner_cidrs: tuple[str, ...] = ()
    """Partner networks, reached by peering, a transit gateway or the internet: neither internal nor part of
    the internet. They may be within the private ranges."""
    service_ports: tuple[Annotated[int, Meta(ge=1, le=32_767)], ...] = ()
    """Ports below 32,768 that your servers listen on, besides the well-known ones. They distinguish client
    and server if a record has no TCP flags."""
    private_subnets: tuple[str, ...] = ()
    """Subnets that must not accept connections from the internet: ids (the log format then needs
    `subnet-id`) or CIDRs."""
    listener_only: tuple[str, ...] = ()
    """Hosts that accept connections but must never open one to the internet: interface or instance ids,
    addresses or CIDRs."""

    exempt: tuple[str, ...] = ()
    """Internal hosts with unrestricted behaviour (scanners, monitoring): addresses or CIDRs. Findings about
    them are counted and logged, never paged."""

    thresholds: Thresholds = Thresholds()
    """Thresholds from which detectors report a finding."""

    role_tags: tuple[str, ...] = ("Role", "role")
    """Tag keys whose value is a host's role, highest priority first. Hosts with the same value share a
    baseline. `Name` is not a default because it usually differs for each host."""

    flow_logs: FlowLogsPolicy = FlowLogsPolicy()
    """For the enforcer: the flow log that each VPC must have, and the exempt VPCs."""

    @classmethod
    def from_json(cls, text: str | bytes) -> Policy:
        """Read a policy.

        Raises:
            PolicyError: the text is not JSON or not a valid policy; the message says where and what is
                allowed.
        """
        try:
            policy = msgspec.json.decode(text, type=cls)
        except msgspec.ValidationError as error:
            raise PolicyError(f"policy: {error}; allowed settings: {_allowed(str(error))}") from error
        except (msgspec.DecodeError, UnicodeError) as error:
            raise PolicyError(f"policy: not JSON: {error}") from error
        for path, value in policy.networks():
            _check_network(path, value)
        for i, key in enumerate(policy.role_tags):
            _check_tag_key(f"role_tags[{i}]", key)
        check(policy.flow_logs)
        return policy

    def networks(self) -> list[tuple[str, str]]:
        """Every value that must be a network, with its path."""
        found = [
            (f"{name}[{i}]", value)
            for name in ("own_cidrs", "partner_cidrs")
            for i, value in enumerate(getattr(self, name))
        ]
        for name, prefixes in (
            ("private_subnets", ("subnet-",)),
            ("listener_only", ("eni-", "i-")),
            ("exempt", ()),
        ):
            values: tuple[str, ...] = getattr(self, name)
            found += [
                (f"{name}[{i}]", value) for i, value in enumerate(values) if not _is_id(value, prefixes)
            ]
        return found


def _is_id(value: str, prefixes: tuple[str, ...]) -> bool:
    return value.startswith(prefixes) and _ID.fullmatch(value) is not None


_PLACES: Mapping[str, type[Struct]] = {
    "thresholds": Thresholds,
    "flow_logs": FlowLogsPolicy,
    "default": FlowLogSpec,
    "rules": Rule,
    "flow_log": FlowLogSpec,
    "exemptions": Exemption,
    "where": Selection,
}
"""Types of the settings that contain other settings."""


def _allowed(reason: str) -> str:
    """The names of the settings at the path in msgspec's message (`… - at `$.one.two``)."""
    path = re.findall(r"[a-z_]+", reason.partition(" - at `$")[2])  # without a path: the top level
    place = next((_PLACES[name] for name in path[::-1] if name in _PLACES), Policy)
    return ", ".join(place.__struct_fields__)


def _check_network(path: str, value: str) -> None:
    try:
        network = ip_network(value)
    except ValueError as error:
        raise PolicyError(
            f"policy: {path}: {error}; write an address, a CIDR such as 10.0.0.0/16, or an id where allowed"
        ) from error
    if "%" in value:
        raise PolicyError(
            f"policy: {path}: {value!r} has a scope id, which flow logs do not contain; remove the scope id"
        )
    shortest = SHORTEST_PREFIX[network.version]
    if path.startswith(("own_cidrs", "partner_cidrs")) and network.prefixlen < shortest:
        raise PolicyError(
            f"policy: {path}: {value!r} is too wide: it would hide findings about internet hosts; "
            f"write networks with a prefix length of at least /{shortest}"
        )


def _check_tag_key(path: str, key: str) -> None:
    if not key.strip() or len(key) > LONGEST_KEY:
        raise PolicyError(
            f"policy: {path}: {key!r} is not a valid tag key; "
            f"write 1 to {LONGEST_KEY} characters, such as Role"
        )
