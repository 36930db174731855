"""The claim items of the state table: which invocation notifies a sink of an incident.

Conditional writes decide. Each pair of incident and sink is one item in a partition of its own. States:

    (none) ──claim──> PENDING ──confirm──> SENT ──suppression window over, claim──> PENDING …
                                              └──over──> RESOLVED ──claim or repeat──> PENDING or SENT

A PENDING claim belongs to one invocation until its lease ends. No other invocation takes it over before that,
not even a retry of the same batch. `tries` counts the attempts to send since the last SENT whose outcome is
unknown; a release, which means that nothing was sent, subtracts its attempt. The conditions compare times
with the time of the caller, because DynamoDB removes expired items up to two days late.

An item suppresses a notification only if all its members that `_HELD` compares are valid and plausible. Any
other item counts as free, and a claim overwrites it: a repeated page is better than a lost one.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from flowwarden.aws.dynamodb import history, lifecycle, reported
from flowwarden.aws.dynamodb.item import StoredItem
from flowwarden.aws.dynamodb.lifecycle import PENDING, RESOLVED, SENT
from flowwarden.aws.dynamodb.reported import ACKNOWLEDGED
from flowwarden.aws.dynamodb.table import ConditionFailed, ItemDamaged, StateTable, number
from flowwarden.errors import StateUnavailable
from flowwarden.notify.claim_request import ClaimRequest
from flowwarden.notify.claims import (
    MAX_UNANSWERED,
    REDRIVE_SECONDS,
    UNANSWERED_SECONDS,
    Claim,
    ClaimKey,
    ClaimState,
    ClaimTerms,
    Owner,
)
from flowwarden.notify.evidence import Evidence
from flowwarden.notify.incident import ACKNOWLEDGED_SECONDS
from flowwarden.state.schema import INCIDENTS
from flowwarden.state.sets import DAY
from flowwarden.unreadable import CLOCKS, Unreadable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ACTIONS = ("dynamodb:UpdateItem",)
"""The IAM actions that this file needs."""

_NAMES: Final = {"#state": "state", "#owner": "owner"}
"""Members whose names are reserved words of DynamoDB."""

_HELD = (
    # No window or lease can end later than one that begins now: a later time is damage and does not suppress.
    "(((#state IN (:sent, :resolved) AND {suppressing})"
    # An acknowledged incident is sent again only if it gets worse, also after the window.
    f" OR (#state = :sent AND {ACKNOWLEDGED})) AND {{nothing_new}})"
    # A batch never sends its notification again, however late it is replayed from the failure queue.
    " OR (#state IN (:sent, :resolved) AND attribute_type(#owner, :s) AND begins_with(#owner, :batch))"
    " OR (#state = :pending AND attribute_type(lease_until, :n) AND lease_until BETWEEN :next AND :leased)"
    # After too many attempts whose outcome is unknown, the next one waits, that of the same batch longer.
    " OR (#state = :pending AND attribute_type(tries, :n) AND tries BETWEEN :most AND :plausible"
    " AND attribute_type(lease_until, :n) AND lease_until BETWEEN :redrive AND :now"
    " AND (lease_until > :other OR (attribute_type(#owner, :s) AND begins_with(#owner, :batch))))"
)

_CONFIRM: Final = "SET #state = :sent, sent_at = :now, suppressed_until = :quiet, expires_at = :expires"
_ENDED: Final = (
    "suppressed_batches, lease_until, tries, pending, no_data_since, reported_resolved"
    ", resolved_at, resolved_by, ended_at"
    f"{lifecycle.ACKNOWLEDGMENT}"
)
"""What a sent notification removes: its claim, and what was noted since the one before."""


class DynamoDbClaims:
    """Claims in the state table."""

    def __init__(
        self, client: DynamoDBClient, table: str, terms: ClaimTerms, unreadable: Unreadable | None = None
    ) -> None:
        self._table = StateTable(client, table, unreadable)
        self._terms = terms

    def claim(self, request: ClaimRequest) -> Claim:
        """Try to claim the notification of the sink about the incident.

        Costs one write; a suppressed repeat costs a second write, which counts it. With evidence, a repeat is
        suppressed only if it shows nothing new (`reported.nothing_new`).

        Raises:
            StateUnavailable: the table did not answer or refused.
        """
        quiet, held = self._quiet(request), self._held(request)
        life = lifecycle.claimed(request.pending, request.now, self._terms.lease)
        try:
            answer = self._counted(
                request.key,
                "SET #state = :pending, #owner = :me, lease_until = :lease, expires_at = :expires"
                f"{life.text}, tries = ",
                "if_not_exists(tries, :none) + :one",
                ConditionExpression=f"NOT ({held.text})",
                ExpressionAttributeNames=_NAMES | held.names | life.names,
                ExpressionAttributeValues=self._values(request.owner, request.now, quiet)
                | held.values
                | life.values,
                ReturnValues="ALL_OLD",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ConditionFailed as refused:
            return self._refused(request, refused.item)
        before = answer.get("Attributes")
        return self._claimed(request, before) if before else Claim(state=ClaimState.CLAIMED)

    def _quiet(self, request: ClaimRequest) -> int:
        """The suppression window of a request, in seconds."""
        return self._terms.suppression if request.quiet is None else request.quiet

    def _held(self, request: ClaimRequest) -> reported.Clause:
        """The condition under which this claim is not granted."""
        new = self._new(request.evidence, request.now, self._quiet(request))
        silent = lifecycle.suppressing(request.incident, request.now)
        text = _HELD.format(suppressing=silent.text, nothing_new=new.text)
        return reported.Clause(text, new.values | silent.values, new.names)

    def _new(self, evidence: Evidence | None, now: int, quiet: int) -> reported.Clause:
        """The condition under which a repeat within the window is not sent."""
        if evidence is None:
            return reported.Clause("attribute_exists(suppressed_until)", {})
        # Findings that count over a day have windows that are a day longer (`quiet_of`), and one incident can
        # have both kinds of findings.
        furthest = {":quiet": number(now + quiet + DAY + CLOCKS)}
        clause = reported.nothing_new(evidence, now, min(quiet, self._terms.suppression))
        return reported.Clause(clause.text, clause.values | furthest, clause.names)

    def _values(self, owner: Owner, now: int, quiet: int) -> dict[str, Any]:
        """The values in the condition and in the update of a claim."""
        lease = self._terms.lease
        return {
            ":pending": {"S": PENDING},
            ":sent": {"S": SENT},
            ":resolved": {"S": RESOLVED},
            ":me": {"S": str(owner)},
            ":batch": {"S": owner.batch_id},
            ":n": {"S": "N"},
            ":s": {"S": "S"},
            ":next": number(now + 1),
            ":quiet": number(now + quiet + CLOCKS),
            ":acknowledged": number(now + ACKNOWLEDGED_SECONDS + CLOCKS),
            ":leased": number(now + lease + CLOCKS),
            ":lease": number(now + lease),
            ":expires": number(INCIDENTS.kept_until(now + quiet)),
            ":none": number(0),
            ":one": number(1),
            ":most": number(MAX_UNANSWERED),
            ":now": number(now),
            ":other": number(now - UNANSWERED_SECONDS),
            ":redrive": number(now - REDRIVE_SECONDS + 1),
            ":plausible": number(lifecycle.MOST_TRIES),
        }

    def confirm(self, request: ClaimRequest) -> None:
        """Mark the notification as sent, which begins the suppression window.

        The evidence is what the notification reports. Does nothing if another invocation has taken over the
        claim: the new owner confirms it.

        Raises:
            StateUnavailable: the table did not answer or refused.
        """
        ends = request.now + self._quiet(request)
        evidence = request.evidence
        kept = reported.Clause(" REMOVE joined", {}) if evidence is None else reported.stored(evidence)
        life = lifecycle.confirmed(request.incident, request.now)
        with suppress(ConditionFailed):
            self._update(
                request.key,
                UpdateExpression=f"{_CONFIRM}{life.text}{kept.text}, {_ENDED}",
                ConditionExpression="#owner = :me",
                ExpressionAttributeNames=_NAMES | life.names,
                ExpressionAttributeValues={
                    ":sent": {"S": SENT},
                    ":me": {"S": str(request.owner)},
                    ":now": number(request.now),
                    ":quiet": number(ends),
                    ":expires": number(INCIDENTS.kept_until(ends)),
                    **kept.values,
                    **life.values,
                },
            )

    def release(self, key: ClaimKey, owner: Owner) -> None:
        """Release the claim because nothing was sent: its lease ends now, and the attempt does not count.

        Raises:
            StateUnavailable: the table did not answer or refused.
        """
        with suppress(ConditionFailed):
            self._counted(
                key,
                "SET lease_until = :never, tries = ",
                "if_not_exists(tries, :one) - :one",
                ConditionExpression="#owner = :me AND #state = :pending",
                ExpressionAttributeNames=_NAMES,
                ExpressionAttributeValues={
                    ":never": number(0),
                    ":one": number(1),
                    ":me": {"S": str(owner)},
                    ":pending": {"S": PENDING},
                },
            )

    def _refused(self, request: ClaimRequest, members: dict[str, Any]) -> Claim:
        now, evidence, item = request.now, request.evidence, self._item(request.key, members)
        state, holder = item.text("state"), item.text("owner") or ""
        same_batch = request.owner.same_batch(holder)
        if state == PENDING and holder == str(request.owner):
            # The SDK retried a write whose response was late: the first write had already claimed.
            return self._claimed(request, members)
        if state not in {SENT, RESOLVED}:
            waits = (item.moment("lease_until", now + self._terms.lease) or 0) > now
            waiting = ClaimState.IN_PROGRESS if waits else ClaimState.UNANSWERED
            return Claim(state=waiting, same_batch=same_batch)
        # A retry or second delivery of the batch that sent it is not a repeat.
        joins = evidence is not None and not set(evidence.members) <= set(item.names("reported"))
        known = lifecycle.incident_of(item, now)
        if not same_batch:
            # The outcome is already known, and a missing count does not change it.
            with suppress(StateUnavailable, ConditionFailed):
                reopening = lifecycle.reopened(
                    known, request.incident, state, now, reported="reported_resolved" in item
                )
                stale = lifecycle.is_stale(known, request.incident)
                if update := reported.repeat(
                    item, request, self._quiet(request), reopening, state, stale=stale
                ):
                    self._update(request.key, **update)
        return Claim(
            state=ClaimState.SUPPRESSED,
            same_batch=same_batch,
            joins=joins and not same_batch,
            suppressed_batches=item.size("suppressed_batches"),
            earlier=known,
        )

    def _claimed(self, request: ClaimRequest, members: dict[str, Any]) -> Claim:
        """A granted claim, with what the item contained before. Notes its members that cannot be used."""
        before = self._item(request.key, members)
        state = before.text("state")
        if state == PENDING:
            before.moment("lease_until", request.now + self._terms.lease)
        elif state not in {None, SENT, RESOLVED}:
            before.left_out("state", "is not a state of a claim")
        return history.granted(before, state, request.now, self._quiet(request))

    def _counted(self, key: ClaimKey, update: str, count: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401
        """Update the item and its count of attempts; a count that is not a number becomes 1."""
        try:
            return self._update(key, UpdateExpression=f"{update}{count}", **arguments)
        except ItemDamaged:
            values = {
                name: each for name, each in arguments["ExpressionAttributeValues"].items() if name != ":none"
            }
            arguments["ExpressionAttributeValues"] = values
            return self._update(key, UpdateExpression=f"{update}:one", **arguments)

    def _item(self, key: ClaimKey, members: dict[str, Any]) -> StoredItem:
        return self._table.item(INCIDENTS.key_of(key.sink, key.incident), members)

    def _update(self, key: ClaimKey, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - boto3's own arguments
        return self._table.update(INCIDENTS.address(key.sink, key.incident), **arguments)
