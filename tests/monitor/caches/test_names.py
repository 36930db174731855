"""The cache of names: few calls, none twice, and a failure costs only what it is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from flowwarden.monitor.caches.interfaces import InterfaceCache, InterfaceView
from flowwarden.monitor.caches.names import (
    MISSING_SECONDS,
    NAME_SECONDS,
    NO_TIME,
    PAUSE_SECONDS,
    SLOWEST_LOOKUP,
    VALID_SECONDS,
    NameCache,
)
from flowwarden.monitor.names import Names, Wanted
from flowwarden.network.interface import NetworkInterface
from flowwarden.notify.run import RESERVE
from tests.monitor.fakes_interfaces import FakeDirectory
from tests.monitor.fakes_names import FakeNames

NOW, ACCOUNT = 1_764_000_000, "111122223333"
DATABASE = NetworkInterface(
    interface_id="eni-2", vpc_id="vpc-1", subnet_id="subnet-2", addresses=("10.0.2.30", "2001:db8::2"),
    tags={"Name": "orders-db"},
)  # fmt: skip
SUBNETS = {"subnet-1": "web-a", "subnet-2": "data-a", "subnet-3": ""}
WANTED = Wanted(
    addresses=(("vpc-1", "10.0.2.30"), ("vpc-1", "2001:db8::2")), interfaces=("eni-2",), subnets=("subnet-1",)
)


class Container:
    """A container with its cache."""

    def __init__(self, **given: Any) -> None:
        self.aws = FakeNames(**({"interfaces": (DATABASE,), "subnets": SUBNETS, "alias": "shop"} | given))
        self.warnings: list[str] = []
        self.cache = NameCache(self.aws, ACCOUNT, self.warnings.append)
        self.known = InterfaceCache(FakeDirectory(), self.warnings.append)

    def find(
        self,
        wanted: Wanted = WANTED,
        now: int = NOW,
        left: Callable[[], float] = lambda: 40.0,
        known: InterfaceView | None = None,
    ) -> Names:
        """What a batch finds."""
        return self.cache.find(wanted, known or self.known.for_batch(now), now, left)


def test_everything_is_found_with_one_call_of_each_kind() -> None:
    """One for each family of addresses; subnets of what was found are looked up with the others."""
    container = Container()
    found = container.find()
    assert found.hosts == dict.fromkeys(WANTED.addresses, (DATABASE, NOW))
    assert found.interfaces == {"eni-2": DATABASE}
    assert found.subnets == {"subnet-1": "web-a", "subnet-2": "data-a"}
    assert found.aliases == {ACCOUNT: "shop"}
    assert found.unavailable == ""
    assert container.aws.asked == [
        ("having", ("vpc-1", "10.0.2.30")),
        ("having", ("vpc-1", "2001:db8::2")),
        ("describe", ("eni-2",)),
        ("subnet_names", ("subnet-1", "subnet-2")),
        ("account_alias", ()),
    ]


def test_a_hundred_batches_ask_once_an_hour() -> None:
    """Also about what AWS does not know, which is asked again after 15 minutes."""
    container = Container(alias="", subnets={}, interfaces=())
    for each in range(100):
        container.find(now=NOW + each)
    assert len(container.aws.asked) == 5
    container.find(now=NOW + MISSING_SECONDS)
    assert [name for name, _ in container.aws.asked[5:]] == ["having", "having", "describe"]
    container.find(now=NOW + VALID_SECONDS)
    assert [name for name, _ in container.aws.asked[8:]] == [
        "having", "having", "describe", "subnet_names", "account_alias",
    ]  # fmt: skip


def test_nothing_is_asked_for_what_the_batch_has_described() -> None:
    """A finding about an interface names one that the container knows."""
    container = Container()
    known = InterfaceCache(FakeDirectory.of(DATABASE), container.warnings.append).for_batch(NOW)
    known.known(["eni-2"])
    found = container.find(Wanted(interfaces=("eni-2",)), known=known)
    assert found.interfaces == {"eni-2": DATABASE}
    assert "describe" not in {name for name, _ in container.aws.asked}


@pytest.mark.parametrize(
    ("method", "lost"), [("having", "hosts"), ("describe", "interfaces"), ("subnet_names", "subnets")]
)
def test_a_call_that_fails_costs_what_it_is_about_and_says_so(method: str, lost: str) -> None:
    """It is not made again for a minute, however many batches there are."""
    container, why = (
        Container(fails={method: "DescribeX: RequestLimitExceeded"}),
        "DescribeX: RequestLimitExceeded",
    )
    whole = Container().find()
    for each in range(10):
        found = container.find(now=NOW + each)
        assert found.unavailable == why
        assert getattr(found, lost) == {}
        kept = {"hosts", "interfaces", "subnets", "aliases"} - {lost, "subnets" if lost == "hosts" else lost}
        assert {name: getattr(found, name) for name in kept} == {
            name: getattr(whole, name) if name != "hosts" else found.hosts for name in kept
        }
    assert [name for name, _ in container.aws.asked].count(method) == 1
    assert container.warnings == [f"names for notifications cannot be looked up: {why}"]
    container.aws.fails.clear()
    assert container.find(now=NOW + PAUSE_SECONDS).unavailable == ""


def test_the_alias_is_optional() -> None:
    """A stack without the permission has complete pages; the log says why, once a minute at most."""
    container = Container(fails={"account_alias": "ListAccountAliases: AccessDenied"})
    for each in range(10):
        found = container.find(now=NOW + each)
        assert (found.aliases, found.unavailable) == ({}, "")
    assert len(container.warnings) == 1


def test_the_refusal_of_the_batchs_own_query_is_named() -> None:
    """Then the hosts that logged the records have no names."""
    container = Container()
    directory = FakeDirectory(refuses=True)
    known = InterfaceCache(directory, container.warnings.append).for_batch(NOW)
    known.known(["eni-1"])
    assert container.find(Wanted(), known=known).unavailable == "RequestLimitExceeded, by the test"


def test_lookups_stop_after_their_seconds() -> None:
    """Each answers slowly; the page says why names are missing."""
    used = 0.0

    def take() -> None:
        nonlocal used
        used += 2.0

    container = Container(takes=take)
    found = container.find(left=lambda: 40.0 - used)
    assert used == 4.0 <= NAME_SECONDS + 2.0
    assert found.unavailable == NO_TIME
    assert found.hosts.keys() == {*WANTED.addresses}
    assert (found.subnets, found.aliases) == ({}, {})


@pytest.mark.parametrize(
    ("left", "calls"), [(RESERVE + SLOWEST_LOOKUP, 0), (RESERVE + SLOWEST_LOOKUP + 1, 5)]
)
def test_no_lookup_begins_in_the_time_that_notifications_need(left: float, calls: int) -> None:
    """Even one that hangs leaves enough of it."""
    container = Container()
    container.find(left=lambda: left)
    assert len(container.aws.asked) == calls


def test_an_address_of_several_interfaces_has_no_host() -> None:
    """It moved recently, and a page must not name the wrong one."""
    container = Container(interfaces=(DATABASE, replace(DATABASE, interface_id="eni-3")))
    assert container.find().hosts == {}


def test_another_vpc_with_the_same_address_is_another_host() -> None:
    """Two VPCs in one batch are asked with one call, and their answers kept apart."""
    other = replace(DATABASE, interface_id="eni-9", vpc_id="vpc-2", addresses=("10.0.2.31",))
    container = Container(interfaces=(DATABASE, other))
    found = container.find(Wanted(addresses=(("vpc-1", "10.0.2.31"), ("vpc-2", "10.0.2.30"))))
    assert found.hosts == {}
    assert len([name for name, _ in container.aws.asked if name == "having"]) == 1


def test_the_cache_is_bounded() -> None:
    """Large tags of many hosts drop the oldest ones."""
    big = tuple(
        replace(
            DATABASE, interface_id=f"eni-{each}", addresses=(f"10.0.3.{each}",), tags={"x": "y" * 250_000}
        )
        for each in range(40)
    )
    container = Container(interfaces=big)
    for each in big:
        assert container.find(Wanted(addresses=(("vpc-1", each.addresses[0]),))).hosts
    assert container.cache._interfaces.bytes <= 5 * 2**20  # noqa: SLF001
