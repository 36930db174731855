"""Rejects networks of the policy that are invalid, or so wide that a setting would switch detection off."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Final

from flowwarden.errors import PolicyError
from flowwarden.network.ranges import UNROUTABLE

type Network = IPv4Network | IPv6Network

SHORTEST_PREFIX: Final = {4: 8, 6: 16}
"""Shortest prefix of a network in the policy, by IP version: no organization owns a larger range."""

ID_PREFIXES: Final[Mapping[str, tuple[str, ...]]] = {
    "own_cidrs": (),
    "partner_cidrs": (),
    "private_subnets": ("subnet-",),
    "listener_only": ("eni-", "i-"),
    "exempt": (),
}
"""The settings that list networks, with the prefixes of the ids that each may list besides."""

_INTERNAL: Final = frozenset({"private_subnets", "listener_only", "exempt"})
"""The settings that name internal hosts or subnets."""

_ID: Final = re.compile(r"[a-z]+-[0-9a-z]+")

_TOO_WIDE: Final[Mapping[str, str]] = {
    "own_cidrs": "it would hide findings about internet hosts",
    "partner_cidrs": "it would hide findings about internet hosts",
    "private_subnets": "it names no subnets, but the internet; leave it out, or list the private subnets",
    "listener_only": "it names no hosts, but the internet; leave it out, or list the hosts that only listen",
    "peer": "no finding about internet hosts would ever page; name the detector or the subject, too",
    "exempt": "no finding would ever page; list the hosts that may connect anywhere, such as a scanner",
}
"""What a network does that is too wide, by setting."""

_PRIVATE: Final = tuple(ip_network(each) for each in UNROUTABLE)
_MAPPED: Final = IPv6Network("::ffff:0:0/96")
"""RFC 4291: IPv4 addresses written as IPv6."""
_ALL_PRIVATE: Final = tuple(ip_network(each) for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
"""RFC 1918: nearly every internal host has an address in one of them."""


def check_networks(settings: Mapping[str, Sequence[str]]) -> None:
    """Reject the networks and ids of these settings, by name, that are invalid or too wide.

    Raises:
        PolicyError: the first problem, with path, value and what is allowed.
    """
    for name, values in settings.items():
        networks = [
            check_network(f"{name}[{number}]", value, _TOO_WIDE[name], internal=name in _INTERNAL)
            for number, value in enumerate(values)
            if not _is_id(value, ID_PREFIXES[name])
        ]
        for problem in _wide_together(name, networks):
            raise PolicyError(f"policy: {name}: {', '.join(values)!r} {problem}")


def check_muted(exempt: Sequence[str], subjects: Sequence[str], peers: Sequence[str]) -> None:
    """Reject mutes that together would silence nearly everything, like one network that is too wide.

    Args:
        exempt: the policy's setting.
        subjects: the networks of mutes that only name a subject.
        peers: the networks of mutes that only name a peer.

    Raises:
        PolicyError: the networks are too wide together.
    """
    if subjects:
        hosts = [ip_network(each) for each in (*exempt, *subjects)]
        for problem in _wide_together("exempt", hosts):
            raise PolicyError(
                f"policy: mutes: the networks of exempt and of mutes that only name a subject {problem}"
            )
    for problem in _wide_together("peer", [ip_network(each) for each in peers]):
        raise PolicyError(f"policy: mutes: the networks of mutes that only name a peer {problem}")


def _is_id(value: str, prefixes: tuple[str, ...]) -> bool:
    return value.startswith(prefixes) and _ID.fullmatch(value) is not None


def is_network(value: str) -> bool:
    """Whether the value is an address or a CIDR."""
    try:
        ip_network(value)
    except ValueError:
        return False
    return True


def check_network(
    path: str, value: str, harm: str, *, internal: bool, others: str = "an id where allowed"
) -> Network:
    """The network at a path of the policy.

    Args:
        path: of the value.
        value: an address or a CIDR.
        harm: what a network does that is too wide.
        internal: whether the setting names internal hosts or subnets: then a whole private range is allowed.
        others: what the setting allows besides networks.

    Raises:
        PolicyError: the value is no network, is written as flow logs never write it, or is too wide.
    """
    try:
        network = ip_network(value)
    except ValueError as error:
        raise PolicyError(
            f"policy: {path}: {error}; write an address, a CIDR such as 10.0.0.0/16, or {others}"
        ) from error
    if problem := unknown_notation(value, network):
        raise PolicyError(f"policy: {path}: {value!r} {problem}")
    shortest = SHORTEST_PREFIX[network.version]
    if network.prefixlen < shortest and not (internal and _is_private(network)):
        raise PolicyError(
            f"policy: {path}: {value!r} is too wide: {harm}; "
            f"write networks with a prefix length of at least /{shortest}"
        )
    return network


def unknown_notation(value: str, network: Network) -> str:
    """Why flow logs never contain an address in this notation, and what to write; '' if they can."""
    if "%" in value:
        return "has a scope id, which flow logs do not contain; remove the scope id"
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        ipv4 = IPv4Network(
            (int(network.network_address) & 0xFFFF_FFFF, network.prefixlen - _MAPPED.prefixlen)
        )
        return f"is IPv4 written as IPv6, which flow logs do not contain; write {ipv4}"
    return ""


def _is_private(network: Network) -> bool:
    return any(_contains(each, network) for each in _PRIVATE)


def _wide_together(name: str, networks: Sequence[Network]) -> Iterator[str]:
    """Why networks that are allowed one by one are too wide together."""
    joined: list[Network] = [*_joined(networks, IPv4Network), *_joined(networks, IPv6Network)]
    for version, bits in ((4, 32), (6, 128)):
        addresses = sum(each.num_addresses for each in joined if each.version == version)
        if 2 * addresses >= 2**bits:
            yield f"cover half of all IPv{version} addresses or more, which is too wide: {_TOO_WIDE[name]}"
    if name == "exempt" and all(any(_contains(each, one) for each in joined) for one in _ALL_PRIVATE):
        yield f"cover all private addresses, which is too wide: {_TOO_WIDE[name]}"


def _joined[Version: (IPv4Network, IPv6Network)](
    networks: Sequence[Network], version: type[Version]
) -> list[Version]:
    """The networks of one IP version, neighbors joined into one."""
    return list(collapse_addresses(each for each in networks if isinstance(each, version)))


def _contains(network: Network, other: Network) -> bool:
    return (
        network.version == other.version
        and network.network_address <= other.network_address  # type: ignore[operator]  # of one version
        and network.broadcast_address >= other.broadcast_address  # type: ignore[operator]
    )
