"""Reads the log formats of flow logs from DescribeFlowLogs: implements `ports.LogFormats`.

Separate from the enforcer's EC2 calls, because the monitor needs only this call and its permission.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from flowwarden.aws.answers import Answer
from flowwarden.aws.pages import FEW, bounded
from flowwarden.errors import LogFormatsUnavailable
from flowwarden.unreadable import Unreadable

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FilterTypeDef

ACTIONS = ("ec2:DescribeFlowLogs",)
"""The IAM actions that this file needs."""

ATTEMPTS, READ_SECONDS = 2, 3.0
"""For the client of this file. Without a response from EC2, a call fails within 10 s: each attempt takes up
to 1 s to connect and 3 s to read, with a backoff of up to 1 s between them. Notifications wait for it."""


class DescribedFormats:
    """Calls EC2 in the client's account and region."""

    def __init__(self, make: Callable[[], EC2Client], unreadable: Unreadable | None = None) -> None:
        """Create no client yet.

        Args:
            make: creates the client at the first call, because EC2's client takes long to create.
            unreadable: where members of descriptions that cannot be read are noted.
        """
        self._client = cache(make)
        self._unreadable = unreadable or Unreadable()

    def written_into(self, log_group: str) -> list[str | None]:
        """The log format of each flow log that writes to the group; None if EC2 does not report it.

        Raises:
            LogFormatsUnavailable: EC2 throttled, refused or was not reached.
        """
        wanted: FilterTypeDef = {"Name": "log-group-name", "Values": [log_group]}
        try:
            pages = self._client().get_paginator("describe_flow_logs").paginate(Filters=[wanted])
            return [each for page in bounded(pages, FEW) for each in self._formats(page)]
        except (ClientError, BotoCoreError) as error:
            raise LogFormatsUnavailable(f"DescribeFlowLogs: {error}") from error

    def _formats(self, page: object) -> list[str | None]:
        answer = Answer(page)
        if "FlowLogs" not in answer:
            raise LogFormatsUnavailable("DescribeFlowLogs: the response has no FlowLogs")
        formats = [each.text("LogFormat") or None for each in answer.each("FlowLogs")]
        for fault in answer.faults:
            self._unreadable.note("DescribeFlowLogs", fault)
        return formats
