"""The log formats of flow logs, as DescribeFlowLogs tells them: implements `ports.LogFormats`.

A file of its own beside `ec2.py`, because the monitor uses it and may do nothing else with EC2.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from flowwarden.errors import LogFormatsUnavailable

if TYPE_CHECKING:
    # The stubs are no part of the Lambda runtime.
    from mypy_boto3_ec2 import EC2Client

ACTIONS = ("ec2:DescribeFlowLogs",)
"""IAM actions that this file's calls need."""

ATTEMPTS, READ_SECONDS = 2, 3.0
"""For the client of this file: an EC2 that hangs takes at most 12 s of the time in which pages go out."""


class DescribedFormats:
    """Asks EC2 in the account and region that the client is made for."""

    def __init__(self, make: Callable[[], EC2Client]) -> None:
        """Take the way to a client; it is made at the first call, as EC2's takes long to make."""
        self._client = cache(make)

    def written_into(self, log_group: str) -> list[str | None]:
        """The log format of each flow log that writes into the group; None where EC2 does not tell it.

        Raises:
            LogFormatsUnavailable: EC2 throttled, refused or was not reached, whatever the reason.
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
