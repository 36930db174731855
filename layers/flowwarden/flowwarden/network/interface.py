"""Network interfaces, as EC2 describes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

NAME_TAG: Final = "Name"
"""The tag that consoles show as the name of a resource."""


class NetworkInterface(Struct, frozen=True, kw_only=True):
    """One network interface; '' and () stand for missing values."""

    interface_id: str
    vpc_id: str = ""
    subnet_id: str = ""
    addresses: tuple[str, ...] = ()
    """Private IPv4 addresses, the primary one first, then IPv6; without those from delegated prefixes."""
    public_addresses: tuple[str, ...] = ()
    """Public IPv4 addresses that are associated with the private ones."""
    security_groups: tuple[str, ...] = ()
    """Ids, in EC2's order."""
    group_names: tuple[str, ...] = ()
    """The names of the security groups, in the same order; '' for a missing one."""
    kind: str = "interface"
    """EC2's InterfaceType, such as `interface`, `nat_gateway` or `lambda`; also `load_balancer` for Elastic
    Load Balancing interfaces to which EC2 assigns the type `interface`."""
    description: str = ""
    """Free text: of AWS for interfaces that it manages, otherwise of the user who created the interface."""
    managed: bool = False
    """Whether an AWS service created the interface and manages it."""
    instance_id: str = ""
    """The instance that it is attached to; '' for interfaces that AWS manages."""
    instance_owner: str = ""
    """The account that owns the instance."""
    tags: Mapping[str, str] = {}
    """Tags of the interface and, if its instance is described, of the instance, whose values take
    precedence."""
    vpc_name: str = ""
    """The VPC's tag `Name`; '' if it has none, or was not requested."""
    vpc_cidrs: tuple[str, ...] = ()
    """Networks of the VPC, IPv4 and IPv6; () if they were not requested."""
    active: bool | None = True
    """Whether flow logs write records for it, including NODATA; None if unknown."""
    since: int | None = None
    """Unix seconds: not active before then; None if EC2 does not report it."""

    @property
    def name(self) -> str:
        """The tag `Name`: that of the instance, otherwise of the interface; '' if there is none."""
        return self.tags.get(NAME_TAG, "")

    @property
    def at_work(self) -> bool:
        """Whether flow logs may write records for it: it is active, or the state is unknown."""
        return self.active is not False
