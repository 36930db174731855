"""The user's policy: internal addresses and subnets, the purpose of hosts and what they are allowed to do.

Every setting has a default, so a policy is optional. The policy is JSON. An unknown setting, a value of the
wrong type, an invalid CIDR or an invalid tag key is rejected with its path, its value and what is allowed.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from flowwarden.errors import PolicyError
from flowwarden.policy import document
from flowwarden.policy.detection import Thresholds
from flowwarden.policy.explanation import explained
from flowwarden.policy.flow_logs import FlowLogsPolicy
from flowwarden.policy.mutes import Mute
from flowwarden.policy.networks import ID_PREFIXES, check_networks
from flowwarden.policy.tag_fields import LONGEST_KEY
from flowwarden.policy.validation import check

NO_SETTINGS: Final = "{}"
"""The template's default. No decoder of all settings is made for it, which takes milliseconds at start."""
MOST_OWNER_TAGS: Final = 10
"""Tag keys in `owner_tags`."""
LONGEST_SHOWN: Final = 80
"""Characters of a value in a message."""
LONGEST: Final = 131_072
"""Characters of a policy that is read, far beyond what can be deployed: megabytes take seconds to refuse."""


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
    """Internal hosts with unrestricted behavior (scanners, monitoring): addresses or CIDRs. Findings about
    them are counted and logged, never paged."""

    mutes: tuple[Mute, ...] = ()
    """Findings that are counted and logged, but do not notify, until a date."""

    report_only: tuple[str, ...] = ()
    """Detectors whose findings are counted, logged and listed in the hourly digest, but do not notify."""

    thresholds: Thresholds = Thresholds()
    """Thresholds from which detectors report a finding."""

    role_tags: tuple[str, ...] = ("Role", "role")
    """Tag keys whose value is a host's role, highest priority first. Hosts with the same value share a
    baseline. `Name` is not a default because it usually differs for each host."""

    owner_tags: tuple[str, ...] = ("Owner", "owner", "Team", "team", "Contact", "contact")
    """Tag keys whose values tell whose a host is, in the order in which pages show them. Not `CostCenter`: it
    names a budget, and on-call looks for people."""

    flow_logs: FlowLogsPolicy = FlowLogsPolicy()
    """For the enforcer: the flow log that each VPC must have, and the exempt VPCs."""

    @classmethod
    def from_json(cls, text: str | bytes) -> Policy:
        """Read a policy.

        Raises:
            PolicyError: the text is too long, not JSON or not a valid policy; the message says where and
                what is allowed.
        """
        if text == NO_SETTINGS:
            return cls()
        if len(text) > LONGEST:
            raise PolicyError(
                f"policy: {len(text):,} characters; write at most {LONGEST:,} "
                "(CloudFormation takes 4,096 bytes for a parameter)"
            )
        if not text.strip():
            raise PolicyError(f"policy: it is empty; write {NO_SETTINGS} to use the defaults")
        try:
            policy = msgspec.json.decode(text, type=cls)
        except msgspec.ValidationError as error:
            raise PolicyError(f"policy: {explained(str(error), document.read(text), cls)}") from error
        except (msgspec.DecodeError, UnicodeError) as error:
            raise PolicyError(f"policy: {document.problem_of(text) or f'not JSON: {error}'}") from error
        for path in document.repeated(document.read(text)):
            raise PolicyError(
                f"policy: {path}: occurs twice; the first value would be ignored: write it once"
            )
        check_networks({name: getattr(policy, name) for name in ID_PREFIXES})
        _check_tag_keys("role_tags", policy.role_tags)
        _check_tag_keys("owner_tags", policy.owner_tags)
        _check_owner_tags(policy.owner_tags)
        _check_mutes(policy)
        _check_report_only(policy.report_only)
        check(policy.flow_logs)
        return policy


def _check_mutes(policy: Policy) -> None:
    if policy.mutes:
        from flowwarden.policy.mute_checks import check_mutes  # noqa: PLC0415  it loads numpy

        check_mutes(policy.mutes, policy.exempt)


def _check_report_only(names: tuple[str, ...]) -> None:
    for i, name in enumerate(names):
        if name in names[:i]:
            raise PolicyError(
                f"policy: report_only[{i}]: {name[:LONGEST_SHOWN]!r} occurs twice; write it once"
            )


def _check_owner_tags(keys: tuple[str, ...]) -> None:
    if len(keys) > MOST_OWNER_TAGS:
        raise PolicyError(
            f"policy: owner_tags: {len(keys)} tag keys; write at most {MOST_OWNER_TAGS}, "
            "because each of them can add text to a page"
        )
    for i, key in enumerate(keys):
        if key in keys[:i]:
            raise PolicyError(f"policy: owner_tags[{i}]: {key!r} occurs twice; write it once")


def _check_tag_keys(setting: str, keys: tuple[str, ...]) -> None:
    for i, key in enumerate(keys):
        _check_tag_key(f"{setting}[{i}]", key)


def _check_tag_key(path: str, key: str) -> None:
    if not key.strip() or len(key) > LONGEST_KEY:
        raise PolicyError(
            f"policy: {path}: {key!r} is not a valid tag key; "
            f"write 1 to {LONGEST_KEY} characters, such as Role"
        )
