"""Only addresses of the internet may be connected to, whatever form they have."""

from __future__ import annotations

import time
from ipaddress import IPv4Address, IPv4Network, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.https.address import is_public, resolve

INSIDE = (
    "10.0.0.1", "172.16.5.5", "192.168.1.1", "127.0.0.1", "0.0.0.1", "169.254.169.254", "169.254.170.2",
    "100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1%eth0",
    "fd00:ec2::254", "ff02::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "2002:a00:1::", "64:ff9b::a00:1",
    "64:ff9b::7f00:1", "::127.0.0.1", "::a9fe:a9fe", "::ffff:0:10.0.0.1", "fec0::1", "4000::1",
    "64:ff9b:1::a00:1",
    "2002:808:808::1", "2001:0:4136:e378:8000:63bf:f5ff:fffe", "not an address", "", "10.0.0.1.example.com",
)  # fmt: skip
PUBLIC = ("44.237.1.1", "8.8.8.8", "2600:1f18::1", "::ffff:8.8.8.8", "64:ff9b::808:808")
PRIVATE = [IPv4Network(each) for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16")]

FORMS = (0, 0xFFFF, 0xFFFF0000, 0x64FF9B << 64)
"""What precedes an IPv4 address in the forms of IPv6 that contain one."""


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_a_network_or_none_at_all_is_not_public(address: str) -> None:
    """Also if it is embedded in one that is."""
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    """The negative cases beside the others."""
    assert is_public(address)


@given(st.sampled_from(PRIVATE), st.integers(0, 2**16 - 1), st.sampled_from(FORMS))
def test_no_form_of_a_private_address_is_public(network: IPv4Network, offset: int, prefix: int) -> None:
    """Mapped, compatible, translated, or behind a NAT64 gateway."""
    inner = int(network.network_address) + offset
    assert not is_public(str(IPv4Address(inner)))
    assert not is_public(str(IPv6Address(prefix << 32 | inner)))


def test_a_name_is_resolved_without_duplicates() -> None:
    """In the order of the resolver."""
    assert resolve("127.0.0.1", 443, 5) == ["127.0.0.1"]


@pytest.mark.parametrize("host", ["", "a..b", "x" * 300, "does-not-exist.invalid"])
def test_a_name_without_an_address_raises_an_error(host: str) -> None:
    """OSError, whatever is wrong with it; or a loopback address for an empty name."""
    try:
        found = resolve(host, 443, 5)
    except OSError:
        return
    assert not any(map(is_public, found))


def test_a_resolver_that_hangs_ends_in_time() -> None:
    """The thread that waits for it does not keep the caller."""

    def hang(*_args: object, **_named: object) -> list[object]:
        time.sleep(1)
        return []

    begin = time.monotonic()
    with pytest.raises(TimeoutError):
        resolve("hooks.example.com", 443, 0.05, hang)
    assert time.monotonic() - begin < 0.9
