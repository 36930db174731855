"""Wires the monitor on AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flowwarden.aws.account import AccountAlias
from flowwarden.aws.clients import QUICK_ATTEMPTS, QUICK_SECONDS, make_client
from flowwarden.aws.dynamodb.claims import DynamoDbClaims
from flowwarden.aws.dynamodb.digests import DynamoDbDigests
from flowwarden.aws.dynamodb.formats import DynamoDbLogFormats
from flowwarden.aws.dynamodb.mutes import DynamoDbMutes
from flowwarden.aws.dynamodb.page_budget import DynamoDbPageBudget
from flowwarden.aws.dynamodb.policy import DynamoDbPolicy
from flowwarden.aws.dynamodb.recent_changes import DynamoDbRecentChanges
from flowwarden.aws.dynamodb.roles import DynamoDbRoles
from flowwarden.aws.dynamodb.sets import DynamoDbEvidence
from flowwarden.aws.ec2.interfaces import DescribedInterfaces
from flowwarden.aws.ec2.log_formats import ATTEMPTS, READ_SECONDS, DescribedFormats
from flowwarden.aws.ec2.names import DescribedNames
from flowwarden.aws.ec2.rules import RULES_ATTEMPTS, RULES_SECONDS, DescribedRules
from flowwarden.aws.sns import BOTOCORE_ATTEMPTS, Topic
from flowwarden.bootstrap.limits import page_limits
from flowwarden.bootstrap.monitor_service import Home, MonitorPorts, Warn, build
from flowwarden.bootstrap.policy import recorder_on_aws
from flowwarden.bootstrap.sinks import on_aws as sinks_on_aws
from flowwarden.https.webhook import Clock
from flowwarden.monitor.pipeline import MonitoringService
from flowwarden.notify.claims import ClaimTerms
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, LogFormat
from flowwarden.settings import MonitorSettings
from flowwarden.sinks.sns import SnsSink
from flowwarden.state.digests import Digests
from flowwarden.unreadable import Unreadable

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_dynamodb import DynamoDBClient

INTERFACE_ATTEMPTS: Final = 1
"""EC2 and IAM are called without retries: a host with an unknown interface is still monitored, with fewer
checks, and a page is sent without names."""


def on_aws(settings: MonitorSettings, warn: Warn, clock: Clock) -> MonitoringService:
    """The monitor on AWS, with the last good policy if the configured one is not valid.

    Args:
        settings: the settings of the function.
        warn: logs a warning.
        clock: the time, and how to wait.

    Raises:
        LogFormatError: the log format is not valid.
    """
    configured = LogFormat.parse(settings.log_format)
    ports = _ports(settings, warn, clock)
    store = DynamoDbPolicy(_state(settings), settings.state_table, ports.unreadable_items)
    policy_recorder = recorder_on_aws(settings.policy, settings.policy_profile, settings.aws_region, store)
    return build(
        ports,
        policy_recorder,
        (configured, DEFAULT_LOG_FORMAT),
        region=settings.aws_region,
        suppression_minutes=settings.suppression_minutes,
        runbooks=settings.runbook_url,
    )


def _state(settings: MonitorSettings) -> DynamoDBClient:
    return make_client("dynamodb", settings.aws_region, attempts=QUICK_ATTEMPTS, read_timeout=QUICK_SECONDS)


def _ports(settings: MonitorSettings, warn: Warn, clock: Clock) -> MonitorPorts:
    region, table = settings.aws_region, settings.state_table
    state = _state(settings)
    topics = make_client("sns", region, attempts=BOTOCORE_ATTEMPTS, read_timeout=QUICK_SECONDS)
    terms = ClaimTerms(suppression=settings.suppression_minutes * 60, lease=settings.claim_lease_seconds)
    items, answers = Unreadable(), Unreadable()
    interfaces = DescribedInterfaces(
        lambda: make_client("ec2", region, attempts=INTERFACE_ATTEMPTS, read_timeout=QUICK_SECONDS), answers
    )
    return MonitorPorts(
        formats=DescribedFormats(
            lambda: make_client("ec2", region, attempts=ATTEMPTS, read_timeout=READ_SECONDS), answers
        ),
        format_store=DynamoDbLogFormats(state, table, items),
        interfaces=interfaces,
        names=DescribedNames(interfaces, _alias(region)),
        home=Home.of(settings.pages_topic_arn),
        state=DynamoDbEvidence(state, table, items, clock.wait),
        roles=DynamoDbRoles(state, table, items),
        digests=None if settings.digests is Digests.NONE else DynamoDbDigests(state, table, items),
        which_digests=settings.digests,
        rules=DescribedRules(
            lambda: make_client("ec2", region, attempts=RULES_ATTEMPTS, read_timeout=RULES_SECONDS), answers
        ),
        rule_changes=DynamoDbRecentChanges(
            lambda: make_client("dynamodb", region, attempts=RULES_ATTEMPTS, read_timeout=RULES_SECONDS),
            table,
            items,
        ),
        mutes=DynamoDbMutes(state, table, items),
        claims=DynamoDbClaims(state, table, terms, items),
        page_budget=DynamoDbPageBudget(state, table, page_limits(settings), items),
        unreadable_items=items,
        unreadable_answers=answers,
        warn=warn,
        pages=SnsSink(Topic(topics, settings.pages_topic_arn, clock.wait)),
        operations=SnsSink(Topic(topics, settings.operations_topic_arn, clock.wait)),
        more_sinks=sinks_on_aws(settings.sinks, region, clock),
    )


def _alias(region: str) -> AccountAlias:
    return AccountAlias(
        lambda: make_client("iam", region, attempts=INTERFACE_ATTEMPTS, read_timeout=QUICK_SECONDS)
    )
