"""What a container knows of network interfaces: asked for seldom, remembered, never a failure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pytest

from flowwarden.monitor.caches.interfaces import (
    MISSING_SECONDS,
    MISSING_SECONDS_AT_MOST,
    MOST,
    REFUSED_SECONDS,
    TOGETHER,
    VALID_SECONDS,
    InterfaceCache,
)
from flowwarden.network.interface import NetworkInterface
from tests.monitor.fakes_interfaces import FakeDirectory, interface

NOW = 1_764_000_000
ONE, TWO = interface("eni-1"), interface("eni-2", "db")


class Book:
    """A container's cache, asked by a batch of its own each time."""

    def __init__(self, cache: InterfaceCache) -> None:
        self._cache = cache
        self.unavailable = 0
        """Questions of all batches that EC2 refused."""

    def interface(self, interface_id: str, now: int) -> NetworkInterface | None:
        """One interface."""
        return self.interfaces([interface_id], now).get(interface_id)

    def interfaces(self, interface_ids: Iterable[str], now: int) -> Mapping[str, NetworkInterface]:
        """Those that are known."""
        view = self._cache.for_batch(now)
        known = view.known(interface_ids)
        self.unavailable += view.failures
        return known

    def described(self, interface_ids: Iterable[str], now: int) -> Mapping[str, NetworkInterface] | None:
        """Those that EC2 describes."""
        return self._cache.for_batch(now).described(interface_ids)


@dataclass
class Container:
    """A container's book, and what it asked and told."""

    directory: FakeDirectory = field(default_factory=lambda: FakeDirectory.of(ONE, TWO))
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin with an empty book."""
        self.book = Book(InterfaceCache(self.directory, self.told.append))

    @property
    def asked(self) -> list[list[str]]:
        """The ids of every question."""
        return self.directory.asked


@pytest.fixture
def container() -> Container:
    """A new one, on an account that knows two interfaces."""
    return Container()


def test_an_interface_is_asked_for_once_in_its_time(container: Container) -> None:
    """An hour: what interfaces are for changes seldom."""
    for later in (0, 1, VALID_SECONDS - 1):
        assert container.book.interface("eni-1", NOW + later) == ONE
    assert container.asked == [["eni-1"]]


def test_a_changed_role_is_known_after_that_time(container: Container) -> None:
    """And not before."""
    container.book.interface("eni-1", NOW)
    container.directory.known["eni-1"] = changed = interface("eni-1", "cache")
    assert container.book.interface("eni-1", NOW + VALID_SECONDS - 1) == ONE
    assert container.book.interface("eni-1", NOW + VALID_SECONDS) == changed


def test_several_interfaces_are_one_question(container: Container) -> None:
    """For those alone that are not known; a repeated id is one."""
    container.book.interface("eni-1", NOW)
    known = container.book.interfaces(["eni-1", "eni-2", "eni-3", "eni-2"], NOW)
    assert known == {"eni-1": ONE, "eni-2": TWO}
    assert container.asked == [["eni-1"], ["eni-2", "eni-3"]]


def test_no_interfaces_are_no_question(container: Container) -> None:
    """A batch of a format without `interface-id` has none."""
    assert container.book.interfaces([], NOW) == {}
    assert container.asked == []


def test_a_missing_interface_is_asked_for_again_soon_but_not_at_once(container: Container) -> None:
    """EC2 may not show a new one yet."""
    for later in (0, MISSING_SECONDS - 1):
        assert container.book.interface("eni-3", NOW + later) is None
    assert len(container.asked) == 1
    container.directory.known["eni-3"] = new = interface("eni-3")
    assert container.book.interface("eni-3", NOW + MISSING_SECONDS) == new


def test_an_interface_of_another_account_is_asked_for_less_and_less(container: Container) -> None:
    """It is missing for ever; after a week it is asked for four times a day."""
    for minutes in range(0, 7 * 24 * 60, 5):
        assert container.book.interface("eni-3", NOW + minutes * 60) is None
    week = len(container.asked)
    for minutes in range(7 * 24 * 60, 8 * 24 * 60, 5):
        container.book.interface("eni-3", NOW + minutes * 60)
    assert len(container.asked) - week == 24 * 3600 // MISSING_SECONDS_AT_MOST


def test_a_deleted_interface_is_what_it_was(container: Container) -> None:
    """Its last records come minutes after it has gone, and its id is never used again."""
    container.book.interface("eni-1", NOW)
    del container.directory.known["eni-1"]
    late = NOW + VALID_SECONDS
    assert container.book.interface("eni-1", late) == ONE
    assert container.book.interface("eni-1", late + MISSING_SECONDS) == ONE
    assert len(container.asked) == 3


def test_after_a_refusal_nothing_is_asked_for_a_while(container: Container) -> None:
    """Neither for the same interface nor for another one, and a person is told once."""
    container.directory.refuses = True
    for interface_id in ("eni-1", "eni-1", "eni-2"):
        assert container.book.interface(interface_id, NOW) is None
    assert container.book.interface("eni-1", NOW + REFUSED_SECONDS - 1) is None
    assert container.asked == [["eni-1"]]
    assert len(container.told) == container.book.unavailable == 1
    assert "RequestLimitExceeded" in container.told[0]
    assert "eni-1" in container.told[0]


def test_a_refusal_is_not_taken_for_a_missing_interface(container: Container) -> None:
    """It is known as soon as EC2 answers again."""
    container.directory.refuses = True
    container.book.interface("eni-1", NOW)
    container.directory.refuses = False
    assert container.book.interface("eni-1", NOW + REFUSED_SECONDS) == ONE


def test_what_was_known_before_is_told_while_ec2_refuses(container: Container) -> None:
    """However old: a host changes its role seldom."""
    container.book.interface("eni-1", NOW)
    container.directory.refuses = True
    assert container.book.interface("eni-1", NOW + 5 * VALID_SECONDS) == ONE
    assert container.book.interfaces(["eni-1", "eni-2"], NOW + 5 * VALID_SECONDS) == {"eni-1": ONE}
    assert len(container.told) == 1


def test_what_is_too_old_is_asked_for_along_with_what_a_batch_needs(container: Container) -> None:
    """A batch is mostly about one interface; each of them would cost a call of its own every hour."""
    container.book.interfaces(["eni-1", "eni-2"], NOW)
    container.book.interface("eni-2", NOW + VALID_SECONDS)
    container.book.interface("eni-1", NOW + VALID_SECONDS)
    assert container.asked[1:] == [["eni-2", "eni-1"]]


def test_what_is_still_trusted_is_not_asked_for_along(container: Container) -> None:
    """It would be asked for ever more often."""
    container.book.interface("eni-1", NOW)
    container.book.interface("eni-2", NOW + VALID_SECONDS - 1)
    assert container.asked[1:] == [["eni-2"]]


def test_no_more_is_asked_along_than_an_answer_may_hold(container: Container) -> None:
    """But all that a batch needs is."""
    many = [f"eni-a{number}" for number in range(2 * TOGETHER)]
    container.book.interfaces(many, NOW)
    container.book.interface(many[-1], NOW + VALID_SECONDS)
    assert [len(ids) for ids in container.asked] == [2 * TOGETHER, TOGETHER]


def test_a_book_is_bounded_and_forgets_what_was_asked_for_the_longest_ago(container: Container) -> None:
    """A container may live for hours and see interfaces that live for minutes."""
    container.book.interface("eni-1", NOW)
    container.book.interface("eni-2", NOW)
    container.book.interfaces((f"eni-a{number}" for number in range(MOST - 1)), NOW)
    container.book.interface("eni-2", NOW)
    assert len(container.asked) == 3
    container.book.interface("eni-1", NOW)
    assert container.asked[3:] == [["eni-1"]]


def test_a_batch_larger_than_the_book_is_answered_all_the_same() -> None:
    """What it forgets at once it has told before."""
    many = [interface(f"eni-a{number}") for number in range(MOST + 1)]
    container = Container(FakeDirectory.of(*many))
    assert len(container.book.interfaces([each.interface_id for each in many], NOW)) == MOST + 1


def test_what_ec2_describes_now_is_asked_of_ec2_whatever_is_known(container: Container) -> None:
    """An interface that was deleted a minute ago is known, and not there."""
    assert container.book.interface("eni-1", NOW) == ONE
    del container.directory.known["eni-1"]
    assert container.book.described(["eni-1", "eni-2", "eni-2"], NOW) == {
        "eni-2": container.directory.known["eni-2"]
    }
    assert container.asked[1:] == [["eni-1", "eni-2"]]
    assert container.book.interface("eni-1", NOW) == ONE


def test_nothing_is_described_while_ec2_refuses(container: Container) -> None:
    """It is told once, and not asked again at once."""
    container.directory.refuses = True
    assert container.book.described(["eni-1"], NOW) is None
    assert container.book.described(["eni-1"], NOW + REFUSED_SECONDS - 1) is None
    assert container.book.described([], NOW + REFUSED_SECONDS) == {}
    assert len(container.asked) == len(container.told) == 1
