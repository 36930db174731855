"""Log groups, as CloudWatch Logs describes them: each by itself if one of them cannot be read."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from flowwarden.aws.answers import Answer
from flowwarden.aws.doctor.reading import fact
from flowwarden.aws.logs import LogGroups
from flowwarden.doctor.fact import Fact, Unread
from flowwarden.enforcer.state.inventory import LogGroup

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_logs import CloudWatchLogsClient

CALLER_ACTIONS: Final = (
    "logs:DescribeLogGroups",
    "logs:DescribeSubscriptionFilters",
    "logs:DescribeLogStreams",
)
"""The IAM actions that the credentials of the caller need for this file."""


class GroupReader:
    """Log groups of the client's account and Region."""

    def __init__(self, client: CloudWatchLogsClient) -> None:
        self._client = client
        self._groups = LogGroups(client)

    def groups(self, names: Collection[str]) -> dict[str, Fact[LogGroup]]:
        """The groups with these names."""
        together = fact("DescribeLogGroups", lambda: list(self._groups.groups(names)))
        if isinstance(together, Unread) and len(names) > 1:
            return {name: each for one in names for name, each in self.groups([one]).items()}
        if together is None or isinstance(together, Unread):
            return dict.fromkeys(names, together)
        there = {each.name: each for each in together}
        return {name: there.get(name) for name in names}

    def last_event(self, name: str) -> Fact[int]:
        """The time of the newest event by the streams of a group; None if there is none."""
        return fact("DescribeLogStreams", lambda: self._last_event(name))

    def _last_event(self, name: str) -> int | None:
        streams = Answer(
            self._client.describe_log_streams(
                logGroupName=name, orderBy="LastEventTime", descending=True, limit=1
            )
        ).each("logStreams")
        newest = max((each.number("lastEventTimestamp") or 0 for each in streams), default=0)
        return newest // 1000 or None
