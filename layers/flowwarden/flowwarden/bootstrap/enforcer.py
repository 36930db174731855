"""The enforcer on its ports: the same wiring for the function, `flowwarden plan` and tests."""

from __future__ import annotations

from flowwarden.aws.clients import ATTEMPTS, make_client
from flowwarden.aws.dynamodb.sets import DynamoDbEvidence
from flowwarden.aws.dynamodb.work_queue import DynamoDbEnforcerMemory
from flowwarden.aws.ec2.flow_logs import Ec2FlowLogs
from flowwarden.aws.iam import Roles
from flowwarden.aws.logs import LogGroups
from flowwarden.aws.sns import TopicSink
from flowwarden.enforcer.ports import Pace
from flowwarden.enforcer.reconcile import MINUTE, Aws, EnforcingService
from flowwarden.enforcer.state.stack import Stack
from flowwarden.notify.ports import Sink
from flowwarden.policy.policy import Policy
from flowwarden.settings import EnforcerSettings


def build(settings: EnforcerSettings, aws: Aws, *, dry_run: bool | None = None) -> EnforcingService:
    """The enforcer that the settings describe, on these ports.

    Args:
        settings: the function's.
        aws: the ports.
        dry_run: whether it only plans; None is what the settings say.

    Raises:
        PolicyError: the policy is not valid.
    """
    return EnforcingService(
        aws,
        Policy.from_json(settings.policy).flow_logs,
        stack_of(settings),
        dry_run=settings.dry_run if dry_run is None else dry_run,
        window=settings.suppression_minutes * MINUTE,
    )


def on_aws(settings: EnforcerSettings, reports: Sink, pace: Pace, *, ec2_attempts: int = ATTEMPTS) -> Aws:
    """The ports on AWS; `ec2_attempts` is how often a call to EC2 is made in all while it is throttled."""
    region = settings.aws_region
    table = make_client("dynamodb", region)
    return Aws(
        ec2=Ec2FlowLogs(make_client("ec2", region, attempts=ec2_attempts)),
        groups=LogGroups(make_client("logs", region)),
        roles=Roles(make_client("iam", region)),
        evidence=DynamoDbEvidence(table, settings.state_table),
        memory=DynamoDbEnforcerMemory(table, settings.state_table),
        reports=reports,
        pace=pace,
    )


def topic(settings: EnforcerSettings) -> TopicSink:
    """The operations topic."""
    return TopicSink(make_client("sns", settings.aws_region), settings.operations_topic_arn)


def stack_of(settings: EnforcerSettings) -> Stack:
    """The deployed stack that the settings describe."""
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
    )
