"""Reads the log formats of flow logs from DescribeFlowLogs: implements `ports.LogFormats`.

Separate from the enforcer's EC2 calls, because the monitor needs only this one and its permission.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from flowwarden.errors import LogFormatsUnavailable

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_ec2 import EC2Client

ACTIONS = ("ec2:DescribeFlowLogs",)
"""IAM actions that this file's calls need."""

ATTEMPTS, READ_SECONDS = 2, 3.0
"""For this file's client: if EC2 hangs, it delays pages by at most 12 s."""


class DescribedFormats:
    """Calls EC2 in the client's account and region."""

    def __init__(self, make: Callable[[], EC2Client]) -> None:
        """`make` creates the client, at the first call only, because EC2's client takes long to create."""
        self._client = cache(make)

    def written_into(self, log_group: str) -> list[str | None]:
        """The log format of each flow log that writes to the group; None if EC2 does not report it.

        Raises:
            LogFormatsUnavailable: EC2 throttled, refused or was not reached.
        """
        try:
            pages = self._client().get_paginator("describe_flow_logs")
            return [
                flow_log.get("LogFormat")
                for page in pages.paginate(Filters=[{"Name": "log-group-name", "Values": [log_group]}])
                for flow_log in page["FlowLogs"]
            ]
        except (ClientError, BotoCoreError) as error:
            raise LogFormatsUnavailable(f"DescribeFlowLogs: {error}") from error
