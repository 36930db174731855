"""Addresses and their peer classes."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.network.addresses import (
    CLASSES,
    FEW,
    MOST_CLASSIFIERS,
    AddressClassifier,
    AddressClassifiers,
    NetworkLayers,
    PeerClass,
    vpc_prefixes,
)
from flowwarden.records.columnar.tokenizer import ABSENT


def class_in(classifier: AddressClassifier, address: str) -> PeerClass:
    """The class of one address. Raises ValueError if it is invalid."""
    number: int = classifier.numbers([address])[0]
    return CLASSES[number]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.0.0.1", PeerClass.OWN),
        ("172.31.255.254", PeerClass.OWN),
        ("172.32.0.1", PeerClass.INTERNET),
        ("192.168.1.9", PeerClass.OWN),
        ("100.64.3.4", PeerClass.OWN),
        ("100.128.0.1", PeerClass.INTERNET),
        ("fd00::1", PeerClass.OWN),
        ("::ffff:10.0.0.1", PeerClass.OWN),
        ("::ffff:8.8.8.8", PeerClass.INTERNET),
        ("203.0.113.1", PeerClass.INTERNET),  # documentation ranges represent the internet here
        ("8.8.8.8", PeerClass.INTERNET),
        ("2600:1f18::1", PeerClass.INTERNET),
        ("169.254.169.254", PeerClass.LOCAL),
        ("224.0.0.251", PeerClass.LOCAL),
        ("255.255.255.255", PeerClass.LOCAL),
        ("0.0.0.0", PeerClass.LOCAL),  # noqa: S104 - an address in a record, not a bind address
        ("fe80::1", PeerClass.LOCAL),
        ("ff02::fb", PeerClass.LOCAL),
    ],
)
def test_an_address_has_one_class(address: str, expected: PeerClass) -> None:
    """Unroutable ranges are own, public ones the internet, unspecified and multicast ones local."""
    assert class_in(AddressClassifier(), address) is expected


def test_the_policy_adds_own_networks_of_both_families() -> None:
    """Public ranges in the policy are own, adjacent ranges are not."""
    classifier = AddressClassifier(("198.51.100.0/25", "2600:1f18:1::/48"))
    assert class_in(classifier, "198.51.100.127") is PeerClass.OWN
    assert class_in(classifier, "198.51.100.128") is PeerClass.INTERNET
    assert class_in(classifier, "2600:1f18:1:2::3") is PeerClass.OWN
    assert class_in(classifier, "2600:1f18:2::3") is PeerClass.INTERNET


def test_partner_networks_are_neither_own_nor_internet() -> None:
    """They can be in private or in public ranges."""
    classifier = AddressClassifier(["203.0.113.0/24"], ["10.99.0.0/16", "203.0.113.128/25"])
    classes = [
        class_in(classifier, each) for each in ("10.99.1.1", "203.0.113.200", "10.98.1.1", "203.0.113.1")
    ]
    assert classes == [PeerClass.PARTNER, PeerClass.PARTNER, PeerClass.OWN, PeerClass.OWN]


def test_each_vpc_has_its_own_classifier_and_the_last_few_are_cached() -> None:
    """Public networks of one VPC are not own networks of another."""
    classifiers = AddressClassifiers(["192.0.2.0/24"])
    one, other = frozenset({"203.0.113.0/24"}), frozenset({"198.51.100.0/24"})
    assert classifiers.of(one) is classifiers.of(one)
    assert class_in(classifiers.of(one), "203.0.113.7") is PeerClass.OWN
    assert class_in(classifiers.of(other), "203.0.113.7") is PeerClass.INTERNET
    assert {class_in(classifiers.of(each), "192.0.2.1") for each in (one, other)} == {PeerClass.OWN}
    first = classifiers.of(one)
    for number in range(MOST_CLASSIFIERS):
        classifiers.of(frozenset({f"10.{number}.0.0/16"}))
    assert classifiers.of(one) is not first


def test_an_invalid_address_is_rejected() -> None:
    """The reader does not accept such a text; here it is an error, not a class."""
    with pytest.raises(ValueError, match="not-an-address"):
        class_in(AddressClassifier(), "not-an-address")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("2600:1f18:12:3400::20", "2600:1f18:12:34ff::1", True),
        ("2600:1f18:12:3400::20", "2600:1f18:12:3500::1", False),
    ],
)
def test_ipv6_neighbors_share_a_56(one: str, other: str, *, expected: bool) -> None:
    """Amazon assigns a /56 to a VPC."""
    first, second = vpc_prefixes([one, other])
    assert bool(first == second) is expected


ODD = ("::", "::1", "fe80::1", "ff02::1", "fd00::1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "2600:1f18:12::5")


ADDRESSES = (
    st.integers(0, 2**32 - 1).map(lambda number: str(IPv4Address(number)))
    | st.integers(0, 2**128 - 1).map(lambda number: str(IPv6Address(number)))
    | st.sampled_from((*ODD, "10.1.2.3", "198.51.100.9", "203.0.113.9", "127.0.0.1"))
)


NETWORKS = st.builds(
    lambda number, length: str(ip_network((number & -(2 ** (32 - length)), length))),
    st.integers(0, 2**32 - 1) | st.sampled_from([0, 2**32 - 1, 10 * 2**24]),
    st.integers(0, 32),
) | st.builds(
    lambda number, length: str(ip_network((number & -(2 ** (128 - length)), length))),
    st.integers(2**32, 2**128 - 1) | st.sampled_from([2**128 - 1, 0x2600_1F18 << 96]),
    st.integers(0, 128),
).filter(lambda cidr: ":" in cidr)


@given(st.lists(ADDRESSES, min_size=FEW))
def test_the_batch_lookup_returns_the_same_classes_as_single_lookups(addresses: list[str]) -> None:
    """For both families, halves of IPv6 numbers, and IPv4-mapped IPv6 addresses."""
    classifier = AddressClassifier(
        ("198.51.100.0/24", "2600:1f18:12::/56"), ("203.0.113.0/24", "2600:1f18::/120")
    )
    assert [CLASSES[number] for number in classifier.numbers(addresses)] == [
        class_in(classifier, each) for each in addresses
    ]


@given(st.lists(st.lists(NETWORKS, max_size=6), max_size=3), st.lists(ADDRESSES, max_size=FEW), st.data())
def test_an_address_has_the_last_layer_that_contains_it(
    layers: list[list[str]], addresses: list[str], data: st.DataObject
) -> None:
    """Compared with Python's `ipaddress`, including the edges of networks."""
    edges = [str(ip_network(cidr)[place]) for cidrs in layers for cidr in cidrs for place in (0, -1)]
    addresses += data.draw(st.lists(st.sampled_from(edges), max_size=FEW)) if edges else []
    expected = [
        max((number for number, cidrs in enumerate(layers, 1) if _is_in(address, cidrs)), default=0)
        for address in addresses
    ]
    assert NetworkLayers(*layers).numbers(addresses).tolist() == expected
    assert [NetworkLayers(*layers).number(address) for address in addresses] == expected


def _is_in(address: str, cidrs: list[str]) -> bool:
    """Whether one of the networks contains an address; IPv4-mapped IPv6 addresses are IPv4."""
    parsed = ip_address(address)
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    return any(parsed in ip_network(cidr) for cidr in cidrs)


def test_one_invalid_address_among_many_is_rejected() -> None:
    """In either address family."""
    for bad in ("not-an-address", "fe80:::1"):
        with pytest.raises(ValueError, match="addresses is invalid"):
            AddressClassifier().numbers([bad, *(f"10.0.0.{host}" for host in range(FEW))])


def test_an_address_outside_any_vpc_has_no_prefix() -> None:
    """IPv4-mapped, loopback and unspecified addresses share 56 bits, but no VPC."""
    assert {*vpc_prefixes(["::ffff:8.8.8.8", "::1", "::", "10.0.0.1"])} == {ABSENT}
