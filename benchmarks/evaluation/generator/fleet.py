"""The fleet: VPCs with subnets and interfaces, as plain data and as hosts that record traffic."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from random import Random
from typing import Final

from benchmarks.evaluation.generator.hosts import Host
from benchmarks.evaluation.generator.lines import gap_writer, writer
from benchmarks.evaluation.generator.model import ACCOUNT, BEGIN, Interface
from benchmarks.evaluation.generator.roles import BY_NAME, ROLES, VPC_INTERFACES, Role
from flowwarden.records.log_format import LogFormat

SUBNETS: Final = {
    "public": ("0.0/24", "1.0/24"),
    "private": ("16.0/20", "32.0/20"),
    "edge": ("48.0/24",),
    "data": ("64.0/24",),
    "locked": ("80.0/24",),
}
"""The position of the subnets in a VPC's 10.n.0.0/16."""
FIRST_ADDRESS: Final = 10
"""AWS reserves the first four addresses of a subnet."""


class Fleet:
    """All current hosts, by VPC and role."""

    def __init__(self, random: Random, layout: LogFormat, interfaces: int, window: int) -> None:
        self._random = random
        self._layout = layout
        self._window = window
        self._taken: dict[str, int] = {}
        self.vpcs = range(max(1, round(interfaces / VPC_INTERFACES)))
        self.members: dict[tuple[int, str], list[Host]] = {}
        self.hosts: dict[str, Host] = {}
        """By interface id."""
        for vpc in self.vpcs:
            for role in ROLES:
                made = [self._host(vpc, role, number, BEGIN) for number in range(role.count)]
                self.members[vpc, role.name] = made

    def interfaces(self) -> dict[str, Interface]:
        """The current result of DescribeNetworkInterfaces, by id."""
        return {host.interface.interface_id: host.interface for host in self.hosts.values()}

    def instances(self, vpc: int) -> list[Host]:
        """The hosts of a VPC that are the account's instances."""
        return [host for role in ROLES if not role.managed for host in self.members[vpc, role.name]]

    def with_role(self, *roles: str) -> list[Host]:
        """The hosts of some roles in all VPCs."""
        return [host for vpc in self.vpcs for role in roles for host in self.members[vpc, role]]

    def public(self) -> Iterator[Host]:
        """The hosts with a public address."""
        return (host for host in self.hosts.values() if host.interface.public_ipv4)

    def replace(self, host: Host, at: int, after: int) -> Host:
        """Replace a host with a new instance; the old host is removed `after` seconds later."""
        interface = host.interface
        vpc = vpc_of(interface)
        members = self.members[vpc, interface.role]
        new = self._host(vpc, BY_NAME[interface.role], members.index(host), at)
        members[members.index(host)] = new
        host.ends = at + after
        return new

    def remove_ended(self, now: int) -> None:
        """Remove the deleted interfaces that have written all their records."""
        gone = [key for key, host in self.hosts.items() if host.ends <= now]
        for key in gone:
            del self.hosts[key]

    def _host(self, vpc: int, role: Role, number: int, at: int) -> Host:
        interface = self._interface(vpc, role, number)
        host = Host(
            interface,
            interface.private_ipv4,
            interface.ipv6[0] if interface.ipv6 else "",
            writer(self._layout, interface),
            gap_writer(self._layout, interface),
            at // self._window,
        )
        self.hosts[interface.interface_id] = host
        return host

    def _interface(self, vpc: int, role: Role, number: int) -> Interface:
        random = self._random
        cidrs = SUBNETS[role.subnets]
        zone = number % len(cidrs)
        cidr = f"10.{vpc}.{cidrs[zone]}"
        address = self._address(cidr)
        public = f"54.{72 + vpc % 8}.{vpc}.{address.rpartition('.')[2]}" if role.subnets == "public" else None
        group = f"{role.name}-{vpc}"
        tags = (("Role", role.name), ("Name", f"{group}-{number}"))
        return Interface(
            interface_id=f"eni-0{random.getrandbits(64):016x}",
            account_id=ACCOUNT,
            vpc_id=f"vpc-0{vpc:016x}",
            subnet_id=subnet_id(vpc, role.subnets, zone),
            subnet_cidr=cidr,
            az_id=f"euw1-az{1 + zone}",
            instance_id=None if role.managed else f"i-0{random.getrandbits(64):016x}",
            interface_type=role.interface_type,
            requester_managed=role.managed,
            private_ipv4=address,
            secondary_ipv4=tuple(self._address(cidr) for _ in range(role.pods)),
            ipv6=(_ipv6(vpc, zone, random),) if role.dual_stack else (),
            public_ipv4=public,
            security_groups=(f"sg-0{vpc:08x}{ROLES.index(role):08x}",),
            tags=() if role.managed else tags,
            auto_scaling_group=group if role.scaled else None,
            role=role.name,
            public_subnet=role.subnets == "public",
        )

    def _address(self, cidr: str) -> str:
        """The next address of a subnet, which was unused for a long time."""
        network = IPv4Network(cidr)
        taken = self._taken.get(cidr, 0)
        self._taken[cidr] = taken + 1
        return str(network[FIRST_ADDRESS + taken % (network.num_addresses - FIRST_ADDRESS - 1)])


def _ipv6(vpc: int, zone: int, random: Random) -> str:
    groups = ":".join(f"{random.randrange(1, 65_536):x}" for _ in range(4))
    return f"2a05:d018:{vpc:x}:{zone:x}:{groups}"


def subnet_id(vpc: int, kind: str, zone: int) -> str:
    """The id of a subnet."""
    return f"subnet-0{vpc:08x}{list(SUBNETS).index(kind):04x}{zone:04x}"


def vpc_of(interface: Interface) -> int:
    """The number of the interface's VPC."""
    return int(interface.vpc_id.removeprefix("vpc-"), 16)


def never_used(host: Host, random: Random) -> str:
    """An unused address in the host's subnet."""
    network = IPv4Network(host.interface.subnet_cidr)
    return str(network[network.num_addresses - 2 - random.randrange(network.num_addresses // 5)])
