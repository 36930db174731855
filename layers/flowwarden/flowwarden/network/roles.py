"""Roles: the group that an interface belongs to, which baselines are learned for.

Interfaces come and go with deployments and scaling; what they do is decided by what they are for. So a new
one inherits what was learned of its role. Nothing but tags says for sure what a host is for: all else is the
best guess that EC2 has, from the narrowest group to the widest.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from flowwarden.network.interface import NetworkInterface

UNKNOWN: Final = "unknown"
"""The role of an interface that nothing is known of."""

AUTO_SCALING_TAG: Final = "aws:autoscaling:groupName"
"""Auto Scaling tags its instances with it, and nobody else may: AWS keeps the prefix `aws:` for itself."""

LONGEST: Final = 96
"""Characters of a role. It is part of the key of all that is learned, and an edge may hold two of them: the
sort key of a DynamoDB item has at most 1,024 bytes, and every read and write pays for it. Four security
groups fit; an interface may have sixteen, and a tag's value 256 characters."""
READABLE: Final = 63
"""Characters that a longer role begins with, so that a person recognises it; a digest makes it unique."""

MIDDLEBOXES: Final = frozenset(
    {
        "nat_gateway",
        "regional_nat_gateway",
        "load_balancer",
        "network_load_balancer",
        "gateway_load_balancer",
        "gateway_load_balancer_endpoint",
        "vpc_endpoint",
        "transit_gateway",
    }
)
"""Kinds of interfaces that pass on what others say."""


def role_of(interface: NetworkInterface, role_tags: Sequence[str]) -> str:
    """The role of an interface, at most `LONGEST` characters: a kind, a colon, and a name.

    Args:
        interface: what EC2 tells.
        role_tags: keys of tags that name a role, the one that counts most first; one without a value
            names none.

    Returns:
        By the first that there is: `tag:<key>=<value>`, `asg:<name>`, `sg:<ids, sorted, joined by +>`,
        `subnet:<id>`, or `UNKNOWN`.
    """
    for key in role_tags:
        if value := interface.tags.get(key):
            return _short(f"tag:{key}={value}")
    if group := interface.tags.get(AUTO_SCALING_TAG):
        return _short(f"asg:{group}")
    if interface.security_groups:
        return _short(f"sg:{'+'.join(sorted(set(interface.security_groups)))}")
    return f"subnet:{interface.subnet_id}" if interface.subnet_id else UNKNOWN


def is_middlebox(interface: NetworkInterface) -> bool:
    """Whether the interface talks for others, so that it is never the one who scans.

    A NAT instance or a firewall is not told from other instances: that EC2 does not check source and
    destination holds for Kubernetes nodes as well. The policy's `exempt` names such hosts.
    """
    return interface.kind in MIDDLEBOXES


def _short(role: str) -> str:
    """The role, its end replaced by a digest of all of it where it is too long for a key."""
    if len(role) <= LONGEST:
        return role
    return f"{role[:READABLE]}~{blake2b(role.encode(), digest_size=16).hexdigest()}"
