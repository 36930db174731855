"""Damaged items of the state table: no error, no silenced incident, and the next write repairs the item."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flowwarden.aws.dynamodb.claims import DynamoDbClaims
from flowwarden.aws.dynamodb.formats import DynamoDbLogFormats
from flowwarden.aws.dynamodb.sets import DynamoDbEvidence
from flowwarden.aws.dynamodb.work_queue import DynamoDbWorkQueue
from flowwarden.enforcer.work_queue import Cursor, WorkItem, WorkQueue
from flowwarden.notify.claim_request import ClaimRequest
from flowwarden.notify.claims import ClaimKey, ClaimState, ClaimTerms, Owner
from flowwarden.notify.evidence import Evidence
from flowwarden.records.format_choice import LearnedFormats
from flowwarden.state.item import Item
from flowwarden.state.schema import ATTEMPTS, CONTACTS_HOUR, HEARTBEATS, UPLOAD_SIZES, item_of
from flowwarden.state.sets import Addition
from flowwarden.unreadable import Unreadable
from tests.aws.dynamodb.damage import DAMAGE, DROPPED, TABLE, damage, dynamodb, empty, items
from tests.examples import examples

pytestmark = pytest.mark.usefixtures("state_table")

TERMS = ClaimTerms(suppression=3600, lease=50)
KEY, NOW, GROUP = ClaimKey("sns:pages", "k"), 1_764_000_000, "/flow-logs"
FIRST, OTHER = Owner("batch-a", "1"), Owner("batch-b", "2")


@pytest.fixture
def notes() -> Unreadable:
    """An empty table, and where its adapters note what they leave out."""
    empty()
    return Unreadable()


def claims(notes: Unreadable) -> DynamoDbClaims:
    """Claims in the table."""
    return DynamoDbClaims(dynamodb(), TABLE, TERMS, notes)


CLAIM = (
    "state",
    "owner",
    "lease_until",
    "tries",
    "suppressed_until",
    "sent_at",
    "suppressed_batches",
    "expires_at",
    "reported",
    "reported_places",
    "reported_gravity",
    "reported_limit",
    "crowd",
    "joined",
)
EVIDENCE = Evidence(members=("10.0.0.1",), places=("a network",), asks=(("a network",),))
OTHERS = replace(EVIDENCE, members=("10.0.0.2",))
ANY_DAMAGE = st.sampled_from(sorted(DAMAGE))


@examples(0.2)
@given(ANY_DAMAGE, st.sampled_from(CLAIM), st.booleans(), st.sampled_from([None, EVIDENCE]))
def test_a_damaged_claim_silences_no_incident(
    kind: str,
    member: str,
    sent: bool,  # noqa: FBT001
    evidence: Evidence | None,
) -> None:
    """After the window, or the lease, another batch gets the claim, and its confirmation silences repeats."""
    empty()
    store = claims(Unreadable())
    store.claim(ClaimRequest(KEY, FIRST, NOW, None, evidence))
    if sent:
        store.confirm(ClaimRequest(KEY, FIRST, NOW, None, evidence))
        store.claim(ClaimRequest(KEY, Owner("batch-c", "3"), NOW + 1, None, evidence and OTHERS))
    (item,) = items()
    after = NOW + (TERMS.suppression if sent else TERMS.lease)
    damage(item, member, kind)
    store.claim(ClaimRequest(KEY, Owner("batch-d", "4"), NOW + 2, None, evidence))
    damage(item, member, kind)
    late = store.claim(ClaimRequest(KEY, OTHER, after, None, evidence))
    assert late.state is ClaimState.CLAIMED
    assert late.last_sent in {None, NOW}
    store.confirm(ClaimRequest(KEY, OTHER, after, None, evidence))
    repeat = store.claim(ClaimRequest(KEY, Owner("batch-e", "5"), after + 1, None, evidence))
    assert repeat.state is ClaimState.SUPPRESSED


@pytest.mark.parametrize("member", ["suppressed_until", "lease_until", "state", "sent_at"])
def test_a_damaged_claim_is_counted_and_named_once(notes: Unreadable, member: str) -> None:
    """With the key of its item and the member."""
    store = claims(notes)
    for _ in range(2):
        empty()
        store.claim(ClaimRequest(KEY, FIRST, NOW))
        if member != "lease_until":
            store.confirm(ClaimRequest(KEY, FIRST, NOW))
        (item,) = items()
        damage(item, member, "a far time")
        store.claim(ClaimRequest(KEY, OTHER, NOW + TERMS.suppression))
    taken = notes.take()
    assert taken.count == 2
    (note,) = taken.named
    assert note.startswith(f"incident#sns:pages#k: {member} is ")
    assert notes.take().count == 0


def test_an_intact_claim_is_not_noted(notes: Unreadable) -> None:
    """Through all its states."""
    store = claims(notes)
    store.claim(ClaimRequest(KEY, FIRST, NOW))
    store.claim(ClaimRequest(KEY, OTHER, NOW + 1))
    store.claim(ClaimRequest(KEY, OTHER, NOW + TERMS.lease))
    store.confirm(ClaimRequest(KEY, OTHER, NOW + TERMS.lease))
    store.claim(ClaimRequest(KEY, FIRST, NOW + TERMS.lease + 1))
    store.claim(ClaimRequest(KEY, FIRST, NOW + TERMS.lease + TERMS.suppression))
    assert notes.take().count == 0


SETS = ((HEARTBEATS, 2**72), (CONTACTS_HOUR, 255), (UPLOAD_SIZES, 40))


@examples(0.2)
@given(ANY_DAMAGE, st.sampled_from(SETS), st.integers(0, 9))
def test_a_damaged_set_is_read_and_repaired(kind: str, row: tuple[Item, int], position: int) -> None:
    """Whatever a member contains: impossible numbers are left out, and an addition succeeds."""
    empty()
    (of_kind, number), notes = row, Unreadable()
    key, store = of_kind.key_of(*of_kind.key), DynamoDbEvidence(dynamodb(), TABLE, notes)
    store.add(Addition(key, {each: frozenset({number}) for each in of_kind.sets}, NOW))
    (item,) = items()
    damaged = [*of_kind.sets, "expires_at"][position % (len(of_kind.sets) + 1)]
    damage(item, damaged, kind)
    for sets in store.read([key]).values():
        assert all(
            0 <= each < 1 << of_kind.bits_of(name) for name, numbers in sets.items() for each in numbers
        )
    added = store.add(Addition(key, {each: frozenset({1}) for each in of_kind.sets}, NOW))
    assert all(1 in added[each] for each in of_kind.sets)
    assert all(added[each] == {1, number} for each in of_kind.sets if each != damaged)
    assert added == store.read([key])[key]
    assert (notes.take().count == 0) == (kind == DROPPED or damaged == "expires_at")


def test_the_schema_limits_the_length_of_the_numbers_of_a_kind_of_item() -> None:
    """Of each set of an item; an item without sets has no limit."""
    assert item_of(HEARTBEATS.key_of(1, 1)) is HEARTBEATS
    assert HEARTBEATS.bits == 97
    assert ATTEMPTS.bits == 8
    assert CONTACTS_HOUR.bits == 31
    assert item_of("vpc#vpc-1") is None


LEARNED = LearnedFormats(("${srcaddr} ${dstaddr}",), unreported=False, at=NOW)


@examples(0.2)
@given(ANY_DAMAGE, st.sampled_from(["formats", "unreported", "learned_at", "asked_at", "expires_at"]))
def test_damaged_log_formats_are_learned_again(kind: str, member: str) -> None:
    """Nothing is raised, a turn can be taken, and the next formats overwrite the item."""
    empty()
    store = DynamoDbLogFormats(dynamodb(), TABLE)
    assert store.take_turn(GROUP, NOW, 300)
    store.keep(GROUP, LEARNED)
    (item,) = items()
    damage(item, member, kind)
    recalled = store.recall(GROUP)
    assert recalled is None or all(isinstance(each, str) for each in recalled.formats)
    assert store.take_turn(GROUP, NOW + 300, 300)
    store.keep(GROUP, LEARNED)
    assert store.recall(GROUP) == LEARNED


WORK = WorkItem(vpc_id="vpc-1", due=NOW, reason="throttled")


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_work_item_does_not_hide_the_others(notes: Unreadable, kind: str) -> None:
    """Nor the cursor; it is counted."""
    store = DynamoDbWorkQueue(dynamodb(), TABLE, notes)
    store.put(WORK)
    (item,) = items()
    store.put(WorkItem(vpc_id="vpc-2", due=NOW, reason="throttled"))
    store.put_cursor(Cursor(after="vpc-0"), NOW)
    damage(item, "content", kind)
    found, cursor = store.load()
    assert [each.vpc_id for each in found] == ["vpc-2"]
    assert cursor == Cursor(after="vpc-0")
    assert notes.take().count == 1
    store.put(WORK)
    assert len(store.load()[0]) == 2


@pytest.mark.parametrize("seconds", [-1, 10**11, 10**30])
@pytest.mark.parametrize("member", ["due", "grace_until", "backoff_until", "failing_since", "throttled_at"])
def test_a_work_item_with_an_impossible_time_is_removed(notes: Unreadable, member: str, seconds: int) -> None:
    """It would defer its VPC forever; an item that is due tomorrow stays, and a dry run writes nothing."""
    store = DynamoDbWorkQueue(dynamodb(), TABLE, notes)
    store.put(replace(WORK, **{member: seconds}))
    store.put(WorkItem(vpc_id="vpc-2", due=NOW + 86_400, reason="x", backoff_until=NOW + 86_400))
    dry = WorkQueue.load(store, NOW, notes, dry_run=True)
    assert list(dry.items) == ["vpc-2"]
    assert len(items()) == 2
    assert list(WorkQueue.load(store, NOW, notes).items) == ["vpc-2"]
    assert [item["sk"]["S"] for item in items()] == ["vpc#vpc-2"]
    assert notes.take().count >= 1


@pytest.mark.parametrize("content", ['{"vpc_id":"vpc-9","due":1,"reason":"x"}', "{", '"x"', '{"vpc_id":5}'])
def test_a_work_item_about_another_vpc_than_its_key_is_ignored(notes: Unreadable, content: str) -> None:
    """It could never be completed; neither could one that is no item at all."""
    store = DynamoDbWorkQueue(dynamodb(), TABLE, notes)
    store.put(WORK)
    (item,) = items()
    dynamodb().put_item(TableName=TABLE, Item=item | {"content": {"S": content}})
    assert store.load() == ([], None)
    assert notes.take().count == 1


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_cursor_continues_from_the_beginning(notes: Unreadable, kind: str) -> None:
    """A sweep is not finished; without its place, it checks every VPC."""
    store = DynamoDbWorkQueue(dynamodb(), TABLE, notes)
    store.put_cursor(Cursor(after="vpc-5"), NOW)
    (item,) = items()
    damage(item, "content", kind)
    assert store.load() == ([], Cursor(after=""))
    assert notes.take().count == 1
    store.put_cursor(None, NOW)
    assert store.load() == ([], None)
