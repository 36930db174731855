"""records-skipped: one window is no finding, three within an hour are."""

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
    """Gaps of windows that begin this number of minutes after noon."""
    return [
        Gap(kind=GapKind.SKIPDATA, interface_id=interface, start=NOON + 60 * minute) for minute in minutes
    ]


def judged(*batches: list[Gap], least: int = Thresholds().skipped_windows) -> InterfaceFinding | None:
    """The finding after these batches, each in a new container."""
    items: dict[str, Sets] = {}
    spot = None
    for gaps in batches:
        for interface, starts in records_skipped.skipped_windows(gaps, NOON + 86_400).items():
            added = records_skipped.additions(interface, starts)
            for each in added.values():
                items[each.key] = merged(items.get(each.key, {}), each.sets)
            states = {
                begin: items[each.key][records_skipped.SKIPPED_MINUTES] for begin, each in added.items()
            }
            spot = records_skipped.inspect(interface, states, least) or spot
    return spot


@pytest.mark.parametrize(
    ("minutes", "reported"),
    [
        ((0,), False),
        ((0, 10), False),
        ((0, 10, 20), True),
        ((0, 1, 59), True),
        ((0, 1, 60), False),
        ((50, 60, 70), True),  # over the full hour
        ((110, 120, 130), True),  # over the end of an item
        ((-20, 0, 20), True),
        ((0, 40, 80, 120), False),  # isolated windows
    ],
)
def test_three_windows_are_reported(minutes: tuple[int, ...], reported: bool) -> None:  # noqa: FBT001
    """In any hour, also with each window in a batch of its own."""
    assert (judged(*(skipped(each) for each in minutes)) is not None) == reported
    assert (judged(skipped(*minutes)) is not None) == reported


def test_the_policy_sets_the_window_limit() -> None:
    """From one to the number of 10-minute windows in an hour."""
    assert judged(skipped(5), least=1) is not None
    assert judged(skipped(0, 10, 20, 30, 40), least=6) is None
    assert judged(skipped(0, 10, 20, 30, 40, 50), least=6) is not None


def test_one_window_delivered_three_times_is_one_window() -> None:
    """Nothing is reported."""
    assert judged(skipped(5), skipped(5), skipped(5)) is None


def test_windows_of_several_interfaces_do_not_add_up() -> None:
    """Each interface is evaluated separately."""
    assert judged(skipped(0), skipped(10, interface="eni-0b"), skipped(20, interface="eni-0c")) is None


def test_a_window_without_data_is_not_lost() -> None:
    """NODATA means no traffic."""
    gaps = [Gap(kind=GapKind.NODATA, interface_id=ENI, start=NOON + 60 * each) for each in range(60)]
    assert judged(gaps) is None


def test_a_nat_gateway_without_an_interface_is_named_by_its_id() -> None:
    """Records of a regional NAT gateway contain no interface."""
    gaps = [Gap(kind=GapKind.SKIPDATA, resource_id="nat-1", start=NOON + 60 * each) for each in range(3)]
    spot = judged(gaps)
    assert spot is not None
    assert spot.subject == "nat-1"


def test_the_finding_names_the_interface_and_the_time() -> None:
    """From the first window to the last one."""
    spot = judged(skipped(0, 10, 20, 30))
    assert spot is not None
    assert (spot.subject, spot.interfaces) == (ENI, (ENI,))
    assert (spot.first, spot.last) == (NOON, NOON + 1800)
    assert spot.facts == records_skipped.Facts(windows=4, limit=3)
    assert "at least 4 aggregation windows of eni-0a" in describe(spot).summary


def test_a_window_without_a_valid_start_does_not_count() -> None:
    """Delivered again a minute later, it would count as another window."""
    odd = (Gap(kind=GapKind.SKIPDATA, interface_id=ENI, start=start) for start in (NOON + 10**9, None))
    assert records_skipped.skipped_windows([*odd, *skipped(-2, -1)], NOON)[ENI] == {NOON - 60, NOON - 120}


@given(
    st.lists(st.integers(0, 300), max_size=12),
    st.integers(1, 4),
    st.randoms(use_true_random=False),
)
def test_order_repetition_and_partition_change_nothing(
    minutes: list[int], parts: int, random: Random
) -> None:
    """The same finding, about the same time."""
    whole = judged(skipped(*minutes))
    shuffled = minutes * 2
    random.shuffle(shuffled)
    split = judged(*(skipped(*shuffled[part::parts]) for part in range(parts)))
    assert (whole is None) == (split is None)
