"""How every AWS client is made: its retries, backoff and timeouts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, overload

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    # The stubs are no part of the Lambda runtime.
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sns import SNSClient

CONNECT_TIMEOUT_SECONDS = 1
READ_TIMEOUT_SECONDS = 10
"""Far above what these calls take, far below botocore's 60, which would eat a function's whole timeout."""
ATTEMPTS = 4
"""Calls in all: the first one and three retries, with jittered exponential backoff (at most about 7 s)."""
QUICK_ATTEMPTS, QUICK_SECONDS = 2, 2.0
"""Of calls that claim, send and mark notifications: a service that hangs must not take the time of others."""


@overload
def make_client(
    service: Literal["ec2"],
    region: str,
    *,
    attempts: int = ...,
    read_timeout: float = ...,
    session: boto3.Session | None = ...,
) -> EC2Client: ...
@overload
def make_client(
    service: Literal["dynamodb"],
    region: str,
    *,
    attempts: int = ...,
    read_timeout: float = ...,
    session: boto3.Session | None = ...,
) -> DynamoDBClient: ...
@overload
def make_client(
    service: Literal["sns"],
    region: str,
    *,
    attempts: int = ...,
    read_timeout: float = ...,
    session: boto3.Session | None = ...,
) -> SNSClient: ...
@overload
def make_client(
    service: Literal["logs"],
    region: str,
    *,
    attempts: int = ...,
    read_timeout: float = ...,
    session: boto3.Session | None = ...,
) -> CloudWatchLogsClient: ...
@overload
def make_client(
    service: Literal["iam"],
    region: str,
    *,
    attempts: int = ...,
    read_timeout: float = ...,
    session: boto3.Session | None = ...,
) -> IAMClient: ...
def make_client(
    service: Literal["ec2", "dynamodb", "sns", "logs", "iam"],
    region: str,
    *,
    attempts: int = ATTEMPTS,
    read_timeout: float = READ_TIMEOUT_SECONDS,
    session: boto3.Session | None = None,
) -> EC2Client | DynamoDBClient | SNSClient | CloudWatchLogsClient | IAMClient:
    """Make a client that retries throttling and outages itself, with backoff, and never waits for long.

    Args:
        service: the service's name.
        region: the region that is called.
        attempts: calls in all. The sweep, which calls often and may wait, asks for more.
        read_timeout: seconds to wait for an answer.
        session: where credentials come from; by default from what the function was given.

    The mode is botocore's `standard`: full-jitter backoff of at most 20 s a retry, and a retry quota
    that stops a storm. (`adaptive` would slow down every call of a shared client after one throttle.)
    """
    config = Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=read_timeout,
    )
    made: EC2Client | DynamoDBClient | SNSClient | CloudWatchLogsClient | IAMClient = (
        # boto3's own session, shared by all clients: each new one reads AWS's endpoints again.
        (session or boto3).client(service, region_name=region, config=config)
    )
    return made
