"""The policy in a profile of AppConfig: when it is used, and what is used instead."""

from __future__ import annotations

import pytest

from flowwarden.notify.claims import Claim, ClaimState
from flowwarden.policy.last_good import POLL_SECONDS, Origin, PolicyRecorder, choose
from flowwarden.policy.policy import Policy
from tests.policy.fakes import MemoryPolicy, MemoryProfile

PARAMETER, GOOD, NEXT = '{"exempt": ["10.0.9.7"]}', '{"exempt": ["10.0.9.9"]}', '{"exempt": ["10.0.9.8"]}'
TYPO = '{"exemt": ["10.0.9.9"]}'
NOW = 1_764_000_000


def test_the_profile_is_used_instead_of_the_parameter_and_becomes_the_last_good_policy() -> None:
    """The parameter is not stored."""
    store = MemoryPolicy()
    recorder = PolicyRecorder.choosing(PARAMETER, store, MemoryProfile(GOOD))
    assert (recorder.in_use.policy, recorder.in_use.origin) == (Policy.from_json(GOOD), Origin.CONFIGURED)
    assert recorder.alerts("111122223333", "eu-west-1") == []
    recorder.keep(NOW)
    assert store.text == GOOD


@pytest.mark.parametrize("profile", [MemoryProfile(GOOD, away=True), MemoryProfile(TYPO)])
@pytest.mark.parametrize(
    ("stored", "parameter", "used", "origin"),
    [
        (NEXT, PARAMETER, NEXT, Origin.LAST_GOOD),
        (None, PARAMETER, PARAMETER, Origin.PARAMETER),
        (TYPO, PARAMETER, PARAMETER, Origin.PARAMETER),
        (None, TYPO, "{}", Origin.DEFAULT),
    ],
)
def test_an_unusable_profile_is_replaced_by_the_last_good_policy_the_parameter_or_the_default(
    profile: MemoryProfile, stored: str | None, parameter: str, used: str, origin: Origin
) -> None:
    """In this order; none of them is stored."""
    store = MemoryPolicy(stored)
    recorder = PolicyRecorder.choosing(parameter, store, profile.in_new_container())
    assert (recorder.in_use.policy, recorder.in_use.origin) == (Policy.from_json(used), origin)
    recorder.keep(NOW)
    assert store.text == stored


def test_without_the_state_table_the_parameter_is_used_and_the_next_event_chooses_again() -> None:
    """No outage stops paging."""
    in_use = choose(PARAMETER, MemoryPolicy(NEXT, away=True), MemoryProfile(GOOD, away=True))
    assert (in_use.policy, in_use.is_final) == (Policy.from_json(PARAMETER), False)


def test_the_profile_is_asked_for_changes_at_intervals_from_the_first_event_on() -> None:
    """Not at each event: each question is a call. What it answers is used without another one."""
    profile = MemoryProfile(GOOD)
    recorder = PolicyRecorder.choosing(PARAMETER, MemoryPolicy(), profile)
    assert not any(recorder.renew(NOW + second) for second in range(POLL_SECONDS))
    assert profile.calls == 1
    profile.content = NEXT
    assert recorder.renew(NOW + POLL_SECONDS)
    assert (recorder.in_use.policy, profile.calls) == (Policy.from_json(NEXT), 2)
    assert not recorder.renew(NOW + POLL_SECONDS + 1)


def test_the_second_event_of_a_container_asks_however_late_it_comes() -> None:
    """Otherwise a container that is seldom used would go on with an old policy."""
    profile = MemoryProfile(GOOD)
    recorder = PolicyRecorder.choosing(PARAMETER, MemoryPolicy(), profile)
    assert not recorder.renew(NOW)
    profile.content = NEXT
    assert recorder.renew(NOW + 4 * 3600)


def test_a_profile_that_does_not_answer_is_asked_again_later_and_then_used() -> None:
    """Each failed call takes seconds, so not at the next event."""
    profile, store = MemoryProfile(GOOD, away=True), MemoryPolicy(NEXT)
    recorder = PolicyRecorder.choosing(PARAMETER, store, profile)
    for second in (0, 10, POLL_SECONDS, POLL_SECONDS + 10):
        assert not recorder.renew(NOW + second)
    assert profile.calls == 2
    profile.away = False
    assert recorder.renew(NOW + 2 * POLL_SECONDS)
    assert recorder.in_use.policy == Policy.from_json(GOOD)
    recorder.keep(NOW)
    assert store.text == GOOD


def test_a_new_version_that_is_not_valid_does_not_replace_the_last_good_one() -> None:
    """The container chooses again, and reports the new version."""
    profile, store = MemoryProfile(GOOD), MemoryPolicy()
    PolicyRecorder.choosing(PARAMETER, store, profile).keep(NOW)
    profile.content = TYPO
    recorder = PolicyRecorder.choosing(PARAMETER, store, profile.in_new_container())
    assert recorder.in_use.policy == Policy.from_json(GOOD)
    (alert,) = recorder.alerts("111122223333", "eu-west-1")
    text = alert.notification(Claim(state=ClaimState.CLAIMED)).text
    assert "exemt: unknown setting" in text
    assert "AppConfig profile abc1234/def5678/ghi9012" in text
    assert "within 5 minutes" in text


def test_a_policy_of_the_parameter_is_not_chosen_again() -> None:
    """It changes with a deployment, which starts new containers."""
    recorder = PolicyRecorder.choosing(GOOD, MemoryPolicy())
    assert not any(recorder.renew(NOW + hour * 3600) for hour in range(100))
