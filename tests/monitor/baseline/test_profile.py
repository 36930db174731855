"""Profiles: what a role usually connects to on any host."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.monitor.baseline.baseline import DAYS_SEEN, Baseline, administers_network
from flowwarden.monitor.baseline.profile import DAYS_ADMINISTERED, RoleProfile
from flowwarden.state.sets import BUCKETS, fingerprint
from tests.examples import examples

DAY = 20_000
TCP, SSH, SMB = 6, 22, 445


def administering(days: Mapping[int, int], port: int = SSH) -> Baseline:
    """A role that administered networks, given by bucket, on this number of days each."""
    return Baseline(
        DAY,
        {
            DAY - ago: {
                fingerprint(*administers_network(TCP, port, network))
                for network, count in days.items()
                if count >= ago
            }
            for ago in range(1, 31)
        },
    )


@given(st.dictionaries(st.integers(0, BUCKETS - 1), st.integers(1, 30), max_size=40))
@examples(1)
def test_the_networks_of_a_service_are_those_known_one_by_one(days: dict[int, int]) -> None:
    """With the days of each; those seen on one day are not usual, and another service has its own."""
    role = administering(days)
    one_by_one = [role.days_of(administers_network(TCP, SSH, network)) for network in range(BUCKETS)]
    assert sorted(role.days_of_networks(TCP, SSH)) == sorted(each for each in one_by_one if each >= DAYS_SEEN)
    assert role.days_of_networks(TCP, SMB) == role.days_of_networks(17, SSH) == []


@pytest.mark.parametrize(
    ("days", "port", "all_of_them"),
    [
        ({1: DAYS_ADMINISTERED, 200: DAYS_ADMINISTERED}, SSH, True),
        ({1: DAYS_ADMINISTERED, 200: DAYS_ADMINISTERED - 1}, SSH, False),
        ({1: 2 * DAYS_ADMINISTERED}, SSH, False),
        (dict.fromkeys(range(4), 30), SMB, False),
        (dict.fromkeys(range(5), 5), SMB, True),
    ],
    ids=["two networks", "a day less", "one network", "four networks of files", "five"],
)
def test_a_role_that_administers_several_networks_administers_others(
    days: dict[int, int], port: int, *, all_of_them: bool
) -> None:
    """However often the profile is asked, and for each service alone."""
    profile = RoleProfile(DAY, baseline=administering(days, port))
    expected = {(TCP, port)} if all_of_them else set()
    other = SMB if port == SSH else SSH
    for services in ([(TCP, port)], [(TCP, port), (TCP, other)], [(TCP, port)]):
        assert profile.asks(services) == expected
    assert profile.asks([(TCP, other)]) == frozenset()


def test_without_a_baseline_nothing_is_usual() -> None:
    """Nor is it for an empty one."""
    for profile in (RoleProfile(DAY), RoleProfile(DAY, baseline=Baseline(DAY, {}))):
        assert profile.asks([(TCP, SSH)]) == frozenset()
