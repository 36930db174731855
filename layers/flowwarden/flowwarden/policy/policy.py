"""What the user decides: which addresses and subnets are theirs, what hosts are for and what they may do.

Every setting has a default that works without a policy. The policy is JSON; an unknown setting, a value of
the wrong type, a CIDR or a key of a tag that is none is refused with its path, its value and what is allowed.
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
"""Of an own network, by IP version: nobody owns more addresses than that."""


class Policy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The user's settings, one document for both functions."""

    own_cidrs: tuple[str, ...] = ()
    """Networks that are ours besides the private ranges: public IPv4, IPv6."""
    partner_cidrs: tuple[str, ...] = ()
    """Networks of partners, reached by peering, a transit gateway or the internet: neither ours nor the
    internet's. They may be within the private ranges."""
    service_ports: tuple[Annotated[int, Meta(ge=1, le=32_767)], ...] = ()
    """Ports below 32,768 that your servers listen on, besides the well-known ones: they tell who asks and who
    answers where a record has no flags."""
    private_subnets: tuple[str, ...] = ()
    """Subnets that nobody on the internet may connect into: ids (the log format then needs
    `subnet-id`) or CIDRs."""
    listener_only: tuple[str, ...] = ()
    """Who accepts connections but must never start one to the internet: interface or instance ids,
    addresses or CIDRs."""

    exempt: tuple[str, ...] = ()
    """Hosts of ours that may try anything (scanners, monitoring): addresses or CIDRs. What is found about
    them is counted and logged, never paged."""

    thresholds: Thresholds = Thresholds()
    """From how much on detectors tell of something."""

    role_tags: tuple[str, ...] = ("Role", "role")
    """Keys of tags whose value says what a host is for, the one that counts most first. Hosts with the same
    value share what is learned of them. `Name` is no default: most people name each host differently."""

    flow_logs: FlowLogsPolicy = FlowLogsPolicy()
    """The flow log that each VPC shall have, and which need none: for the enforcer."""

    @classmethod
    def from_json(cls, text: str | bytes) -> Policy:
        """Read a policy.

        Raises:
            PolicyError: the text is not JSON or not a policy; the message says where and what is allowed.
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
"""What settings hold that have settings of their own."""


def _allowed(reason: str) -> str:
    """The names of the settings at the place that msgspec's message is about (`… - at `$.one.two``)."""
    path = re.findall(r"[a-z_]+", reason.rpartition("`$")[2])
    place = next((_PLACES[name] for name in path[::-1] if name in _PLACES), Policy)
    return ", ".join(place.__struct_fields__)


def _check_network(path: str, value: str) -> None:
    try:
        network = ip_network(value)
    except ValueError as error:
        raise PolicyError(
            f"policy: {path}: {error}; write an address or a CIDR such as 10.0.0.0/16, or an id"
        ) from error
    if "%" in value:
        raise PolicyError(f"policy: {path}: {value!r} has a scope id, which no flow log has; leave it out")
    shortest = SHORTEST_PREFIX[network.version]
    if path.startswith(("own_cidrs", "partner_cidrs")) and network.prefixlen < shortest:
        raise PolicyError(
            f"policy: {path}: {value!r} is too wide: nothing would be found about the internet any more; "
            f"write the networks that are meant, of at least /{shortest}"
        )


def _check_tag_key(path: str, key: str) -> None:
    if not key.strip() or len(key) > LONGEST_KEY:
        raise PolicyError(
            f"policy: {path}: {key!r} is no key of a tag; write 1 to {LONGEST_KEY} characters, such as Role"
        )
