"""A fake of EC2's network interfaces, in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from flowwarden.errors import InterfacesUnavailable
from flowwarden.network.interface import NetworkInterface


def interface(interface_id: str, role: str = "web") -> NetworkInterface:
    """An instance's interface with a tag that names its role."""
    return NetworkInterface(
        interface_id=interface_id,
        addresses=("10.0.0.1",),
        subnet_id="subnet-1",
        vpc_id="vpc-1",
        security_groups=("sg-1",),
        kind="interface",
        instance_id="i-1",
        tags={"Role": role},
    )


def having(
    *described: tuple[NetworkInterface, int],
) -> Callable[[str], Sequence[tuple[NetworkInterface, int]]]:
    """A lookup: the interfaces among these that have an address, with the time of their description."""
    return lambda address: [each for each in described if address in each[0].addresses]


@dataclass
class FakeDirectory:
    """An account's network interfaces, by id."""

    known: dict[str, NetworkInterface] = field(default_factory=dict)
    refuses: bool = False
    asked: list[list[str]] = field(default_factory=list)
    """The ids of every query, answered or not."""

    @classmethod
    def of(cls, *interfaces: NetworkInterface) -> FakeDirectory:
        """A directory that contains these interfaces."""
        return cls({each.interface_id: each for each in interfaces})

    def describe(self, interface_ids: Sequence[str]) -> Mapping[str, NetworkInterface]:
        """See the port."""
        self.asked.append(list(interface_ids))
        if self.refuses:
            raise InterfacesUnavailable("RequestLimitExceeded, by the test")
        return {each: self.known[each] for each in interface_ids if each in self.known}
