"""Claims: DynamoDB (on moto) and the fake of other tests both implement the port's protocol."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.stub import Stubber
from moto import mock_aws

from flowwarden.aws.dynamodb.claims import DynamoDbClaims
from flowwarden.errors import StateUnavailable
from flowwarden.notify.claim_request import ClaimRequest
from flowwarden.notify.claims import (
    REDRIVE_SECONDS,
    UNANSWERED_SECONDS,
    ClaimKey,
    ClaimState,
    ClaimTerms,
    Owner,
)
from flowwarden.notify.evidence import MAX_SUPPRESSED
from flowwarden.notify.ports import Claims
from tests.aws.clients import client, make_state_table, shared
from tests.notify.fakes import MemoryClaims

TERMS = ClaimTerms(suppression=3600, lease=50)
KEY = ClaimKey("sns:pages", "k")
NOW = 1_764_000_000
FIRST, AGAIN, OTHER = (
    Owner("batch-a", "attempt-1"),
    Owner("batch-a", "attempt-2"),
    Owner("batch-b", "attempt-3"),
)
TABLE = "state"


@pytest.fixture(params=["dynamodb", "memory"])
def claims(request: pytest.FixtureRequest) -> Iterator[Claims]:
    """Both implementations of the port."""
    if request.param == "memory":
        yield MemoryClaims(TERMS)
        return
    with mock_aws():
        make_state_table(TABLE)
        yield DynamoDbClaims(shared("dynamodb"), TABLE, TERMS)


def test_a_new_incident_is_claimed(claims: Claims) -> None:
    """The table has no item for it."""
    claim = claims.claim(ClaimRequest(KEY, FIRST, NOW))
    assert (claim.state, claim.suppressed_batches, claim.last_sent) == (ClaimState.CLAIMED, 0, None)


def test_incidents_are_independent(claims: Claims) -> None:
    """A different key is a different incident."""
    claims.claim(ClaimRequest(KEY, FIRST, NOW))
    assert claims.claim(ClaimRequest(ClaimKey("sns:pages", "other"), OTHER, NOW)).state is ClaimState.CLAIMED


@pytest.mark.parametrize("quiet", [60, TERMS.suppression * 24 * 30])
def test_an_incident_can_have_its_own_suppression_window(claims: Claims, quiet: int) -> None:
    """Shorter or longer than that of the stack, which other incidents keep."""
    plain = ClaimKey("sns:pages", "plain")
    claims.claim(ClaimRequest(KEY, FIRST, NOW, quiet))
    claims.confirm(ClaimRequest(KEY, FIRST, NOW, quiet))
    claims.claim(ClaimRequest(plain, FIRST, NOW))
    claims.confirm(ClaimRequest(plain, FIRST, NOW))
    assert claims.claim(ClaimRequest(KEY, OTHER, NOW + quiet - 1, quiet)).state is ClaimState.SUPPRESSED
    late = claims.claim(ClaimRequest(KEY, OTHER, NOW + quiet, quiet))
    assert (late.state, late.last_sent, late.suppressed_batches) == (ClaimState.CLAIMED, NOW, 1)
    assert (
        claims.claim(ClaimRequest(plain, OTHER, NOW + TERMS.suppression - 1)).state is ClaimState.SUPPRESSED
    )
    assert claims.claim(ClaimRequest(plain, OTHER, NOW + TERMS.suppression)).state is ClaimState.CLAIMED


def test_an_item_with_its_own_window_outlives_it() -> None:
    """DynamoDB must not delete the item of a month before the month is over."""
    month = 30 * 86_400
    with mock_aws():
        make_state_table(TABLE)
        table = DynamoDbClaims(shared("dynamodb"), TABLE, TERMS)
        table.claim(ClaimRequest(KEY, FIRST, NOW, month))
        table.confirm(ClaimRequest(KEY, FIRST, NOW, month))
        (item,) = shared("dynamodb").scan(TableName=TABLE)["Items"]
    assert int(item["expires_at"]["N"]) > NOW + month


def test_the_claims_of_sinks_are_independent(claims: Claims) -> None:
    """A notification sent to one sink must still be sent to another."""
    claims.claim(ClaimRequest(KEY, FIRST, NOW))
    claims.confirm(ClaimRequest(KEY, FIRST, NOW))
    assert claims.claim(ClaimRequest(ClaimKey("sns:other", "k"), OTHER, NOW)).state is ClaimState.CLAIMED
    assert claims.claim(ClaimRequest(KEY, OTHER, NOW)).state is ClaimState.SUPPRESSED


def test_a_pending_claim_blocks_others(claims: Claims) -> None:
    """For another batch, and for a second delivery of the same batch, which the claim marks as such."""
    claims.claim(ClaimRequest(KEY, FIRST, NOW))
    other, again = (
        claims.claim(ClaimRequest(KEY, OTHER, NOW + 1)),
        claims.claim(ClaimRequest(KEY, AGAIN, NOW + 1)),
    )
    assert (other.state, other.same_batch) == (ClaimState.IN_PROGRESS, False)
    assert (again.state, again.same_batch) == (ClaimState.IN_PROGRESS, True)


def test_the_retry_of_a_crashed_attempt_takes_over_after_the_lease(claims: Claims) -> None:
    """The lease is shorter than the time until Lambda's first retry."""
    claims.claim(ClaimRequest(KEY, FIRST, NOW))
    assert claims.claim(ClaimRequest(KEY, AGAIN, NOW + TERMS.lease)).state is ClaimState.CLAIMED


def test_after_the_lease_another_batch_may_take_over(claims: Claims) -> None:
    """Not one second earlier."""
    claims.claim(ClaimRequest(KEY, FIRST, NOW))
    assert claims.claim(ClaimRequest(KEY, OTHER, NOW + TERMS.lease - 1)).state is ClaimState.IN_PROGRESS
    assert claims.claim(ClaimRequest(KEY, OTHER, NOW + TERMS.lease)).state is ClaimState.CLAIMED


def test_a_claim_retried_by_the_sdk_still_belongs_to_its_owner(claims: Claims) -> None:
    """The first write succeeded but its response was late: the second write finds the owner's own claim."""
    claims.claim(ClaimRequest(KEY, FIRST, NOW))
    assert claims.claim(ClaimRequest(KEY, FIRST, NOW + 1)).state is ClaimState.CLAIMED


def test_a_released_claim_is_free(claims: Claims) -> None:
    """The next invocation publishes what could not be published."""
    claims.claim(ClaimRequest(KEY, FIRST, NOW))
    claims.release(KEY, FIRST)
    assert claims.claim(ClaimRequest(KEY, AGAIN, NOW + 1)).state is ClaimState.CLAIMED


def test_only_the_owner_releases_a_claim(claims: Claims) -> None:
    """A sent claim cannot be released."""
    claims.claim(ClaimRequest(KEY, FIRST, NOW))
    claims.release(KEY, OTHER)
    assert claims.claim(ClaimRequest(KEY, OTHER, NOW + 1)).state is ClaimState.IN_PROGRESS
    claims.confirm(ClaimRequest(KEY, FIRST, NOW))
    claims.release(KEY, FIRST)
    assert claims.claim(ClaimRequest(KEY, OTHER, NOW + 1)).state is ClaimState.SUPPRESSED


def test_a_sent_incident_is_suppressed_for_its_window(claims: Claims) -> None:
    """Then it is claimed again, with the number of suppressed batches and the time of the last page."""
    claims.claim(ClaimRequest(KEY, FIRST, NOW))
    claims.confirm(ClaimRequest(KEY, FIRST, NOW + 2))
    for number in range(3):
        owner = Owner(f"batch-{number}", "request")
        assert claims.claim(ClaimRequest(KEY, owner, NOW + 60)).state is ClaimState.SUPPRESSED
    late = claims.claim(ClaimRequest(KEY, OTHER, NOW + 2 + TERMS.suppression))
    assert (late.state, late.suppressed_batches, late.last_sent) == (ClaimState.CLAIMED, 3, NOW + 2)


def test_the_batch_that_sent_the_notification_is_not_a_repeat(claims: Claims) -> None:
    """Its retries and second deliveries are not counted as suppressed; a repeat counts once."""
    claims.claim(ClaimRequest(KEY, FIRST, NOW))
    claims.confirm(ClaimRequest(KEY, FIRST, NOW))
    for owner in (AGAIN, OTHER, OTHER):
        assert claims.claim(ClaimRequest(KEY, owner, NOW + 5)).state is ClaimState.SUPPRESSED
    assert (
        claims.claim(ClaimRequest(KEY, Owner("batch-c", "r"), NOW + TERMS.suppression)).suppressed_batches
        == 1
    )


def test_a_batch_never_sends_its_notification_twice(claims: Claims) -> None:
    """However late it is replayed from the failure queue; another batch may send after the window."""
    claims.claim(ClaimRequest(KEY, FIRST, NOW))
    claims.confirm(ClaimRequest(KEY, FIRST, NOW))
    assert claims.claim(ClaimRequest(KEY, AGAIN, NOW + 2 * TERMS.suppression)).state is ClaimState.SUPPRESSED
    assert claims.claim(ClaimRequest(KEY, OTHER, NOW + 2 * TERMS.suppression)).state is ClaimState.CLAIMED


THIRD = Owner("batch-a", "attempt-4")


def unanswered(claims: Claims) -> int:
    """Two attempts whose outcome is unknown; returns the end of the second lease."""
    claims.claim(ClaimRequest(KEY, FIRST, NOW))
    assert claims.claim(ClaimRequest(KEY, AGAIN, NOW + 60)).state is ClaimState.CLAIMED
    return NOW + 60 + TERMS.lease


def test_after_two_attempts_without_an_answer_there_is_no_third(claims: Claims) -> None:
    """Lambda delivers a batch three times, and each attempt may have sent the notification."""
    over = unanswered(claims)
    again, other = claims.claim(ClaimRequest(KEY, THIRD, over)), claims.claim(ClaimRequest(KEY, OTHER, over))
    assert (again.state, again.same_batch) == (ClaimState.UNANSWERED, True)
    assert (other.state, other.same_batch) == (ClaimState.UNANSWERED, False)
    assert claims.claim(ClaimRequest(KEY, THIRD, over + REDRIVE_SECONDS - 1)).state is ClaimState.UNANSWERED
    assert (
        claims.claim(ClaimRequest(KEY, OTHER, over + UNANSWERED_SECONDS - 1)).state is ClaimState.UNANSWERED
    )


def test_what_was_never_answered_is_tried_again_later(claims: Claims) -> None:
    """SNS may have failed: another batch tries after minutes, the same one when it is run again by hand."""
    over = unanswered(claims)
    later = over + UNANSWERED_SECONDS
    assert claims.claim(ClaimRequest(KEY, OTHER, later)).state is ClaimState.CLAIMED
    assert claims.claim(ClaimRequest(KEY, THIRD, later + TERMS.lease)).state is ClaimState.UNANSWERED
    claims.confirm(ClaimRequest(KEY, OTHER, later))
    assert claims.claim(ClaimRequest(KEY, FIRST, later + 1)).state is ClaimState.SUPPRESSED


def test_a_batch_that_is_run_again_sends_what_was_never_answered(claims: Claims) -> None:
    """From the failure queue, hours later."""
    over = unanswered(claims)
    assert claims.claim(ClaimRequest(KEY, THIRD, over + REDRIVE_SECONDS)).state is ClaimState.CLAIMED


def test_an_attempt_that_certainly_sent_nothing_does_not_count(claims: Claims) -> None:
    """However often SNS refuses, two attempts without an answer remain."""
    for number in range(4):
        owner = Owner("batch-a", f"refused-{number}")
        assert claims.claim(ClaimRequest(KEY, owner, NOW)).state is ClaimState.CLAIMED
        claims.release(KEY, owner)
    unanswered(claims)


def test_a_confirmed_attempt_ends_the_count(claims: Claims) -> None:
    """The next notification has two attempts again."""
    claims.claim(ClaimRequest(KEY, FIRST, NOW))
    claims.claim(ClaimRequest(KEY, AGAIN, NOW + 60))
    claims.confirm(ClaimRequest(KEY, AGAIN, NOW + 60))
    later = NOW + 60 + TERMS.suppression
    for number in range(2):
        owner = Owner("batch-b", f"attempt-{number}")
        assert (
            claims.claim(ClaimRequest(KEY, owner, later + number * TERMS.lease)).state is ClaimState.CLAIMED
        )


def test_a_crash_after_the_claim_loses_no_count(claims: Claims) -> None:
    """The next claim still has the count from before the first."""
    claims.claim(ClaimRequest(KEY, FIRST, NOW))
    claims.confirm(ClaimRequest(KEY, FIRST, NOW))
    claims.claim(ClaimRequest(KEY, OTHER, NOW + 5))
    later = NOW + TERMS.suppression
    claims.claim(ClaimRequest(KEY, Owner("batch-c", "r"), later))  # and crashes
    taken = claims.claim(ClaimRequest(KEY, Owner("batch-d", "r"), later + TERMS.lease))
    assert (taken.state, taken.suppressed_batches, taken.last_sent) == (ClaimState.CLAIMED, 1, NOW)


def test_the_former_owner_of_a_claim_cannot_confirm_it(claims: Claims) -> None:
    """An invocation that continues after its lease does not end the new owner's claim."""
    claims.claim(ClaimRequest(KEY, FIRST, NOW))
    claims.claim(ClaimRequest(KEY, OTHER, NOW + TERMS.lease))
    claims.confirm(ClaimRequest(KEY, FIRST, NOW + TERMS.lease))
    assert claims.claim(ClaimRequest(KEY, AGAIN, NOW + TERMS.lease + 1)).state is ClaimState.IN_PROGRESS


def test_items_expire_fifteen_days_after_their_suppression_window() -> None:
    """`expires_at` is the table's TTL attribute: epoch seconds, a number."""
    with mock_aws():
        make_state_table(TABLE)
        table = DynamoDbClaims(shared("dynamodb"), TABLE, TERMS)
        table.claim(ClaimRequest(KEY, FIRST, NOW))
        table.confirm(ClaimRequest(KEY, FIRST, NOW))
        (item,) = shared("dynamodb").scan(TableName=TABLE)["Items"]
    assert item["pk"] == {"S": "incident#sns:pages#k"}
    assert item["expires_at"] == {"N": str(NOW + TERMS.suppression + 15 * 86400)}


def test_many_repeats_do_not_grow_the_item_without_limit() -> None:
    """The count stops at its limit; suppression continues."""
    with mock_aws():
        make_state_table(TABLE)
        table = DynamoDbClaims(shared("dynamodb"), TABLE, TERMS)
        table.claim(ClaimRequest(KEY, FIRST, NOW))
        table.confirm(ClaimRequest(KEY, FIRST, NOW))
        shared("dynamodb").update_item(
            TableName=TABLE,
            Key={"pk": {"S": "incident#sns:pages#k"}, "sk": {"S": "claim"}},
            UpdateExpression="SET suppressed_batches = :all",
            ExpressionAttributeValues={":all": {"SS": [f"batch-{n}" for n in range(MAX_SUPPRESSED)]}},
        )
        assert table.claim(ClaimRequest(KEY, OTHER, NOW + 1)).state is ClaimState.SUPPRESSED
        assert (
            table.claim(ClaimRequest(KEY, OTHER, NOW + TERMS.suppression)).suppressed_batches
            == MAX_SUPPRESSED
        )


def test_a_repeat_that_cannot_be_counted_is_suppressed() -> None:
    """The notification is already known to be sent; the table throttles when repeats are many."""
    stubbed = client("dynamodb")
    with Stubber(stubbed) as stub:
        stub.add_client_error(
            "update_item",
            service_error_code="ConditionalCheckFailedException",
            modeled_fields={"Item": {"state": {"S": "SENT"}, "owner": {"S": str(FIRST)}}},
        )
        stub.add_client_error("update_item", service_error_code="ThrottlingException")
        claim = DynamoDbClaims(stubbed, TABLE, TERMS).claim(ClaimRequest(KEY, OTHER, NOW))
        stub.assert_no_pending_responses()
    assert claim.state is ClaimState.SUPPRESSED


@pytest.mark.parametrize(
    "code", ["ProvisionedThroughputExceededException", "ThrottlingException", "ResourceNotFoundException"]
)
def test_a_refused_call_raises_state_unavailable(code: str) -> None:
    """The service handles the error; the message names the table."""
    stubbed = client("dynamodb")
    with Stubber(stubbed) as stub:
        stub.add_client_error("update_item", service_error_code=code)
        with pytest.raises(StateUnavailable, match=f"table state: .*{code}"):
            DynamoDbClaims(stubbed, TABLE, TERMS).claim(ClaimRequest(KEY, FIRST, NOW))
