"""Wires the dispatcher on AWS."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from flowwarden.aws.clients import QUICK_ATTEMPTS, QUICK_SECONDS, make_client
from flowwarden.aws.dynamodb.claims import DynamoDbClaims
from flowwarden.aws.dynamodb.digests import DynamoDbDigests
from flowwarden.aws.dynamodb.incidents import DynamoDbIncidents
from flowwarden.aws.dynamodb.page_budget import DynamoDbPageBudget
from flowwarden.aws.dynamodb.sets import DynamoDbEvidence
from flowwarden.aws.sns import BOTOCORE_ATTEMPTS, Topic
from flowwarden.bootstrap.dispatcher_service import DispatcherPorts, build
from flowwarden.bootstrap.limits import page_limits
from flowwarden.bootstrap.sinks import on_aws as sinks_on_aws
from flowwarden.dispatcher.digest_place import DigestPlace
from flowwarden.dispatcher.dispatch import Dispatcher
from flowwarden.https.webhook import Clock
from flowwarden.notify.claims import ClaimTerms
from flowwarden.notify.ports import Sink
from flowwarden.settings import DispatcherSettings
from flowwarden.sinks.sns import SnsSink
from flowwarden.state.digests import Digests
from flowwarden.unreadable import Unreadable

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_dynamodb import DynamoDBClient

_ACCOUNT: Final = 4
"""The part of an ARN that is the account."""


def stored(
    state: DynamoDBClient,
    settings: DispatcherSettings,
    sinks: tuple[Sink, Sink],
    wait: Callable[[float], None],
) -> DispatcherPorts:
    """The ports on the state table.

    Args:
        state: the client of the table.
        settings: the settings of the function.
        sinks: the receivers of pages and of notifications to operations.
        wait: sleeps for some seconds.
    """
    pages, operations = sinks
    table, lease, items = settings.state_table, settings.claim_lease_seconds, Unreadable()
    terms = ClaimTerms(suppression=settings.suppression_minutes * 60, lease=lease)
    return DispatcherPorts(
        incidents=DynamoDbIncidents(state, table, lease, items),
        claims=DynamoDbClaims(state, table, terms, items),
        evidence=DynamoDbEvidence(state, table, items, wait),
        page_budget=DynamoDbPageBudget(state, table, page_limits(settings), items),
        pages=pages,
        operations=operations,
        digests=None if settings.digests is Digests.NONE else DynamoDbDigests(state, table, items, wait),
        which_digests=settings.digests,
        place=_place(settings),
        unreadable_items=items,
    )


def _place(settings: DispatcherSettings) -> DigestPlace:
    """The stack; its account is in the ARN of its topic."""
    parts = settings.operations_topic_arn.split(":")
    account = parts[_ACCOUNT] if len(parts) > _ACCOUNT else ""
    return DigestPlace(account, settings.aws_region, settings.runbook_url)


def on_aws(settings: DispatcherSettings, clock: Clock) -> tuple[Dispatcher, Unreadable]:
    """The dispatcher on AWS."""
    region = settings.aws_region
    state = make_client("dynamodb", region, attempts=QUICK_ATTEMPTS, read_timeout=QUICK_SECONDS)
    topics = make_client("sns", region, attempts=BOTOCORE_ATTEMPTS, read_timeout=QUICK_SECONDS)
    pages = SnsSink(Topic(topics, settings.pages_topic_arn, clock.wait))
    operations = SnsSink(Topic(topics, settings.operations_topic_arn, clock.wait))
    more = sinks_on_aws(settings.sinks, region, clock)
    return build(replace(stored(state, settings, (pages, operations), clock.wait), more_sinks=more))
