"""Claims with evidence: a repeat is sent again only if the evidence grew; other members join the incident."""

from __future__ import annotations

import re
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flowwarden.aws.dynamodb.claims import DynamoDbClaims
from flowwarden.notify.claim_request import ClaimRequest
from flowwarden.notify.claims import Claim, ClaimKey, ClaimState, ClaimTerms, Owner
from flowwarden.notify.evidence import (
    GROWTH,
    JOIN_SECONDS,
    MAX_SUPPRESSED,
    MOST_MEMBERS,
    REMIND_MANY_SECONDS,
    REMIND_SECONDS,
    SPARED,
    Evidence,
)
from flowwarden.notify.ports import Claims
from tests.aws.clients import shared
from tests.aws.dynamodb.damage import empty, items
from tests.examples import examples
from tests.notify.fakes import MemoryClaims

WINDOW = 4 * 3600
TERMS = ClaimTerms(suppression=WINDOW, lease=50)
KEY, NOW, HOUR, DAY = ClaimKey("sns:pages", "k"), 1_764_000_000, 3600, 86_400
BATCHES = count()


@pytest.fixture(params=["dynamodb", "memory"])
def claims(request: pytest.FixtureRequest) -> Claims:
    """Both implementations of the port, without claims."""
    if request.param == "memory":
        return MemoryClaims(TERMS)
    request.getfixturevalue("state_table")
    empty()
    return DynamoDbClaims(shared("dynamodb"), "state", TERMS)


def of(*members: str, **other: Any) -> Evidence:
    """Evidence about these members."""
    return Evidence(members=members, **other)


def reported(claims: Claims, now: int, evidence: Evidence, quiet: int | None = None) -> Claim:
    """The claim of a new batch, which sends the notification if it gets the claim."""
    owner = Owner(f"batch-{next(BATCHES)}", "1")
    claim = claims.claim(ClaimRequest(KEY, owner, now, quiet, evidence))
    if claim.state is ClaimState.CLAIMED:
        claims.confirm(ClaimRequest(KEY, owner, now, quiet, evidence.together(claim.reported, claim.joined)))
    return claim


def sends(claims: Claims, now: int, evidence: Evidence, quiet: int | None = None) -> bool:
    """Whether a new batch sends the notification."""
    return reported(claims, now, evidence, quiet).state is ClaimState.CLAIMED


def test_an_ongoing_incident_is_sent_once_a_week(claims: Claims) -> None:
    """Each repeat restarts the suppression window, for a week at most."""
    repeats = range(NOW, NOW + REMIND_SECONDS + 2 * WINDOW, WINDOW * 3 // 4)
    sent = [at for at in repeats if sends(claims, at, Evidence())]
    assert sent == [NOW, NOW + REMIND_SECONDS]


def test_an_incident_that_paused_is_sent_again(claims: Claims) -> None:
    """A pause is a window without a repeat: one second less is none."""
    assert sends(claims, NOW, Evidence())
    assert not sends(claims, NOW + 100, Evidence())
    assert not sends(claims, NOW + 100 + WINDOW - 1, Evidence())
    assert sends(claims, NOW + 100 + WINDOW - 1 + WINDOW, Evidence())


def test_graver_evidence_is_sent_at_once_and_lesser_is_not(claims: Claims) -> None:
    """Graver evidence is sent once; the same gravity is then a repeat."""
    assert sends(claims, NOW, Evidence(gravity=1))
    assert not sends(claims, NOW + 1, Evidence(gravity=0))
    assert sends(claims, NOW + 2, Evidence(gravity=2))
    assert not sends(claims, NOW + 3, Evidence(gravity=1))
    assert not sends(claims, NOW + 4, Evidence(gravity=2))


def test_ten_times_the_amount_is_sent(claims: Claims) -> None:
    """Less is not, and a smaller amount sent for another reason does not lower the limit."""
    assert sends(claims, NOW, Evidence(amount=12))
    assert not sends(claims, NOW + 1, Evidence(amount=12 * GROWTH - 1))
    assert sends(claims, NOW + 2, Evidence(amount=12 * GROWTH))
    assert sends(claims, NOW + 3, Evidence(amount=5, gravity=1))
    assert not sends(claims, NOW + 4, Evidence(amount=12 * GROWTH, gravity=1))


def test_members_join_for_an_hour_and_later_ones_are_sent(claims: Claims) -> None:
    """The notification about a later member lists those that joined."""
    assert sends(claims, NOW, of("a"))
    joins = reported(claims, NOW + HOUR - 1, of("b"))
    assert (joins.state, joins.joins) == (ClaimState.SUPPRESSED, True)
    late = reported(claims, NOW + HOUR, of("c"))
    assert (late.state, late.joined) == (ClaimState.CLAIMED, ("b",))
    for name in "abc":
        again = reported(claims, NOW + HOUR + 1, of(name))
        assert (again.state, again.joins) == (ClaimState.SUPPRESSED, False)


def test_members_that_joined_are_sent_if_they_go_on_after_the_window(claims: Claims) -> None:
    """Repeats of the member that was already sent do not postpone that."""
    assert sends(claims, NOW, of("a"))
    for at in range(NOW + 60, NOW + WINDOW, 1200):
        assert not sends(claims, at, of("a"))
        assert not sends(claims, at, of("b")) or at - NOW >= HOUR, "sent in the hour in which it may join"
    late = reported(claims, NOW + WINDOW, of("b"))
    assert (late.state, late.joined) == (ClaimState.CLAIMED, ("b",))


def test_after_the_hour_one_unknown_member_is_enough_to_send(claims: Claims) -> None:
    """The same members in another order are a repeat."""
    assert sends(claims, NOW, of("a", "b"))
    assert not sends(claims, NOW + HOUR, of("b", "a"))
    assert sends(claims, NOW + HOUR, of("a", "c"))


def test_a_member_at_another_place_does_not_join(claims: Claims) -> None:
    """Such as an intruder in the hour of an ordinary change; a member that was sent may do anything."""

    def to(member: str, *networks: str) -> Evidence:
        return of(member, places=networks, asks=(networks[:1],))

    assert sends(claims, NOW, to("a", "10.0.1.0/24", "10.0.2.0/24"))
    assert not sends(claims, NOW + 1, to("b", "10.0.2.0/24"))
    assert sends(claims, NOW + 2, to("c", "203.0.113.0/24", "10.0.1.0/24"))
    assert not sends(claims, NOW + 3, to("a", "198.51.100.0/24"))
    assert not sends(claims, NOW + 3, to("d", "203.0.113.0/24"))


def test_several_of_one_batch_join_only_if_each_may(claims: Claims) -> None:
    """An intruder must not join because the same batch also shows a host of the change."""
    reported_there = of("a", places=("x", "y"), asks=(("x",),))
    assert sends(claims, NOW, reported_there)
    assert not sends(claims, NOW + 1, of("b", "c", asks=(("x",), ("y",))))
    assert sends(claims, NOW + 2, of("d", "e", asks=(("x",), ("z",))))


def test_beyond_the_most_members_another_one_joins_only_at_a_place_that_was_sent(claims: Claims) -> None:
    """Not all members are stored, so it may be one that was sent, or an intruder."""
    many = of(*(f"10.0.{number}.1" for number in range(MOST_MEMBERS)), places=("x",), asks=(("x",),))
    assert sends(claims, NOW, many)
    assert not sends(claims, NOW + HOUR, of("another", asks=(("x",),)))
    assert sends(claims, NOW + HOUR, of("another", asks=(("y",),)))


def test_a_member_sent_for_a_shared_place_does_not_repeat_at_another_place(claims: Claims) -> None:
    """If the evidence is strict. Once it was sent for an unshared place, each further place is a repeat."""

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


def test_a_member_sent_alone_repeats_at_another_place_until_others_join(claims: Claims) -> None:
    """A scanner tries one service after the other: that is one incident. What others do, too, is a change."""

    def tries(member: str, service: str) -> Evidence:
        return of(member, places=(service,), asks=((service, member),), strict=True)

    assert sends(claims, NOW, tries("a", "80"))
    assert not sends(claims, NOW + 1, tries("a", "81"))
    assert not sends(claims, NOW + 2, tries("b", "80"))
    assert not sends(claims, NOW + 3, tries("a", "80"))
    assert sends(claims, NOW + 4, tries("a", "82"))
    assert not sends(claims, NOW + 5, tries("a", "83"))


def test_ten_times_as_many_members_are_sent(claims: Claims) -> None:
    """The first notification is about one host, the next one about ten further hosts."""
    assert sends(claims, NOW, of("0"))
    sent = [number for number in range(1, 13) if sends(claims, NOW + number, of(str(number)))]
    assert sent == [10]


def test_at_most_the_most_members_are_stored(claims: Claims) -> None:
    """However many there are in a batch; the batch is still a repeat, and others join."""
    many = of(*(f"10.0.{number}.1" for number in range(3 * MOST_MEMBERS)))
    assert sends(claims, NOW, many)
    assert not sends(claims, NOW + 1, many)
    assert not sends(claims, NOW + HOUR - 1, of("another"))
    graver = reported(claims, NOW + HOUR, replace(many, gravity=1))
    assert graver.reported is not None
    assert len(graver.reported.members) == MOST_MEMBERS


def test_an_ongoing_incident_of_several_members_is_sent_again_after_a_day(claims: Claims) -> None:
    """One of them may have paused meanwhile."""
    repeats = range(NOW, NOW + REMIND_MANY_SECONDS + HOUR, HOUR)
    assert [at for at in repeats if sends(claims, at, of("a", "b"))] == [NOW, NOW + REMIND_MANY_SECONDS]


def test_a_shorter_window_does_not_shorten_a_longer_one(claims: Claims) -> None:
    """The batches of one incident may have different windows."""
    day = DAY + WINDOW
    assert sends(claims, NOW, Evidence(), day)
    assert not sends(claims, NOW + 100, Evidence())
    assert not sends(claims, NOW + DAY, Evidence(), day)
    assert not sends(claims, NOW + 2 * DAY, Evidence(), day)


def test_evidence_of_a_released_claim_does_not_count_as_sent(claims: Claims) -> None:
    """Any batch may send next, about any member."""
    claims.claim(ClaimRequest(KEY, Owner("first", "1"), NOW, None, of("a")))
    claims.release(KEY, Owner("first", "1"))
    assert sends(claims, NOW + 1, of("b"))
    assert sends(claims, NOW + 1 + HOUR, of("a"))


def test_growth_that_was_not_sent_is_sent_by_the_next_batch(claims: Claims) -> None:
    """The function ended between the claim and the notification."""
    assert sends(claims, NOW, Evidence(amount=1))
    claims.claim(ClaimRequest(KEY, Owner("crashed", "1"), NOW + 10, None, Evidence(amount=99)))
    assert not sends(claims, NOW + 11, Evidence(amount=99)), "sent within the lease of the crashed batch"
    assert sends(claims, NOW + 11 + TERMS.lease, Evidence(amount=99))
    assert not sends(claims, NOW + 12 + TERMS.lease, Evidence(amount=99))


def test_the_batch_that_sent_does_not_send_again_with_more(claims: Claims) -> None:
    """Not even if the second delivery contains more evidence."""
    owner, evidence = Owner("first", "1"), of("a", amount=1)
    claims.claim(ClaimRequest(KEY, owner, NOW, None, evidence))
    claims.confirm(ClaimRequest(KEY, owner, NOW, None, evidence))
    again = claims.claim(ClaimRequest(KEY, Owner("first", "2"), NOW + 1, None, of("a", "b", amount=100)))
    assert (again.state, again.same_batch, again.joins) == (ClaimState.SUPPRESSED, True, False)


def test_an_item_without_evidence_is_sent_once_more(claims: Claims) -> None:
    """An earlier version stored no evidence."""
    owner = Owner("first", "1")
    claims.claim(ClaimRequest(KEY, owner, NOW))
    claims.confirm(ClaimRequest(KEY, owner, NOW))
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
    """The claim with sorted names, because sets of the table have no order."""
    reported = claim.reported and replace(claim.reported, asks=(), strict=False)
    names = reported and {
        "members": tuple(sorted(reported.members)),
        "places": tuple(sorted(reported.places)),
    }
    return replace(claim, reported=replace(reported, **names) if reported and names else None)


@examples(0.3)
@given(STEPS)
@pytest.mark.usefixtures("state_table")
def test_the_fake_and_the_table_agree(steps: list[tuple[int, Evidence, int | None]]) -> None:
    """So tests on the fake also test the conditions of the writes."""
    empty()
    both, now = (MemoryClaims(TERMS), DynamoDbClaims(shared("dynamodb"), "state", TERMS)), NOW
    for wait, evidence, quiet in steps:
        now += wait
        fake, real = (ordered(reported(each, now, evidence, quiet)) for each in both)
        assert fake == real


def test_members_join_for_the_hour_that_pages_state() -> None:
    """`JOIN_SECONDS` and the text must agree."""
    assert JOIN_SECONDS == HOUR


@pytest.mark.usefixtures("state_table")
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
    DynamoDbClaims(client, "state", TERMS).claim(ClaimRequest(KEY, Owner("batch", "1"), NOW, None, many))
    (call,) = client.calls
    condition = call["ConditionExpression"]
    assert len(condition) < 4096
    assert len(re.findall(r"AND|OR|NOT|BETWEEN|[<>=]+|\w+\(", condition)) < 300
    used = set(re.findall(r":\w+", condition + call["UpdateExpression"]))
    assert used == call["ExpressionAttributeValues"].keys()
    names = set(re.findall(r"#\w+", condition + call["UpdateExpression"]))
    assert names == call["ExpressionAttributeNames"].keys()


def test_a_kind_of_evidence_that_was_not_reported_is_sent(claims: Claims) -> None:
    """Also if it is less grave, and soon after; a kind that was reported is a repeat."""

    def kinds(*names: str, gravity: int) -> Evidence:
        given = of(*names, gravity=gravity, places=names, asks=tuple((each,) for each in names), combines=2)
        return given.combined

    assert sends(claims, NOW, kinds("scan", gravity=2))
    assert not sends(claims, NOW + 10, kinds("scan", gravity=1))
    second = reported(claims, NOW + 20, kinds("access", gravity=1))
    assert second.reported is not None
    assert (second.reported.members, second.reported.gravity) == (("scan",), 2)
    assert not sends(claims, NOW + 30, kinds("scan", gravity=2))
    assert not sends(claims, NOW + 40, kinds("access", "scan", gravity=2)), "three is the gravity of both"
    assert not sends(claims, NOW + 50, kinds("access", gravity=1))
    assert sends(claims, NOW + 60, kinds("egress", "scan", gravity=2))
