"""Ranges of addresses with a fixed meaning; apart from `addresses`, which loads numpy."""

from __future__ import annotations

from typing import Final

UNROUTABLE: Final = (
    "10.0.0.0/8",  # RFC 1918
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",  # RFC 6598: pods and secondary VPC CIDRs
    "198.18.0.0/15",  # RFC 2544: a secondary VPC CIDR that AWS allows
    "fc00::/7",  # RFC 4193
)
"""Ranges that are always internal: this VPC, a peered VPC, or a network behind a transit gateway."""
