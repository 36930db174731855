"""The types of what documents say about hosts; see `incident_documents`."""

from __future__ import annotations

from typing import TypedDict


class Resource(TypedDict):
    """What an interface belongs to, such as a load balancer."""

    kind: str
    name: str | None


class SecurityGroup(TypedDict):
    """A security group of an interface."""

    id: str
    name: str | None


class HostLinks(TypedDict):
    """Addresses of the AWS console."""

    interface: str | None
    instance: str | None
    subnet: str | None


class Host(TypedDict):
    """What is known of a host."""

    name: str | None
    interface: str | None
    instance: str | None
    subnet: str | None
    subnet_name: str | None
    role: str | None
    owners: dict[str, str]
    auto_scaling_group: str | None
    resource: Resource | None
    description: str | None
    security_groups: list[SecurityGroup]
    public_addresses: list[str]
    described: int | None
    console: HostLinks


class EndHost(Host):
    """A host at one end of the traffic, with its records."""

    address: str
    records: int


class End(TypedDict):
    """One end of the traffic."""

    classes: list[str]
    distinct: int
    hosts: list[EndHost]


class Interfaces(TypedDict):
    """The interfaces that a notification about missing records is about."""

    distinct: int
    top: list[str]
    hosts: list[Host]
