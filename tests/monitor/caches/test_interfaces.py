"""A container's cache of network interfaces: few queries, no failed batches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import batched

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flowwarden.monitor.caches.interfaces import (
    MISSING_SECONDS,
    MISSING_SECONDS_AT_MOST,
    MOST,
    MOST_BYTES,
    MOST_NEW,
    REFUSED_SECONDS,
    TOGETHER,
    VALID_SECONDS,
    InterfaceCache,
)
from flowwarden.network.interface import NetworkInterface
from tests.examples import examples
from tests.monitor.fakes_interfaces import FakeDirectory, interface

NOW = 1_764_000_000
ONE, TWO = interface("eni-1"), interface("eni-2", "db")


class Cache:
    """A container's cache, queried by a new batch each time."""

    def __init__(self, cache: InterfaceCache) -> None:
        self._cache = cache
        self.unavailable = 0
        """Queries of all batches that EC2 refused."""

    def interface(self, interface_id: str, now: int) -> NetworkInterface | None:
        """One interface."""
        return self.interfaces([interface_id], now).get(interface_id)

    def interfaces(self, interface_ids: Iterable[str], now: int) -> Mapping[str, NetworkInterface]:
        """The known ones among these."""
        view = self._cache.for_batch(now)
        known = view.known(interface_ids)
        self.unavailable += view.failures
        return known

    def described(self, interface_ids: Iterable[str], now: int) -> Mapping[str, NetworkInterface] | None:
        """The ones among these that EC2 describes."""
        return self._cache.for_batch(now).described(interface_ids)


@dataclass
class Container:
    """A container's cache, its queries and its warnings."""

    directory: FakeDirectory = field(default_factory=lambda: FakeDirectory.of(ONE, TWO))
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin with an empty cache."""
        self.memory = InterfaceCache(self.directory, self.warnings.append)
        self.cache = Cache(self.memory)

    @property
    def asked(self) -> list[list[str]]:
        """The ids of every query."""
        return self.directory.asked


@pytest.fixture
def container() -> Container:
    """A new one, in an account with two interfaces."""
    return Container()


def test_an_interface_is_queried_once_per_validity_period(container: Container) -> None:
    """An hour: the purpose of an interface rarely changes."""
    for later in (0, 1, VALID_SECONDS - 1):
        assert container.cache.interface("eni-1", NOW + later) == ONE
    assert container.asked == [["eni-1"]]


def test_a_changed_role_is_known_after_that_time(container: Container) -> None:
    """And not before."""
    container.cache.interface("eni-1", NOW)
    container.directory.known["eni-1"] = changed = interface("eni-1", "cache")
    assert container.cache.interface("eni-1", NOW + VALID_SECONDS - 1) == ONE
    assert container.cache.interface("eni-1", NOW + VALID_SECONDS) == changed


def test_several_interfaces_are_one_query(container: Container) -> None:
    """Only for unknown ones; a repeated id counts once."""
    container.cache.interface("eni-1", NOW)
    known = container.cache.interfaces(["eni-1", "eni-2", "eni-3", "eni-2"], NOW)
    assert known == {"eni-1": ONE, "eni-2": TWO}
    assert container.asked == [["eni-1"], ["eni-2", "eni-3"]]


def test_no_interfaces_cause_no_query(container: Container) -> None:
    """A batch of a format without `interface-id` has none."""
    assert container.cache.interfaces([], NOW) == {}
    assert container.asked == []


def test_a_missing_interface_is_queried_again_after_a_short_wait(container: Container) -> None:
    """EC2 may not show a new one yet."""
    for later in (0, MISSING_SECONDS - 1):
        assert container.cache.interface("eni-3", NOW + later) is None
    assert len(container.asked) == 1
    container.directory.known["eni-3"] = new = interface("eni-3")
    assert container.cache.interface("eni-3", NOW + MISSING_SECONDS) == new


def test_an_interface_of_another_account_is_queried_less_and_less(container: Container) -> None:
    """It is never described; after a week it is queried four times a day."""
    for minutes in range(0, 7 * 24 * 60, 5):
        assert container.cache.interface("eni-3", NOW + minutes * 60) is None
    week = len(container.asked)
    for minutes in range(7 * 24 * 60, 8 * 24 * 60, 5):
        container.cache.interface("eni-3", NOW + minutes * 60)
    assert len(container.asked) - week == 24 * 3600 // MISSING_SECONDS_AT_MOST


def test_a_deleted_interface_keeps_its_description(container: Container) -> None:
    """Its last records arrive minutes after its deletion, and its id is never reused."""
    container.cache.interface("eni-1", NOW)
    del container.directory.known["eni-1"]
    late = NOW + VALID_SECONDS
    assert container.cache.interface("eni-1", late) == ONE
    assert container.cache.interface("eni-1", late + MISSING_SECONDS) == ONE
    assert len(container.asked) == 3


def test_after_a_refusal_no_query_is_sent_for_a_while(container: Container) -> None:
    """Neither for the same interface nor for another one, and one warning is logged."""
    container.directory.refuses = True
    for interface_id in ("eni-1", "eni-1", "eni-2"):
        assert container.cache.interface(interface_id, NOW) is None
    assert container.cache.interface("eni-1", NOW + REFUSED_SECONDS - 1) is None
    assert container.asked == [["eni-1"]]
    assert len(container.warnings) == container.cache.unavailable == 1
    assert "RequestLimitExceeded" in container.warnings[0]
    assert "eni-1" in container.warnings[0]


def test_a_refusal_is_not_taken_for_a_missing_interface(container: Container) -> None:
    """It is known as soon as EC2 answers again."""
    container.directory.refuses = True
    container.cache.interface("eni-1", NOW)
    container.directory.refuses = False
    assert container.cache.interface("eni-1", NOW + REFUSED_SECONDS) == ONE


def test_cached_descriptions_are_used_while_ec2_refuses(container: Container) -> None:
    """Of any age: a host rarely changes its role."""
    container.cache.interface("eni-1", NOW)
    container.directory.refuses = True
    assert container.cache.interface("eni-1", NOW + 5 * VALID_SECONDS) == ONE
    assert container.cache.interfaces(["eni-1", "eni-2"], NOW + 5 * VALID_SECONDS) == {"eni-1": ONE}
    assert len(container.warnings) == 1


def test_a_query_includes_expired_entries(container: Container) -> None:
    """Most batches need one interface; otherwise each expired one would cost its own call every hour."""
    container.cache.interfaces(["eni-1", "eni-2"], NOW)
    container.cache.interface("eni-2", NOW + VALID_SECONDS)
    container.cache.interface("eni-1", NOW + VALID_SECONDS)
    assert container.asked[1:] == [["eni-2", "eni-1"]]


def test_a_query_does_not_include_valid_entries(container: Container) -> None:
    """They would be queried more and more often."""
    container.cache.interface("eni-1", NOW)
    container.cache.interface("eni-2", NOW + VALID_SECONDS - 1)
    assert container.asked[1:] == [["eni-2"]]


def test_the_expired_entries_in_a_query_are_limited_to_the_size_of_an_answer(container: Container) -> None:
    """But everything that a batch needs is queried."""
    many = [f"eni-a{number}" for number in range(2 * TOGETHER)]
    container.cache.interfaces(many, NOW)
    container.cache.interface(many[-1], NOW + VALID_SECONDS)
    assert [len(ids) for ids in container.asked] == [2 * TOGETHER, TOGETHER]


def test_the_cache_is_bounded_and_drops_the_oldest_query(container: Container) -> None:
    """A container may run for hours and see interfaces that exist for minutes."""
    container.cache.interface("eni-1", NOW)
    container.cache.interface("eni-2", NOW)
    for some in batched((f"eni-a{number}" for number in range(MOST - 1)), MOST_NEW, strict=False):
        container.cache.interfaces(some, NOW)
    asked = len(container.asked)
    container.cache.interface("eni-2", NOW)
    assert len(container.asked) == asked
    container.cache.interface("eni-1", NOW)
    assert container.asked[asked:] == [["eni-1"]]


def test_the_cache_is_bounded_in_bytes_whatever_the_tags() -> None:
    """An interface and its instance have up to 100 tags of 384 characters, which may take four bytes each."""
    tags = {f"{place:0>127}\U0001f512": "\U0001f512" * 256 for place in range(100)}
    plain = interface("eni-0")
    large = [replace(plain, interface_id=f"eni-{number}", tags=tags) for number in range(1, MOST_NEW)]
    container = Container(FakeDirectory.of(plain, *large))
    assert len(container.cache.interfaces([each.interface_id for each in large], NOW)) == len(large)
    assert container.memory.bytes <= MOST_BYTES
    container.cache.interfaces(["eni-0"], NOW)
    container.cache.described(["eni-0", large[0].interface_id], NOW)
    assert 0 < container.memory.bytes <= MOST_BYTES


def test_bytes_are_counted_once_for_each_entry(container: Container) -> None:
    """A renewed entry, or one of a deleted interface, replaces the former one."""
    container.cache.interfaces(["eni-1", "eni-2"], NOW)
    size = container.memory.bytes
    container.cache.interfaces(["eni-1", "eni-2"], NOW + VALID_SECONDS)
    assert container.memory.bytes == size > 0
    container.directory.known.clear()  # a deleted interface keeps its description
    container.cache.interfaces(["eni-1", "eni-2"], NOW + 2 * VALID_SECONDS)
    assert container.memory.bytes == size


def test_a_batch_queries_a_bounded_number_of_interfaces_and_the_next_one_continues() -> None:
    """A call takes a third of a second; what is unknown is known a batch later."""
    many = [interface(f"eni-a{number}") for number in range(2 * MOST_NEW + 1)]
    container = Container(FakeDirectory.of(*many))
    known = [len(container.cache.interfaces([each.interface_id for each in many], NOW)) for _ in range(3)]
    assert known == [MOST_NEW, 2 * MOST_NEW, 2 * MOST_NEW + 1]


def test_current_descriptions_always_query_ec2(container: Container) -> None:
    """An interface that was deleted a minute ago is cached but does not exist."""
    assert container.cache.interface("eni-1", NOW) == ONE
    del container.directory.known["eni-1"]
    assert container.cache.described(["eni-1", "eni-2", "eni-2"], NOW) == {
        "eni-2": container.directory.known["eni-2"]
    }
    assert container.asked[1:] == [["eni-1", "eni-2"]]
    assert container.cache.interface("eni-1", NOW) == ONE


def test_nothing_is_described_while_ec2_refuses(container: Container) -> None:
    """One warning, and no immediate retry."""
    container.directory.refuses = True
    assert container.cache.described(["eni-1"], NOW) is None
    assert container.cache.described(["eni-1"], NOW + REFUSED_SECONDS - 1) is None
    assert container.cache.described([], NOW + REFUSED_SECONDS) == {}
    assert len(container.asked) == len(container.warnings) == 1


VPCS = "vpc-1", "vpc-2", ""


@given(st.lists(st.tuples(st.sampled_from(VPCS), st.sampled_from(["10.0.0.1", "10.0.0.2"])), max_size=6))
@examples(2)
def test_a_host_is_found_by_its_address_in_its_vpc_only(hosts: list[tuple[str, str]]) -> None:
    """Never that of another VPC, not even if it is the only one; two with the address are none."""
    known = [
        replace(interface(f"eni-{n}"), vpc_id=vpc, addresses=(address,))
        for n, (vpc, address) in enumerate(hosts)
    ]
    view = InterfaceCache(FakeDirectory.of(*known), lambda _: None).for_batch(NOW)
    view.known(each.interface_id for each in known)
    for vpc in (*VPCS, None, "vpc-3"):
        for address in ("10.0.0.1", "10.0.0.2", "10.0.0.3"):
            here = [each for each in known if vpc and (each.vpc_id, each.addresses) == (vpc, (address,))]
            assert view.at(address, vpc) == (here[0] if len(here) == 1 else None)


def test_a_deleted_interface_is_not_found_by_its_address(container: Container) -> None:
    """Another one has the address by now, or will; the deleted one is still known by its id."""
    container.cache.interface("eni-1", NOW)
    assert container.memory.at("10.0.0.1", "vpc-1") == ONE
    del container.directory.known["eni-1"]
    later = NOW + VALID_SECONDS
    assert container.cache.interface("eni-1", later) == ONE
    assert container.memory.at("10.0.0.1", "vpc-1") is None
    container.cache.interface("eni-2", later)
    assert container.memory.at("10.0.0.1", "vpc-1") == TWO


def test_an_old_description_shows_an_address_while_ec2_refuses(container: Container) -> None:
    """Nothing says that it is gone."""
    container.cache.interface("eni-1", NOW)
    container.directory.refuses = True
    container.cache.interface("eni-1", NOW + 2 * VALID_SECONDS)
    assert container.memory.at("10.0.0.1", "vpc-1") == ONE


def test_the_descriptions_of_an_address_are_found_while_they_are_valid(container: Container) -> None:
    """With the time of the description; those of other addresses are not found."""
    container.cache.interfaces(["eni-1", "eni-2"], NOW)
    found = container.memory.valid_at("10.0.0.1", NOW + VALID_SECONDS - 1)
    assert sorted(found, key=lambda each: each[0].interface_id) == [(ONE, NOW), (TWO, NOW)]
    assert [*container.memory.valid_at("10.0.0.2", NOW)] == []
    assert [*container.memory.valid_at("10.0.0.1", NOW + VALID_SECONDS)] == []
