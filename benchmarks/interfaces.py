"""Network interfaces: a payload has its own interface, or several interfaces of a fixed fleet.

All properties of an interface follow from its id, so that the payloads and the benchmark's EC2 agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from random import Random
from typing import Final

from msgspec import Struct

VPC_ID: Final = "vpc-0a1b2c3d4e5f67890"
VPC_CIDRS: Final = "10.0.0.0/16", "2a05:d018:1::/56"
FLEET: Final = 1_000
"""Number of interfaces in the fleet."""
_ROLES: Final = 20
"""Number of security groups; each is the role of about fifty interfaces of the fleet."""
_SUBNETS: Final = 16
_ID_BITS: Final = 68


class Interface(Struct, frozen=True):
    """A network interface with one address of each family."""

    fields: Mapping[str, str]
    """The values common to all its records, by AWS's field names."""
    ipv4: str
    ipv6: str
    security_group: str

    @property
    def interface_id(self) -> str:
        """Its id."""
        return self.fields["interface-id"]


def drawn(random: Random) -> Interface:
    """An interface with a random id."""
    return interface(f"eni-{random.getrandbits(_ID_BITS):017x}")


@lru_cache(maxsize=2**14)
def interface(interface_id: str) -> Interface:
    """The interface with this id."""
    random = Random(interface_id)
    subnet = random.randrange(_SUBNETS)
    fields = {
        "account-id": "111122223333",
        "interface-id": interface_id,
        "vpc-id": VPC_ID,
        "subnet-id": f"subnet-0{subnet:016x}",
        "instance-id": f"i-{random.getrandbits(_ID_BITS):017x}",
        "region": "eu-west-1",
        "az-id": f"euw1-az{1 + subnet % 3}",
    }
    return Interface(
        fields,
        f"10.0.{_SUBNETS * subnet + random.randrange(_SUBNETS)}.{random.randrange(4, 255)}",
        f"2a05:d018:1:{subnet:x}::{random.getrandbits(16):x}",
        f"sg-0{random.randrange(_ROLES):016x}",
    )


@cache
def fleet() -> Sequence[Interface]:
    """`FLEET` interfaces of one VPC with distinct addresses; every call returns the same ones."""
    random, found = Random("fleet"), dict[str, Interface]()
    taken: set[str] = set()
    while len(found) < FLEET:
        new = drawn(random)
        if taken.isdisjoint(addresses := {new.ipv4, new.ipv6}):
            taken |= addresses
            found[new.interface_id] = new
    return (*found.values(),)
