"""Network interfaces, as EC2 describes them."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class NetworkInterface(Struct, frozen=True, kw_only=True):
    """One network interface; '' and () stand for what it does not have or EC2 does not describe."""

    interface_id: str
    vpc_id: str = ""
    subnet_id: str = ""
    addresses: tuple[str, ...] = ()
    """Private IPv4, the primary one first, then IPv6; those out of a delegated prefix are not among them."""
    security_groups: tuple[str, ...] = ()
    """Ids, in EC2's order."""
    kind: str = "interface"
    """EC2's InterfaceType, such as `interface`, `nat_gateway` or `lambda`; `load_balancer` also for those of
    Elastic Load Balancing that EC2 calls `interface`."""
    instance_id: str = ""
    """That it is attached to; '' for what AWS runs itself."""
    instance_owner: str = ""
    """The account whose instance it is."""
    tags: Mapping[str, str] = {}
    """Its own; where its instance is described as well, the instance's too, whose value counts for a key that
    both have."""
    vpc_cidrs: tuple[str, ...] = ()
    """Networks of the VPC, IPv4 and IPv6; () if it was not asked for."""
    active: bool | None = True
    """Whether flow logs write records of it, if only that there was no traffic; None if that is unknown."""
    since: int | None = None
    """Unix seconds: not active before then; None if EC2 does not say."""

    @property
    def at_work(self) -> bool:
        """Whether flow logs may write records of it: it is active, or that is unknown."""
        return self.active is not False
