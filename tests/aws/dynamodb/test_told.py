"""Claims with evidence: a repeat is told again only if the evidence grew; others join the incident."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws
from msgspec.structs import replace

from flowwarden.aws.dynamodb.claims import DynamoDbClaims
from flowwarden.aws.dynamodb.told import MAX_SUPPRESSED, SPARED
from flowwarden.notify.claims import Claim, ClaimKey, ClaimState, ClaimTerms, Owner
from flowwarden.notify.evidence import (
    GROWTH,
    JOIN_SECONDS,
    MOST_MEMBERS,
    REMIND_MANY_SECONDS,
    REMIND_SECONDS,
    Evidence,
)
from flowwarden.notify.ports import Claims
from tests.aws.clients import make_state_table, shared
from tests.aws.dynamodb.damage import empty, items
from tests.examples import examples
from tests.notify.fakes import MemoryClaims

WINDOW = 4 * 3600
TERMS = ClaimTerms(suppression=WINDOW, lease=50)
KEY, NOW, HOUR, DAY = ClaimKey("sns:pages", "k"), 1_764_000_000, 3600, 86_400
BATCHES = count()


@pytest.fixture(scope="module")
def table() -> Iterator[None]:
    """The state table, of all tests."""
    with mock_aws():
        make_state_table("state")
        yield


@pytest.fixture(params=["dynamodb", "memory"])
def claims(request: pytest.FixtureRequest) -> Claims:
    """Both implementations of the port, without claims."""
    if request.param == "memory":
        return MemoryClaims(TERMS)
    request.getfixturevalue("table")
    empty()
    return DynamoDbClaims(shared("dynamodb"), "state", TERMS)


def of(*members: str, **other: Any) -> Evidence:
    """Evidence about some members."""
    return Evidence(members=members, **other)


def told(claims: Claims, now: int, evidence: Evidence, quiet: int | None = None) -> Claim:
    """The claim of a new batch, which sends if it may."""
    owner = Owner(f"batch-{next(BATCHES)}", "1")
    claim = claims.claim(KEY, owner, now, quiet, evidence)
    if claim.state is ClaimState.CLAIMED:
        claims.confirm(KEY, owner, now, quiet, evidence.together(claim.told, claim.joined))
    return claim


def sends(claims: Claims, now: int, evidence: Evidence, quiet: int | None = None) -> bool:
    """Whether a new batch sends."""
    return told(claims, now, evidence, quiet).state is ClaimState.CLAIMED


def test_an_incident_that_goes_on_is_told_once_a_week(claims: Claims) -> None:
    """Each repeat begins the suppression again, for a week at most."""
    repeats = range(NOW, NOW + REMIND_SECONDS + 2 * WINDOW, WINDOW * 3 // 4)
    sent = [at for at in repeats if sends(claims, at, Evidence())]
    assert sent == [NOW, NOW + REMIND_SECONDS]


def test_an_incident_that_paused_is_told_again(claims: Claims) -> None:
    """Not a second earlier."""
    assert sends(claims, NOW, Evidence())
    assert not sends(claims, NOW + 100, Evidence())
    assert not sends(claims, NOW + 100 + WINDOW - 1, Evidence())
    assert sends(claims, NOW + 100 + 2 * WINDOW, Evidence())


def test_graver_evidence_is_told_at_once_and_lesser_is_not(claims: Claims) -> None:
    """However soon; afterward neither."""
    assert sends(claims, NOW, Evidence(gravity=1))
    assert not sends(claims, NOW + 1, Evidence(gravity=0))
    assert sends(claims, NOW + 2, Evidence(gravity=2))
    assert not sends(claims, NOW + 3, Evidence(gravity=1))
    assert not sends(claims, NOW + 4, Evidence(gravity=2))


def test_ten_times_as_much_is_told(claims: Claims) -> None:
    """Each time; less is not, even after something else was told."""
    assert sends(claims, NOW, Evidence(amount=12))
    assert not sends(claims, NOW + 1, Evidence(amount=12 * GROWTH - 1))
    assert sends(claims, NOW + 2, Evidence(amount=12 * GROWTH))
    assert sends(claims, NOW + 3, Evidence(amount=5, gravity=1))
    assert not sends(claims, NOW + 4, Evidence(amount=12 * GROWTH, gravity=1))


def test_others_join_for_an_hour_and_then_are_told(claims: Claims) -> None:
    """The page of one who comes later lists those that joined."""
    assert sends(claims, NOW, of("a"))
    joins = told(claims, NOW + HOUR - 1, of("b"))
    assert (joins.state, joins.joins) == (ClaimState.SUPPRESSED, True)
    late = told(claims, NOW + HOUR, of("c"))
    assert (late.state, late.joined) == (ClaimState.CLAIMED, ("b",))
    for name in "abc":
        again = told(claims, NOW + HOUR + 1, of(name))
        assert (again.state, again.joins) == (ClaimState.SUPPRESSED, False)


def test_those_that_joined_are_told_if_it_goes_on_after_the_window(claims: Claims) -> None:
    """They may not stay untold because what was told goes on as well."""
    assert sends(claims, NOW, of("a"))
    for at in range(NOW + 60, NOW + WINDOW, 1200):
        assert not sends(claims, at, of("a"))
        assert not sends(claims, at, of("b")) or at - NOW >= HOUR, "joined in the first hour"
    late = told(claims, NOW + WINDOW, of("b"))
    assert (late.state, late.joined) == (ClaimState.CLAIMED, ("b",))


def test_several_at_once_need_all_to_be_known(claims: Claims) -> None:
    """After the hour."""
    assert sends(claims, NOW, of("a", "b"))
    assert not sends(claims, NOW + HOUR, of("b", "a"))
    assert sends(claims, NOW + HOUR, of("a", "c"))


def test_one_that_does_something_else_does_not_join(claims: Claims) -> None:
    """An intruder, in the hour of an ordinary change; one that was told may go on with anything."""

    def to(member: str, *networks: str) -> Evidence:
        return of(member, places=networks, asks=(networks[:1],))

    assert sends(claims, NOW, to("a", "10.0.1.0/24", "10.0.2.0/24"))
    assert not sends(claims, NOW + 1, to("b", "10.0.2.0/24"))
    assert sends(claims, NOW + 2, to("c", "203.0.113.0/24", "10.0.1.0/24"))
    assert not sends(claims, NOW + 3, to("a", "198.51.100.0/24"))
    assert not sends(claims, NOW + 3, to("d", "203.0.113.0/24"))


def test_several_of_one_batch_join_only_if_each_may(claims: Claims) -> None:
    """An intruder must not join because the batch first shows a host of the change."""
    told_there = of("a", places=("x", "y"), asks=(("x",),))
    assert sends(claims, NOW, told_there)
    assert not sends(claims, NOW + 1, of("b", "c", asks=(("x",), ("y",))))
    assert sends(claims, NOW + 2, of("d", "e", asks=(("x",), ("z",))))


def test_of_many_members_another_joins_only_for_what_was_told(claims: Claims) -> None:
    """Not all can be stored: it may be one that was told, or an intruder."""
    many = of(*(f"10.0.{number}.1" for number in range(MOST_MEMBERS)), places=("x",), asks=(("x",),))
    assert sends(claims, NOW, many)
    assert not sends(claims, NOW + HOUR, of("another", asks=(("x",),)))
    assert sends(claims, NOW + HOUR, of("another", asks=(("y",),)))


def test_one_that_was_told_for_a_common_thing_may_not_go_on_with_another(claims: Claims) -> None:
    """If the evidence is strict; one that was told for what it alone does may."""

    def tries(member: str, *services: str) -> Evidence:
        alone = services if len(services) == 1 else ()
        return of(member, places=alone or (member,), asks=((*alone, member),), strict=True)

    together = of("a", "b", places=("7946",), asks=(("7946", "a"),), strict=True)
    assert sends(claims, NOW, together)
    assert not sends(claims, NOW + 1, tries("c", "7946"))
    assert sends(claims, NOW + 2, tries("a", "8080"))
    assert not sends(claims, NOW + 3, tries("a", "9"))
    assert not sends(claims, NOW + 4, tries("a", "1", "2"))
    assert sends(claims, NOW + 5, tries("b", "1", "2"))


def test_one_that_was_told_alone_may_go_on_with_another_thing(claims: Claims) -> None:
    """A scanner tries one service after the other: that is one incident."""
    assert sends(claims, NOW, of("a", places=("80",), asks=(("80", "a"),), strict=True))
    assert not sends(claims, NOW + 1, of("a", places=("81",), asks=(("81", "a"),), strict=True))


def test_ten_times_as_many_members_are_told(claims: Claims) -> None:
    """A page about one host; the next one when there are ten."""
    assert sends(claims, NOW, of("0"))
    sent = [number for number in range(1, 13) if sends(claims, NOW + number, of(str(number)))]
    assert sent == [10]


def test_as_many_members_as_can_be_are_stored(claims: Claims) -> None:
    """And no more, however many there are in a batch."""
    many = of(*(f"10.0.{number}.1" for number in range(3 * MOST_MEMBERS)))
    assert sends(claims, NOW, many)
    assert not sends(claims, NOW + 1, many)
    assert not sends(claims, NOW + HOUR - 1, of("another"))


def test_an_incident_of_many_is_told_again_after_a_day(claims: Claims) -> None:
    """One of them may have paused meanwhile."""
    repeats = range(NOW, NOW + REMIND_MANY_SECONDS + HOUR, HOUR)
    assert [at for at in repeats if sends(claims, at, of("a", "b"))] == [NOW, NOW + REMIND_MANY_SECONDS]


def test_a_day_window_bridges_the_day(claims: Claims) -> None:
    """Its repeats and those of an hour's window, which is shorter, do not disturb each other."""
    day = DAY + WINDOW
    assert sends(claims, NOW, Evidence(), day)
    assert not sends(claims, NOW + 100, Evidence())
    assert not sends(claims, NOW + DAY, Evidence(), day)
    assert not sends(claims, NOW + 2 * DAY, Evidence(), day)


def test_a_page_that_is_not_out_told_nothing(claims: Claims) -> None:
    """It is released, or its lease ends: then any batch sends it, of whichever member."""
    claims.claim(KEY, Owner("first", "1"), NOW, None, of("a"))
    claims.release(KEY, Owner("first", "1"))
    assert sends(claims, NOW + 1, of("b"))
    assert sends(claims, NOW + 1 + HOUR, of("a"))


def test_growth_that_is_not_out_is_told_by_the_next_batch(claims: Claims) -> None:
    """The function ended between the claim and the page."""
    assert sends(claims, NOW, Evidence(amount=1))
    claims.claim(KEY, Owner("crashed", "1"), NOW + 10, None, Evidence(amount=99))
    assert not sends(claims, NOW + 11, Evidence(amount=99)), "the lease"
    assert sends(claims, NOW + 11 + TERMS.lease, Evidence(amount=99))
    assert not sends(claims, NOW + 12 + TERMS.lease, Evidence(amount=99))


def test_the_batch_that_sent_does_not_send_again_with_more(claims: Claims) -> None:
    """A second delivery, and a replay."""
    owner, evidence = Owner("first", "1"), of("a", amount=1)
    claims.claim(KEY, owner, NOW, None, evidence)
    claims.confirm(KEY, owner, NOW, None, evidence)
    again = claims.claim(KEY, Owner("first", "2"), NOW + 1, None, of("a", "b", amount=100))
    assert (again.state, again.same_batch, again.joins) == (ClaimState.SUPPRESSED, True, False)


def test_an_item_of_an_earlier_version_is_told_once(claims: Claims) -> None:
    """It does not say what was told."""
    owner = Owner("first", "1")
    claims.claim(KEY, owner, NOW)
    claims.confirm(KEY, owner, NOW)
    assert sends(claims, NOW + 1, of("a"))
    assert not sends(claims, NOW + 2, of("a"))


STEPS = st.lists(
    st.tuples(
        st.sampled_from([1, 60, HOUR - 1, HOUR, WINDOW - 1, WINDOW, DAY]),
        st.builds(
            Evidence,
            gravity=st.integers(1, 2),
            amount=st.sampled_from([0, 1, 9, 10, 100]),
            members=st.lists(st.sampled_from("abcd"), unique=True, max_size=3).map(tuple),
            places=st.lists(st.sampled_from(["x", "y"]), unique=True, max_size=2).map(tuple),
            asks=st.lists(st.sampled_from([("x",), ("y",), ("x", "y")]), unique=True, max_size=2).map(tuple),
            strict=st.booleans(),
        ),
        st.sampled_from([None, DAY + WINDOW]),
    ),
    max_size=8,
)


def ordered(claim: Claim) -> Claim:
    """The claim without the order of names, which sets of the table do not keep."""
    told = claim.told and replace(claim.told, asks=(), strict=False)
    names = told and {"members": tuple(sorted(told.members)), "places": tuple(sorted(told.places))}
    return replace(claim, told=replace(told, **names) if told and names else None)


@examples(0.3)
@given(STEPS)
@pytest.mark.usefixtures("table")
def test_the_fake_and_the_table_agree(steps: list[tuple[int, Evidence, int | None]]) -> None:
    """So that tests on the fake prove something about the conditions of the writes."""
    empty()
    both, now = (MemoryClaims(TERMS), DynamoDbClaims(shared("dynamodb"), "state", TERMS)), NOW
    for wait, evidence, quiet in steps:
        now += wait
        fake, real = (ordered(told(each, now, evidence, quiet)) for each in both)
        assert fake == real


def test_joining_lasts_as_long_as_it_says() -> None:
    """The pages say one hour."""
    assert JOIN_SECONDS == HOUR


@pytest.mark.usefixtures("table")
def test_repeats_that_are_no_longer_counted_rarely_cost_a_second_write() -> None:
    """Only once the window would end noticeably earlier; it never ends while the incident goes on."""
    empty()
    store = DynamoDbClaims(shared("dynamodb"), "state", TERMS)
    assert sends(store, NOW, of("a"))
    repeats = range(NOW + 60, NOW + 2 * WINDOW, WINDOW // 50)
    ends = []
    for at in repeats:
        assert not sends(store, at, of("a"))
        (item,) = items()
        ends.append(int(item["suppressed_until"]["N"]))
    assert len(item["suppressed_batches"]["SS"]) == MAX_SUPPRESSED
    assert len({*ends[MAX_SUPPRESSED:]}) < 3 * SPARED
    assert all(end > at + WINDOW * (SPARED - 1) // SPARED - 1 for at, end in zip(repeats, ends, strict=True))


class Recorder:
    """A client that records its calls."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def update_item(self, **given: Any) -> dict[str, Any]:
        """Store nothing."""
        self.calls.append(given)
        return {}


def test_the_largest_condition_is_within_the_limits_of_dynamodb() -> None:
    """4 KB, and 300 operators and functions; the values that a call passes must all be used."""
    client: Any = Recorder()
    asks = tuple((f"x{number}", f"y{number}") for number in range(99))
    many = of(*(f"10.0.{number}.1" for number in range(99)), asks=asks, strict=True)
    DynamoDbClaims(client, "state", TERMS).claim(KEY, Owner("batch", "1"), NOW, None, many)
    (call,) = client.calls
    condition = call["ConditionExpression"]
    assert len(condition) < 4096
    assert len(re.findall(r"AND|OR|NOT|BETWEEN|[<>=]+|\w+\(", condition)) < 300
    used = set(re.findall(r":\w+", condition + call["UpdateExpression"]))
    assert used == call["ExpressionAttributeValues"].keys()
