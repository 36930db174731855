"""When a report on learning is due, and about which roles."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flowwarden.monitor.baseline.baseline import LEARNING_DAYS
from flowwarden.monitor.baseline.known_roles import KnownRole
from flowwarden.monitor.review.due import (
    DAYS_BETWEEN,
    MOST_READ,
    WAIT_DAYS,
    candidates,
    incident_of,
    number_of,
    reported_addition,
)
from flowwarden.state.sets import Sets, merged
from tests.examples import examples

TODAY = 20_500
DUE = TODAY - LEARNING_DAYS - WAIT_DAYS


def role(name: str, known: int = DUE) -> KnownRole:
    """A role that was stored on a day."""
    return KnownRole(role=name, known=known)


def named(roles: list[KnownRole], reported: Sets, today: int = TODAY) -> set[str]:
    """The names of the candidates."""
    return {each.role for each in candidates(roles, reported, today)}


def test_a_report_that_is_due_includes_younger_roles() -> None:
    """Those that are two weeks old, but none that is younger. Without a role that has waited, all wait."""
    younger = [role("b", DUE + WAIT_DAYS), role("c", DUE + WAIT_DAYS + 1)]
    assert named([role("a"), *younger], {}) == {"a", "b"}
    assert named(younger, {}) == set()


def test_a_reported_role_is_no_candidate() -> None:
    """Another one follows a week after the last report, or the next day if it was left out."""
    roles = [role("a"), role("b")]
    for more, days in ((False, DAYS_BETWEEN), (True, 1)):
        reported = reported_addition(["a"], TODAY, more=more).sets
        assert named(roles, reported, TODAY + days - 1) == set()
        assert named(roles, reported, TODAY + days) == {"b"}


def test_a_damaged_day_delays_no_report() -> None:
    """A day far ahead, of a role or of a report."""
    assert named([role("a", 10**9)], {}) == {"a"}
    assert named([role("a", TODAY + 1)], {}) == set()
    assert named([role("a")], {"days": frozenset({10**9})}) == {"a"}


def test_roles_that_are_never_learned_do_not_displace_others() -> None:
    """Each day reads others first."""
    roles = [role(f"r{number}") for number in range(2 * MOST_READ)]
    seen = set[str]()
    for day in range(TODAY, TODAY + 20):
        found = named(roles, {}, day)
        assert len(found) == MOST_READ
        seen |= found
    assert len(seen) == len(roles)


@examples(0.3)
@given(st.permutations([role(each) for each in "abcdef"]), st.sets(st.sampled_from("abcdef")))
def test_all_containers_find_the_same_roles(roles: list[KnownRole], earlier: set[str]) -> None:
    """Whatever order the table lists them in, so the incident is the same."""
    reported = merged(reported_addition([*earlier], TODAY - DAYS_BETWEEN, more=False).sets)
    found = candidates(roles, reported, TODAY)
    assert found == candidates(sorted(roles, key=lambda each: each.role), reported, TODAY)
    assert {each.role for each in found} == set("abcdef") - earlier
    assert incident_of("eu-west-1", roles) == incident_of("eu-west-1", roles[::-1])


def test_a_role_that_is_learned_again_is_another_incident() -> None:
    """Otherwise the claim of its first report would suppress the second."""
    assert incident_of("r", [role("a")]) != incident_of("r", [role("a", DUE + 1)])
    assert incident_of("r", [role("a")]) != incident_of("r", [role("b")])
    assert number_of("a") != number_of("b")
