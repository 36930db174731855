"""reject-spike: rejected internet attempts, compared with the day before."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from flowwarden.monitor.detectors import internet_rejects
from flowwarden.monitor.detectors.reject_spike import (
    ATTEMPTED,
    HISTORY,
    LEAST,
    QUIET,
    SLOT,
    Facts,
    addition,
    attempts,
    is_spike,
    keys,
    may_be_one,
    report,
)
from flowwarden.monitor.findings import FlowSample, Severity
from flowwarden.monitor.render.text import describe
from flowwarden.policy.detection import Thresholds
from flowwarden.records.model import Flow
from flowwarden.state.sets import distinct
from tests.flows import START, directions, noisy, rejected
from tests.monitor.batches import finding_with

HOST = "10.0.0.10"
NOW = START + 700
HERE = START // SLOT
PLACE = "eni-1", HOST

TIMES = Thresholds().spike_factor


def noise(count: int, at: int = START, port: int = 22) -> list[Flow]:
    """This number of internet hosts, each rejected once."""
    return [
        rejected(f"203.0.{each // 250}.{each % 250 + 1}:40000", f"{HOST}:{port}", start=at)
        for each in range(count)
    ]


def usual(count: float, **others: float) -> dict[int, float]:
    """A day of equal slots, except for the given ones."""
    alike = dict.fromkeys(range(HERE - HISTORY, HERE), count)
    return alike | {HERE - int(ago.removeprefix("ago")): value for ago, value in others.items()}


@pytest.mark.parametrize(
    ("before", "count", "spike"),
    [
        ({}, 5 * LEAST, False),
        ({}, 5 * LEAST + 20, True),
        (usual(10), 5 * LEAST + 20, True),  # counts below the storage limit count as the limit
        (usual(100), 500, False),
        (usual(100), 520, True),
        (usual(100, ago9=600), 600, False),  # already reported
        (usual(100, ago37=600), 600, True),
        (usual(100, ago9=400), 600, True),
    ],
)
def test_a_spike_is_far_above_what_is_usual(
    before: Mapping[int, float], count: float, *, spike: bool
) -> None:
    """And the first one within six hours."""
    assert is_spike(HERE, count, before, TIMES) == spike


def test_a_varying_rate_needs_a_larger_spike() -> None:
    """Five times the median is not six deviations above it."""
    restless = {slot: (30.0, 300.0, 90.0)[slot % 3] for slot in range(HERE - HISTORY, HERE)}
    assert not is_spike(HERE, 90 * 5 + 50, restless, TIMES)


def test_the_policy_sets_the_multiple() -> None:
    """A quiet host, and forty times its usual number of attempts."""
    assert is_spike(HERE, 40 * LEAST, {}, 39)
    assert not is_spike(HERE, 40 * LEAST, {}, 41)


def test_attempts_older_than_a_day_do_not_count() -> None:
    """Older items are neither read nor counted."""
    asked = keys(PLACE, HERE)
    assert set(asked.values()) == set(range(HERE - HISTORY, HERE))
    assert QUIET < HISTORY
    assert is_spike(HERE, 600, {HERE - HISTORY - 1: 10_000}, TIMES)


def test_only_many_rejected_attempts_of_internet_hosts_count() -> None:
    """Distinct attempts: a repeated one counts once, and those of internal hosts do not count."""
    own = [rejected(f"10.0.1.{each}:40000", f"{HOST}:22") for each in range(LEAST)]
    stale = noise(LEAST, port=443)
    assert attempts(*noisy(*noise(LEAST - 1), *noise(LEAST - 1), *own), NOW) == {}
    late = [rejected(f"{each.srcaddr}:1", f"{HOST}:80", tcp_flags=0) for each in stale]
    assert attempts(*noisy(*late), NOW) == {}
    (found,) = attempts(*noisy(*noise(LEAST)), NOW).items()
    assert (found[0], len(found[1])) == ((PLACE, HERE), LEAST)


def test_a_repeated_attempt_is_stored_once() -> None:
    """Two records of one attempt count once."""
    (found,) = attempts(*noisy(*noise(LEAST + 5), *noise(LEAST + 5)), NOW).values()
    assert len(found) == LEAST + 5


def test_each_slot_is_counted_separately() -> None:
    """An hour's batch contains six slots; records from the future count as current."""
    flows = noisy(*noise(LEAST), *noise(LEAST, START - SLOT), *noise(LEAST, NOW + 10**6, port=80))
    assert {slot for _, slot in attempts(*flows, NOW)} == {HERE - 1, HERE, NOW // SLOT}


def test_attempts_are_stored_in_the_item_that_is_read() -> None:
    """The item is kept until it is no longer read."""
    one = addition(PLACE, HERE - 1, directions(*noise(LEAST)), np.arange(LEAST))
    assert one.key in keys(PLACE, HERE)
    assert one.kept_until >= (HERE + HISTORY) * SLOT


def test_without_history_a_spike_needs_more_than_a_multiple_of_the_least_number() -> None:
    """The multiple is the policy's spike factor."""
    assert not may_be_one(5 * LEAST + 1, TIMES + 1)
    assert may_be_one(5 * LEAST + 1, TIMES)
    assert not may_be_one(5 * LEAST, TIMES)


@pytest.mark.parametrize(
    "flows",
    [
        noise(400),
        [rejected("203.0.113.9:40000", f"{HOST}:{port}", start=START) for port in range(1, 401)],
        [rejected(f"203.0.113.{n % 20}:1", f"{HOST}:{n // 20 + 1}", start=START) for n in range(400)],
    ],
    ids=["hosts in a row", "ports in a row", "both"],
)
def test_buckets_estimate_the_number_of_attempts(flows: list[Flow]) -> None:
    """Also for regular patterns."""
    tried = addition(PLACE, HERE, directions(*flows), np.arange(len(flows))).sets[ATTEMPTED]
    assert distinct(tried) == pytest.approx(400, rel=0.2)


def test_a_spike_is_reported_and_never_pages() -> None:
    """Internet noise requires no action."""
    (about,) = finding_with(internet_rejects.DETECTOR)(noise(40))
    finding = report(about.subject, FlowSample(about.tally, about.example), 812.4, TIMES)
    assert finding.severity is Severity.INFO
    assert finding.facts == Facts(attempts=812.4, limit=TIMES)
    assert (finding.subject, describe(finding).likely) == (HOST, "background noise from the internet")
    assert "about 812 attempts in 10 min, from 40 hosts in this batch" in describe(finding).summary
