"""Describes and changes log groups of CloudWatch Logs: implements `ports.LogGroupService`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from os.path import commonprefix
from typing import TYPE_CHECKING, Final

from flowwarden.aws.answers import Answer, listed
from flowwarden.aws.availability import require
from flowwarden.aws.errors import classified, classify
from flowwarden.aws.pages import bounded
from flowwarden.enforcer.decide.log_groups import (
    AssociateKmsKey,
    CreateLogGroup,
    LogGroupStep,
    ProtectLogGroup,
    PutRetentionPolicy,
    PutSubscriptionFilter,
)
from flowwarden.enforcer.state.inventory import STANDARD, FoundSubscription, LogGroup, Subscription
from flowwarden.errors import AlreadyExists, CallRefused, EnforcementError, NotAvailable, NotFound

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_logs import CloudWatchLogsClient

ACTIONS = (
    "logs:DescribeLogGroups",
    "logs:DescribeSubscriptionFilters",
    "logs:CreateLogGroup",
    "logs:PutRetentionPolicy",
    "logs:AssociateKmsKey",
    "logs:PutSubscriptionFilter",
    "logs:PutLogGroupDeletionProtection",
)
"""The IAM actions that this file needs."""

SINCE: Final = "November 2025"
UNKNOWN_OPERATION: Final = frozenset({"UnknownOperationException", "InvalidAction", "501"})
"""Codes of an operation that a Region or an emulator does not have."""
FILTERS_HINT: Final = "the log group has the maximum number of subscription filters: delete an unused one"


class LogGroups:
    """Log groups of the client's account and region."""

    def __init__(self, client: CloudWatchLogsClient) -> None:
        self._client = client

    def groups(self, names: Collection[str]) -> Iterator[LogGroup]:
        """See the port. Costs a call for each page of groups with the common prefix, and one per named group.

        The filters of other groups are not read: those groups are not managed.
        """
        prefix = commonprefix(sorted(names))  # noqa: RUF071  character by character: these are not paths
        pages = self._client.get_paginator("describe_log_groups")
        with classified("DescribeLogGroups"):
            found = [
                Answer(each)
                for page in bounded(pages.paginate(logGroupNamePrefix=prefix))
                for each in listed("DescribeLogGroups", page, "logGroups")
            ]
        for each in found:
            if each.text("logGroupName") in names:
                # A group that was deleted meanwhile is left out, so that the plan creates it again.
                with suppress(NotFound):
                    yield self._with_subscriptions(each)

    def _with_subscriptions(self, described: Answer) -> LogGroup:
        name, log_class = described.text("logGroupName"), described.text("logGroupClass") or STANDARD
        return LogGroup(
            name=name,
            retention_days=described.number("retentionInDays"),
            kms_key_arn=described.text("kmsKeyId") or None,
            # Groups of other classes have no subscription filters, and describing them is an error.
            subscriptions=filters_of(self._client, name) if log_class == STANDARD else (),
            log_class=log_class,
            is_protected=described.truth("deletionProtectionEnabled"),
            created_at=(described.number("creationTime") or 0) // 1000 or None,
        )

    def carry_out(self, step: LogGroupStep) -> None:
        """See the port."""
        match step:
            case CreateLogGroup():
                self._make(step)
            case PutRetentionPolicy():
                with classified("PutRetentionPolicy"):
                    self._client.put_retention_policy(logGroupName=step.group, retentionInDays=step.days)
            case AssociateKmsKey():
                with classified("AssociateKmsKey"):
                    self._client.associate_kms_key(logGroupName=step.group, kmsKeyId=step.kms_key_arn)
            case ProtectLogGroup():
                self._protect(step.group)
            case PutSubscriptionFilter():
                put_subscription_filter(self._client, step.group, step.subscription)

    def _protect(self, group: str) -> None:
        """Protect a group, unless the SDK, the Region or an emulator does not know the operation."""
        try:
            require(self._client, "PutLogGroupDeletionProtection", {"deletionProtectionEnabled": SINCE})
        except CallRefused as error:
            raise NotAvailable(str(error)) from error
        with classified("PutLogGroupDeletionProtection", _classify_protection):
            self._client.put_log_group_deletion_protection(
                logGroupIdentifier=group, deletionProtectionEnabled=True
            )

    def _make(self, step: CreateLogGroup) -> None:
        key = {"kmsKeyId": step.kms_key_arn} if step.kms_key_arn else {}
        try:
            with classified("CreateLogGroup", _classify_making):
                # Without logGroupClass the class is STANDARD. Some Regions refuse the parameter.
                self._client.create_log_group(logGroupName=step.group, **key)  # type: ignore[arg-type]  # the key's type is not inferred
        except AlreadyExists:
            # A concurrent run has created it.
            return


def _classify_protection(call: str, code: str, message: str, status: int = 0) -> EnforcementError:
    if code in UNKNOWN_OPERATION or "unknown action" in message.lower():
        return NotAvailable(f"{call}: {code}: {message}")
    return classify(call, code, message, status)


def filters_of(client: CloudWatchLogsClient, group: str) -> tuple[FoundSubscription, ...]:
    """The subscription filters of a log group. Raises the errors of `classify_reading`.

    A group has at most two, so there is no second page.
    """
    with classified("DescribeSubscriptionFilters", classify_reading):
        answer = client.describe_subscription_filters(logGroupName=group)
    filters = listed("DescribeSubscriptionFilters", answer, "subscriptionFilters")
    return tuple(
        FoundSubscription(
            name=each.text("filterName"),
            destination_arn=each.text("destinationArn"),
            pattern=each.text("filterPattern"),
            creation_time=(each.number("creationTime") or 0) // 1000 or None,
        )
        for each in map(Answer, filters)
        if each.text("filterName")
    )


def put_subscription_filter(client: CloudWatchLogsClient, group: str, subscription: Subscription) -> None:
    """Create or change a subscription filter. Raises CallRefused, CallFailed and CallThrottled."""
    with classified("PutSubscriptionFilter", _classify_filter):
        client.put_subscription_filter(
            logGroupName=group,
            filterName=subscription.name,
            filterPattern=subscription.pattern,
            destinationArn=subscription.destination_arn,
        )


def _classify_making(call: str, code: str, message: str, status: int = 0) -> EnforcementError:
    if code == "ResourceAlreadyExistsException":
        return AlreadyExists(f"{call}: {code}: {message}")
    return classify(call, code, message, status)


def classify_reading(call: str, code: str, message: str, status: int = 0) -> EnforcementError:
    """The error of a call about an existing log group or filter; see `classify`."""
    if code == "ResourceNotFoundException":
        return NotFound(f"{call}: {code}: {message}")
    return classify(call, code, message, status)


def _classify_filter(call: str, code: str, message: str, status: int = 0) -> EnforcementError:
    if code == "LimitExceededException":
        return CallRefused(f"{call}: {code}: {FILTERS_HINT}. AWS says: {message}")
    return classify(call, code, message, status)
