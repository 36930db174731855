"""Builds the dispatcher on its ports, in the same way for the function and tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field
from msgspec.structs import replace

from flowwarden.aws.clients import QUICK_ATTEMPTS, QUICK_SECONDS, make_client
from flowwarden.aws.dynamodb.claims import DynamoDbClaims
from flowwarden.aws.dynamodb.digests import DynamoDbDigests
from flowwarden.aws.dynamodb.incidents import DynamoDbIncidents
from flowwarden.aws.dynamodb.page_budget import DynamoDbPageBudget
from flowwarden.aws.dynamodb.sets import DynamoDbEvidence
from flowwarden.aws.sns import BOTOCORE_ATTEMPTS, Topic
from flowwarden.bootstrap.limits import page_limits
from flowwarden.bootstrap.sinks import NONE, MoreSinks
from flowwarden.bootstrap.sinks import on_aws as sinks_on_aws
from flowwarden.dispatcher.digest_place import DigestPlace
from flowwarden.dispatcher.digests import DigestSender
from flowwarden.dispatcher.dispatch import Dispatcher
from flowwarden.dispatcher.pending import Limited
from flowwarden.dispatcher.ports import OpenIncidents
from flowwarden.https.webhook import Clock
from flowwarden.notify import held
from flowwarden.notify.alert import Route
from flowwarden.notify.claims import ClaimTerms
from flowwarden.notify.ports import Claims, PageBudget, Sink
from flowwarden.settings import DispatcherSettings
from flowwarden.sinks.sns import SnsSink
from flowwarden.state.digests import Digests
from flowwarden.state.ports import DigestStore, EvidenceStore
from flowwarden.unreadable import Unreadable

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_dynamodb import DynamoDBClient


_ACCOUNT: Final = 4
"""The part of an ARN that is the account."""


class DispatcherPorts(Struct, frozen=True, kw_only=True):
    """The ports of the dispatcher."""

    incidents: OpenIncidents
    claims: Claims
    evidence: EvidenceStore
    pages: Sink
    operations: Sink
    more_sinks: MoreSinks = NONE
    """The sinks beside these two."""
    digests: DigestStore | None = None
    """What the digests say; without it, none are sent."""
    which_digests: Digests = Digests.HOURLY_AND_DAILY
    place: DigestPlace = DigestPlace("", "", "")
    page_budget: PageBudget | None = None
    """The budget for pages; without it, there are no limits."""
    unreadable_items: Unreadable = field(default_factory=Unreadable)
    """Where the ports on the state table note what they cannot read."""


def build(ports: DispatcherPorts) -> tuple[Dispatcher, Unreadable]:
    """The dispatcher on these ports, and where these note what they cannot read."""
    more = ports.more_sinks
    routes = more.routes(pages=ports.pages, operations=ports.operations)
    summaries = {Route.OPERATIONS: more.routes(digest=ports.operations)[Route.DIGEST]}
    sender = (
        DigestSender(ports.digests, ports.claims, summaries, ports.which_digests, ports.place)
        if ports.digests
        else None
    )
    limited = Limited(ports.page_budget, ports.place.runbook(held.NAME)) if ports.page_budget else None
    dispatcher = Dispatcher(ports.incidents, ports.claims, ports.evidence, routes, limited, sender)
    return dispatcher, ports.unreadable_items


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
