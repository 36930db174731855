"""Records that AWS skips: one window is nothing, three of an hour are told."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.monitor.detectors import records_skipped
from flowwarden.monitor.findings import InterfaceFinding
from flowwarden.monitor.render.text import describe
from flowwarden.policy.detection import Thresholds
from flowwarden.records.model import Gap, GapKind
from flowwarden.state.sets import Sets, merged

NOON = 1_764_072_000
ENI = "eni-0a"


def skipped(*minutes: int, interface: str = ENI) -> list[Gap]:
    """Gaps of windows that begin so many minutes after noon."""
    return [
        Gap(kind=GapKind.SKIPDATA, interface_id=interface, start=NOON + 60 * minute) for minute in minutes
    ]


def judged(*batches: list[Gap], least: int = Thresholds().lost_windows) -> InterfaceFinding | None:
    """What is told after these batches, each of a container of its own."""
    items: dict[str, Sets] = {}
    spot = None
    for gaps in batches:
        for interface, starts in records_skipped.lost_windows(gaps, NOON + 86_400).items():
            added = records_skipped.additions(interface, starts)
            for each in added.values():
                items[each.key] = merged(items.get(each.key, {}), each.sets)
            states = {begin: items[each.key][records_skipped.LOST] for begin, each in added.items()}
            spot = records_skipped.inspect(interface, states, least) or spot
    return spot


@pytest.mark.parametrize(
    ("minutes", "told"),
    [
        ((0,), False),
        ((0, 10), False),
        ((0, 10, 20), True),
        ((0, 1, 59), True),
        ((0, 1, 60), False),
        ((50, 60, 70), True),  # over the full hour
        ((110, 120, 130), True),  # over the end of an item
        ((-20, 0, 20), True),
        ((0, 40, 80, 120), False),  # now and then is not again and again
    ],
)
def test_three_windows_of_an_hour_are_told(minutes: tuple[int, ...], told: bool) -> None:  # noqa: FBT001
    """Wherever the hour lies, and each window in a batch of its own."""
    assert (judged(*(skipped(each) for each in minutes)) is not None) == told
    assert (judged(skipped(*minutes)) is not None) == told


def test_how_many_windows_it_takes_is_the_users() -> None:
    """From one on, up to as many as an hour has of ten minutes."""
    assert judged(skipped(5), least=1) is not None
    assert judged(skipped(0, 10, 20, 30, 40), least=6) is None
    assert judged(skipped(0, 10, 20, 30, 40, 50), least=6) is not None


def test_one_window_delivered_three_times_is_one_window() -> None:
    """So nothing is told."""
    assert judged(skipped(5), skipped(5), skipped(5)) is None


def test_windows_of_several_interfaces_do_not_add_up() -> None:
    """Each is judged by itself."""
    assert judged(skipped(0), skipped(10, interface="eni-0b"), skipped(20, interface="eni-0c")) is None


def test_a_silent_window_is_not_a_lost_one() -> None:
    """NODATA says that nobody talked."""
    gaps = [Gap(kind=GapKind.NODATA, interface_id=ENI, start=NOON + 60 * each) for each in range(60)]
    assert judged(gaps) is None


def test_a_nat_gateway_without_an_interface_is_told_by_its_id() -> None:
    """The records of a regional one have no interface."""
    gaps = [Gap(kind=GapKind.SKIPDATA, resource_id="nat-1", start=NOON + 60 * each) for each in range(3)]
    spot = judged(gaps)
    assert spot is not None
    assert spot.subject == "nat-1"


def test_what_is_told_names_the_interface_and_the_time() -> None:
    """From the first window to the last one."""
    spot = judged(skipped(0, 10, 20, 30))
    assert spot is not None
    assert (spot.subject, spot.interfaces) == (ENI, (ENI,))
    assert (spot.first, spot.last) == (NOON, NOON + 1800)
    assert spot.facts == records_skipped.Facts(windows=4, limit=3)
    assert "at least 4 aggregation windows of eni-0a" in describe(spot).summary


def test_a_window_of_the_future_or_of_no_time_is_none() -> None:
    """Delivered again a minute later it would be another one."""
    odd = (Gap(kind=GapKind.SKIPDATA, interface_id=ENI, start=start) for start in (NOON + 10**9, None))
    assert records_skipped.lost_windows([*odd, *skipped(-2, -1)], NOON)[ENI] == {NOON - 60, NOON - 120}


@given(
    st.lists(st.integers(0, 300), max_size=12),
    st.integers(1, 4),
    st.randoms(use_true_random=False),
)
def test_order_repetition_and_partition_change_nothing(
    minutes: list[int], parts: int, random: Random
) -> None:
    """In the end the same is told: whether, and about when."""
    whole = judged(skipped(*minutes))
    shuffled = minutes * 2
    random.shuffle(shuffled)
    split = judged(*(skipped(*shuffled[part::parts]) for part in range(parts)))
    assert (whole is None) == (split is None)
