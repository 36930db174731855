"""The addresses of the network: internal networks, internet clients, and AWS's own ranges."""

from __future__ import annotations

from functools import lru_cache
from random import Random
from typing import Final

CLIENTS: Final = 20_000
"""Number of recurring clients on the internet."""
HEAVY_SOURCES: Final = 150
"""Number of recurring sources of background radiation: scanners of the whole internet, and worms."""

ON_PREMISES: Final = tuple(f"192.168.{third}.{fourth}" for third in (10, 11) for fourth in range(10, 40))
"""Hosts behind the transit gateway."""
OFFICES: Final = "93.184.10.20", "93.184.10.21", "62.40.100.7"
"""Sources of logins on bastions."""
TIME_SERVERS: Final = "162.159.200.1", "162.159.200.123"
RESOLVERS: Final = "9.9.9.9", "149.112.112.112", "208.67.222.222"
"""Upstream resolvers of the internal DNS servers."""

AWS_RANGES: Final = {"52.218.": "S3", "52.94.": "DYNAMODB", "52.119.": "AMAZON", "3.248.": "EC2"}
"""Ranges of AWS's own public addresses, with their `pkt-dst-aws-service`."""
VENDORS: Final = tuple(
    f"{start}{third}.{fourth}"
    for start in ("151.101.", "104.18.", "140.82.", "52.218.", "52.94.")
    for third in (1, 65, 129)
    for fourth in (4, 19, 61, 113)
)
"""Internet servers of the internal hosts: mirrors, registries, vendors, AWS."""

_INSIDE: Final = "10.", "192.168.", "100.64.", "2a05:d018:"


@lru_cache(maxsize=65_536)
def is_inside(address: str) -> bool:
    """Whether an address is internal: in a VPC or on premises."""
    return address.startswith(_INSIDE)


@lru_cache(maxsize=65_536)
def aws_service(address: str) -> str:
    """The field `pkt-src-aws-service` or `pkt-dst-aws-service`: `-` for addresses outside AWS."""
    return next((service for start, service in AWS_RANGES.items() if address.startswith(start)), "-")


def internet_address(random: Random) -> str:
    """A new public address."""
    bits = random.getrandbits(24)
    return f"{random.choice(_INTERNET_NETWORKS)}.{bits >> 16}.{bits >> 8 & 255}.{1 + bits % 254}"


_INTERNET_NETWORKS: Final = tuple(
    first for first in range(11, 223) if first not in {52, 100, 127, 162, 169, 172, 192, 198, 203} | {3}
)


def pool(random: Random, count: int) -> list[str]:
    """This many distinct public addresses."""
    found: dict[str, None] = {}
    while len(found) < count:
        found[internet_address(random)] = None
    return list(found)
