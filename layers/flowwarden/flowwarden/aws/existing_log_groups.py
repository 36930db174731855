"""Describes and subscribes existing log groups: implements `ports.ExistingLogGroups`.

Separate from the stack's own groups: an account may have hundreds of existing ones, whose filters take one
call each. So several calls run at a time, and an error is a value, because it concerns one group.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from flowwarden.aws.answers import Answer, listed
from flowwarden.aws.errors import classified
from flowwarden.aws.logs import classify_reading, filters_of, put_subscription_filter
from flowwarden.aws.pages import bounded
from flowwarden.enforcer.decide.subscriptions import Subscribe, Unsubscribe
from flowwarden.enforcer.state.inventory import STANDARD, LogGroup
from flowwarden.errors import EnforcementError, NotFound
from flowwarden.policy.log_groups import ANYTHING

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_logs import CloudWatchLogsClient

ACTIONS = (
    "logs:DescribeLogGroups",
    "logs:DescribeSubscriptionFilters",
    "logs:PutSubscriptionFilter",
    "logs:DeleteSubscriptionFilter",
    "tag:GetResources",
)
"""The IAM actions that this file needs."""

AT_ONCE: Final = 8
"""Calls at a time. More would be throttled, and botocore repeats throttled calls with backoff."""
MASKED: Final = "ACTIVATED"
"""The status of a data protection policy that masks."""
MASKED_BY_ACCOUNT: Final = "ACCOUNT_DATA_PROTECTION"
SERVICE: Final = "logs"
_LOG_GROUP: Final = ":log-group:"


class ExistingGroups:
    """Log groups of the clients' account and region."""

    def __init__(self, logs: CloudWatchLogsClient, make_tags: Callable[[], Any]) -> None:
        """Store the client.

        Args:
            logs: CloudWatch Logs; several threads use it.
            make_tags: creates the client of the Resource Groups Tagging API at the first call: only a policy
                with tags needs it.
        """
        self._logs = logs
        self._make_tags = make_tags

    def listed(
        self, prefixes: Collection[str], names: Collection[str] | None = None
    ) -> dict[str, LogGroup | EnforcementError]:
        """See the port. Costs a call for each page of groups with a prefix."""
        found: dict[str, LogGroup | EnforcementError] = {}
        for prefix in prefixes:
            try:
                groups = [_group(each) for each in self._listed(prefix)]
            except EnforcementError as error:
                found[f"{prefix}{ANYTHING}"] = error
            else:
                found |= {each.name: each for each in groups if names is None or each.name in names}
        return found

    def subscribed(self, groups: Sequence[LogGroup]) -> list[LogGroup | EnforcementError]:
        """See the port. Costs a call for each group of the class STANDARD."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(self._with_filters, groups))

    def tagged(self, tags: Mapping[str, str]) -> frozenset[str]:
        """See the port."""
        filters = [
            {"Key": key, **({} if value == ANYTHING else {"Values": [value]})} for key, value in tags.items()
        ]
        with classified("GetResources"):
            pages = self._make_tags().get_paginator("get_resources")
            found = [
                Answer(each).text("ResourceARN")
                for page in bounded(pages.paginate(TagFilters=filters, ResourceTypeFilters=[SERVICE]))
                for each in listed("GetResources", page, "ResourceTagMappingList")
            ]
        names = (each.partition(_LOG_GROUP)[2].removesuffix(":*") for each in found)
        return frozenset(each for each in names if each)

    def change(self, steps: Sequence[Subscribe | Unsubscribe]) -> list[EnforcementError | None]:
        """See the port."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(self._change, steps))

    def _listed(self, prefix: str) -> Iterable[Answer]:
        pages = self._logs.get_paginator("describe_log_groups")
        with classified("DescribeLogGroups"):
            return [
                Answer(each)
                for page in bounded(pages.paginate(logGroupNamePrefix=prefix))
                for each in listed("DescribeLogGroups", page, "logGroups")
            ]

    def _with_filters(self, group: LogGroup) -> LogGroup | EnforcementError:
        if group.log_class != STANDARD:
            return group  # such groups have none, and describing them is an error
        try:
            return replace(group, subscriptions=filters_of(self._logs, group.name))
        except EnforcementError as error:
            return error

    def _change(self, step: Subscribe | Unsubscribe) -> EnforcementError | None:
        try:
            if isinstance(step, Subscribe):
                put_subscription_filter(self._logs, step.group, step.subscription)
            else:
                self._delete(step)
        except EnforcementError as error:
            return error
        return None

    def _delete(self, step: Unsubscribe) -> None:
        try:
            with classified("DeleteSubscriptionFilter", classify_reading):
                self._logs.delete_subscription_filter(logGroupName=step.group, filterName=step.filter_name)
        except NotFound:
            return  # the filter, or its group, is gone


def _group(described: Answer) -> LogGroup:
    inherited = described.value("inheritedProperties") if "inheritedProperties" in described else ()
    return LogGroup(
        name=described.text("logGroupName"),
        retention_days=described.number("retentionInDays"),
        kms_key_arn=described.text("kmsKeyId") or None,
        log_class=described.text("logGroupClass") or STANDARD,
        is_masked=described.text("dataProtectionStatus") == MASKED or MASKED_BY_ACCOUNT in (inherited or ()),
    )
