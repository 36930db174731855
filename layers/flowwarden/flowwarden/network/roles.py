"""Roles: the group of an interface, for which a baseline is learned.

Interfaces are replaced by deployments and scaling, but their behavior depends on their role. So a new
interface inherits the baseline of its role. Only tags state the role reliably; the other sources are the best
available approximation, from the narrowest group to the widest.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from flowwarden.network.interface import NetworkInterface

UNKNOWN: Final = "unknown"
"""The role of an interface without any information."""

AUTO_SCALING_TAG: Final = "aws:autoscaling:groupName"
"""Set by Auto Scaling on its instances; only AWS can set it, because the prefix `aws:` is reserved."""

LONGEST: Final = 96
"""Maximum characters of a role. It is part of all baseline keys, and an edge can contain two of them. The
sort key of a DynamoDB item has at most 1,024 bytes and adds to the cost of every read and write. Four
security groups fit; an interface can have sixteen, and a tag value 256 characters."""
READABLE: Final = 63
"""Characters that a longer role keeps to stay recognizable; a digest makes it unique."""

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
"""Types of interfaces that forward the traffic of other hosts."""


def role_of(interface: NetworkInterface, role_tags: Sequence[str]) -> str:
    """The role of an interface, at most `LONGEST` characters: a kind, a colon, and a name.

    Args:
        interface: the interface, as described by EC2.
        role_tags: keys of tags that contain a role, highest priority first; empty values are ignored.

    Returns:
        The first available of: `tag:<key>=<value>`, `asg:<name>`, `sg:<ids, sorted, joined by +>`,
        `subnet:<id>`, or `UNKNOWN`.
    """
    for key in role_tags:
        if value := interface.tags.get(key):
            return _short(f"tag:{key}={value}")
    if group := interface.tags.get(AUTO_SCALING_TAG):
        return _short(f"asg:{group}")
    if interface.security_groups:
        return _of_groups(interface.security_groups)
    return f"subnet:{interface.subnet_id}" if interface.subnet_id else UNKNOWN


def vpc_role(interface: NetworkInterface) -> str:
    """The VPC of an interface as if it were a role; '' if it is unknown. Its baseline shows the VPC's age."""
    return f"vpc:{interface.vpc_id}" if interface.vpc_id else ""


def is_middlebox(interface: NetworkInterface) -> bool:
    """Whether the interface forwards traffic of other hosts, so that it is never reported as a scanner.

    NAT instances and firewalls cannot be detected: a disabled source/destination check is also common on
    Kubernetes nodes. List such hosts in the policy's `exempt`.
    """
    return interface.kind in MIDDLEBOXES


@lru_cache(maxsize=2**10)
def _of_groups(security_groups: tuple[str, ...]) -> str:
    return _short(f"sg:{'+'.join(sorted(set(security_groups)))}")


def _short(role: str) -> str:
    """The role; if it is too long for a key, its end is replaced by a digest of the whole role."""
    if len(role) <= LONGEST:
        return role
    return f"{role[:READABLE]}~{blake2b(role.encode(errors='surrogatepass'), digest_size=16).hexdigest()}"
