"""Builds the enforcer on its ports, in the same way for the function, `flowwarden plan` and tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flowwarden.aws.clients import ATTEMPTS, QUICK_ATTEMPTS, QUICK_SECONDS, make_client
from flowwarden.aws.dynamodb.claims import DynamoDbClaims
from flowwarden.aws.dynamodb.outbox import DynamoDbOutbox
from flowwarden.aws.dynamodb.policy import DynamoDbPolicy
from flowwarden.aws.dynamodb.registry import DynamoDbRegistry
from flowwarden.aws.dynamodb.rule_changes import DynamoDbRuleChanges
from flowwarden.aws.dynamodb.sets import DynamoDbEvidence
from flowwarden.aws.dynamodb.work_queue import DynamoDbWorkQueue
from flowwarden.aws.ec2.flow_logs import Ec2FlowLogs
from flowwarden.aws.existing_log_groups import ExistingGroups
from flowwarden.aws.iam import Roles
from flowwarden.aws.invoke_permissions import MonitorPermissions
from flowwarden.aws.log_volumes import LogVolumes
from flowwarden.aws.logs import LogGroups
from flowwarden.aws.sns import BOTOCORE_ATTEMPTS, Topic
from flowwarden.aws.telemetry_rules import DescribedRules
from flowwarden.bootstrap.more_sinks import NONE, MoreSinks
from flowwarden.bootstrap.policy import recorder_on_aws
from flowwarden.bootstrap.sinks import on_aws as sinks_on_aws
from flowwarden.enforcer.ports import EnforcerPorts, RunClock
from flowwarden.enforcer.reconcile import Enforcer
from flowwarden.enforcer.state.stack import Stack
from flowwarden.https.webhook import Clock
from flowwarden.notify.claims import ClaimTerms
from flowwarden.policy.last_good import Origin, PolicyRecorder
from flowwarden.policy.policy import Policy
from flowwarden.settings import EnforcerSettings
from flowwarden.sinks.sns import SnsSink
from flowwarden.unreadable import Unreadable

MANY_ATTEMPTS: Final = 8
"""Attempts per call about existing log groups: hundreds of calls are throttled, and then take some
seconds."""
_GUESSED: Final = frozenset({Origin.PARAMETER, Origin.DEFAULT})
"""Origins of a policy that may differ from the configured one, because that was never read."""


def build(
    settings: EnforcerSettings,
    aws: EnforcerPorts,
    *,
    dry_run: bool | None = None,
    policy_recorder: PolicyRecorder | None = None,
) -> Enforcer:
    """The enforcer with these settings and ports.

    Args:
        settings: the settings of the function.
        aws: the ports.
        dry_run: whether it only plans; None for the value in the settings.
        policy_recorder: the policy in use, for the function; None to accept only the policy of the settings.

    Raises:
        PolicyError: the policy is not valid, and there is no `policy_recorder`.
    """
    policy = Policy.from_json(settings.policy) if policy_recorder is None else policy_recorder.in_use.policy
    # Such a policy may differ from the flow logs that the user wants, so the enforcer only plans.
    guesses = policy_recorder is not None and policy_recorder.in_use.origin in _GUESSED
    return Enforcer(
        aws,
        policy.flow_logs,
        stack_of(settings),
        dry_run=guesses or (settings.dry_run if dry_run is None else dry_run),
        policy_recorder=policy_recorder,
    )


def policy_recorder_on_aws(settings: EnforcerSettings, unreadable: Unreadable) -> PolicyRecorder:
    """The policy in use: the configured one, or the last good one from the state table.

    Members of the stored policy that cannot be read are noted in `unreadable`.
    """
    state = make_client("dynamodb", settings.aws_region, attempts=QUICK_ATTEMPTS, read_timeout=QUICK_SECONDS)
    store = DynamoDbPolicy(state, settings.state_table, unreadable)
    return recorder_on_aws(settings.policy, settings.policy_profile, settings.aws_region, store)


def on_aws(
    settings: EnforcerSettings, clock: RunClock, *, ec2_attempts: int = ATTEMPTS, more_sinks: MoreSinks = NONE
) -> EnforcerPorts:
    """The ports on AWS; `ec2_attempts` is the total number of attempts for a throttled EC2 call."""
    region, table = settings.aws_region, settings.state_table
    state = make_client("dynamodb", region)
    quick = make_client("dynamodb", region, attempts=QUICK_ATTEMPTS, read_timeout=QUICK_SECONDS)
    topics = make_client("sns", region, attempts=BOTOCORE_ATTEMPTS, read_timeout=QUICK_SECONDS)
    terms = ClaimTerms(suppression=settings.suppression_minutes * 60, lease=settings.claim_lease_seconds)
    items = Unreadable()
    return EnforcerPorts(
        ec2=Ec2FlowLogs(make_client("ec2", region, attempts=ec2_attempts)),
        groups=LogGroups(make_client("logs", region)),
        roles=Roles(make_client("iam", region)),
        existing=existing_groups(region),
        permissions=MonitorPermissions(
            make_client("lambda", region),
            settings.monitor_function_arn,
            settings.account_id,
            settings.url_suffix,
        )
        if settings.url_suffix
        else None,
        rules=DescribedRules(
            lambda: make_client("observabilityadmin", region, attempts=QUICK_ATTEMPTS), clock.remaining
        ),
        volumes=log_volumes(region),
        evidence=DynamoDbEvidence(state, table, items, clock.wait),
        queue=DynamoDbWorkQueue(state, table, items),
        registry=DynamoDbRegistry(state, table, items, clock.wait),
        claims=DynamoDbClaims(quick, table, terms, items),
        outbox=DynamoDbOutbox(quick, table, items),
        rule_changes=DynamoDbRuleChanges(quick, table, items),
        unreadable_items=items,
        routes=more_sinks.routes(
            operations=SnsSink(Topic(topics, settings.operations_topic_arn, clock.wait))
        ),
        clock=clock,
    )


def more_sinks_on_aws(settings: EnforcerSettings, run: RunClock, now: Callable[[], float]) -> MoreSinks:
    """The sinks besides the topic, for the function; `now` is the time in Unix seconds.

    What is left of the run, counted backward, is the time that only grows.
    """
    clock = Clock(monotonic=lambda: -run.remaining(), wait=run.wait, unix=now)
    return sinks_on_aws(settings.sinks, settings.aws_region, clock)


def existing_groups(region: str) -> ExistingGroups:
    """The existing log groups of the account, on AWS."""
    logs = make_client("logs", region, attempts=MANY_ATTEMPTS)
    return ExistingGroups(logs, lambda: make_client("resourcegroupstaggingapi", region))


def log_volumes(region: str) -> LogVolumes:
    """How much the log groups of the account receive, on AWS."""
    return LogVolumes(lambda: make_client("cloudwatch", region))


def stack_of(settings: EnforcerSettings) -> Stack:
    """The deployed stack, from the settings."""
    return Stack(
        account_id=settings.account_id,
        region=settings.aws_region,
        stack_name=settings.stack_name,
        log_group_name=settings.flow_log_group_name,
        delivery_role_arn=settings.delivery_role_arn,
        log_format=settings.log_format,
        retention_days=settings.flow_log_retention_days,
        kms_key_arn=settings.log_kms_key_arn,
        monitor_arn=settings.monitor_function_arn,
        enforcer_role_arn=settings.enforcer_role_arn,
        enforcer_name=settings.aws_lambda_function_name,
    )
