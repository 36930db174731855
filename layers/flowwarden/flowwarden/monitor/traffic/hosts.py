"""The hosts at the ends of connections: interface, instance, subnet and role, as far as they are known.

The ids in a record belong to the interface that logged it, which is one end at most: the other end has only
its address, and a record of a gateway names neither. An interface that a container has described lately is
found by its address, within its VPC. No call to EC2 is made for that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from flowwarden.monitor.traffic.selection import logged_by
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.interface import NetworkInterface
from flowwarden.network.roles import UNKNOWN, role_of

_NOTHING: Final = frozenset({None, "", "-", "null", "unknown"})
"""Values of an unknown id in records of AWS and of tools that convert them."""


class Host(Struct, frozen=True, kw_only=True):
    """What is known of the host at an address; None for each part that is unknown."""

    interface: str | None = None
    instance: str | None = None
    subnet: str | None = None
    role: str | None = None
    found: NetworkInterface | None = None
    """EC2's description of the interface."""
    described: int | None = None
    """When EC2 described the interface (Unix seconds), if only that description shows that the host has the
    address: another host may have it since."""


type Described = tuple[NetworkInterface, int]
"""A network interface, and when EC2 described it (Unix seconds)."""


class Hosts:
    """Finds the host at an address."""

    def __init__(
        self,
        interfaces: Mapping[str, NetworkInterface],
        others: Callable[[str], Iterable[Described]] | None = None,
        role_tags: Sequence[str] = (),
    ) -> None:
        """Take the known interfaces.

        Args:
            interfaces: those that logged the batch, by id.
            others: returns the further interfaces with an address, as EC2 described them recently; None if
                there are none.
            role_tags: keys of tags that contain a role.
        """
        self._interfaces = interfaces
        self._others = others or _none
        self._role_tags = role_tags

    def also(self, found: Mapping[tuple[str, str], Described]) -> Hosts:
        """The same hosts and others, by VPC and address, if these do not contain them."""

        def others(address: str) -> Iterable[Described]:
            known = [*self._others(address)]
            vpcs = {interface.vpc_id for interface, _ in known}
            more = [each for (vpc, name), each in found.items() if name == address and vpc not in vpcs]
            return [*known, *more]

        return Hosts(self._interfaces, others, self._role_tags)

    def networks_of(self, flow: DirectedFlow) -> tuple[str, ...]:
        """The networks of the VPC of the interface that logged a flow; () if they are not known."""
        return self._own(flow).vpc_cidrs

    def logging(self, flow: DirectedFlow) -> NetworkInterface | None:
        """The interface that logged a flow; None if EC2 did not describe it."""
        return self._interfaces.get(flow.flow.interface_id or "")

    def at(self, address: str, flow: DirectedFlow) -> Host:
        """The host at an end of connections, of which the flow is one.

        Args:
            address: of the end.
            flow: shows which interface logged it, and so its VPC.
        """
        if logged_by(flow, address):
            return self._logging(flow)
        vpc = self.vpc_of(flow)
        found = self._having(vpc, address) if vpc else None
        return Host() if found is None else self._described(*found)

    def behind(self, interface: NetworkInterface) -> Host:
        """The host at an interface, whatever its address."""
        return self._described(interface)

    def vpc_of(self, flow: DirectedFlow) -> str:
        """The VPC of the interface that logged a flow; '' if it is not known."""
        return known_id(flow.flow.vpc_id) or self._own(flow).vpc_id

    def _logging(self, flow: DirectedFlow) -> Host:
        """The host at the interface that logged a flow; the ids in its record take precedence."""
        own = self._described(self._own(flow))
        return Host(
            interface=known_id(flow.flow.interface_id),
            instance=known_id(flow.flow.instance_id) or own.instance,
            subnet=known_id(flow.flow.subnet_id) or own.subnet,
            role=own.role,
            found=self.logging(flow),
        )

    def _own(self, flow: DirectedFlow) -> NetworkInterface:
        """The interface that logged a flow."""
        name = flow.flow.interface_id or ""
        return self._interfaces.get(name, NetworkInterface(interface_id=name))

    def _described(self, interface: NetworkInterface, at: int | None = None) -> Host:
        role = role_of(interface, self._role_tags)
        return Host(
            interface=interface.interface_id or None,
            instance=interface.instance_id or None,
            subnet=interface.subnet_id or None,
            role=None if role == UNKNOWN else role,
            found=interface,
            described=at,
        )

    def _having(self, vpc: str, address: str) -> Described | None:
        """The only interface of a VPC with an address; None for an address of several: it moved recently."""
        found = [each for each in self._others(address) if each[0].vpc_id == vpc]
        return found[0] if len(found) == 1 else None


def _none(_address: str) -> Iterable[Described]:
    return ()


def known_id(name: str | None) -> str | None:
    """An id or account in a record; None if its value stands for an unknown one."""
    return None if name in _NOTHING else name
