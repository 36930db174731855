"""The names that a notification shows, and what has to be looked up for them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final

from msgspec import Struct

from flowwarden.network.interface import NetworkInterface

MOST_LOOKED_UP: Final = 200
"""Addresses, subnets and interfaces that a batch looks up: EC2's limit for the values of one filter."""


class Names(Struct, frozen=True, kw_only=True):
    """What was found."""

    aliases: Mapping[str, str] = {}
    """The alias of an account by its id."""
    subnets: Mapping[str, str] = {}
    """The names of subnets by their ids, of those that have one."""
    interfaces: Mapping[str, NetworkInterface] = {}
    """The interfaces that findings name, by their ids."""
    hosts: Mapping[tuple[str, str], tuple[NetworkInterface, int]] = {}
    """The interfaces at the far ends, by VPC and address, each with the Unix seconds of its description."""
    unavailable: str = ""
    """Why some of it could not be found: `DescribeSubnets: RequestLimitExceeded`; '' if AWS answered."""


class Wanted(Struct, frozen=True, kw_only=True):
    """What has to be looked up."""

    addresses: tuple[tuple[str, str], ...] = ()
    """Addresses at far ends, each after its VPC."""
    interfaces: tuple[str, ...] = ()
    """Ids of interfaces that findings name."""
    subnets: tuple[str, ...] = ()
    """Ids of the subnets of hosts that are known."""


def subnets_of(interfaces: Iterable[NetworkInterface]) -> tuple[str, ...]:
    """The subnets of interfaces, without duplicates."""
    return first(each.subnet_id for each in interfaces if each.subnet_id)


def first[T](several: Iterable[T]) -> tuple[T, ...]:
    """As many as are looked up, without duplicates."""
    return tuple(islice(dict.fromkeys(several), MOST_LOOKED_UP))
