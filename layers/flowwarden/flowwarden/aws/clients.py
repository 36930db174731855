"""Creates every AWS client, with its retries, backoff and timeouts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from flowwarden.errors import SettingsError

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_appconfigdata import AppConfigDataClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

type Service = Literal[
    "ec2", "dynamodb", "sns", "logs", "iam", "appconfigdata", "lambda", "sqs", "cloudformation", "cloudtrail",
    "cloudwatch", "events", "kms", "observabilityadmin", "s3",
    "resourcegroupstaggingapi", "secretsmanager", "securityhub",
]  # fmt: skip

CONNECT_TIMEOUT_SECONDS = 1
READ_TIMEOUT_SECONDS = 10
"""Far longer than a normal call; far shorter than botocore's default of 60, which would use up a function's
timeout."""
ATTEMPTS = 4
"""Total attempts: the first call and three retries, with jittered exponential backoff (at most about 7 s)."""
QUICK_ATTEMPTS, QUICK_SECONDS = 2, 2.0
"""For calls that claim, send and mark notifications: one hanging service must not delay the others."""


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
@overload
def make_client(
    service: Literal["appconfigdata"],
    region: str,
    *,
    attempts: int = ...,
    read_timeout: float = ...,
    session: boto3.Session | None = ...,
) -> AppConfigDataClient: ...
@overload
def make_client(
    service: Literal["lambda"],
    region: str,
    *,
    attempts: int = ...,
    read_timeout: float = ...,
    session: boto3.Session | None = ...,
) -> LambdaClient: ...
@overload
def make_client(
    service: Literal["sqs"],
    region: str,
    *,
    attempts: int = ...,
    read_timeout: float = ...,
    session: boto3.Session | None = ...,
) -> SQSClient: ...
@overload
def make_client(
    service: Literal[
        "cloudformation",
        "cloudtrail",
        "cloudwatch",
        "events",
        "kms",
        "observabilityadmin",
        "resourcegroupstaggingapi",
        "s3",
        "secretsmanager",
        "securityhub",
    ],
    region: str,
    *,
    attempts: int = ...,
    read_timeout: float = ...,
    session: boto3.Session | None = ...,
) -> Any: ...  # noqa: ANN401 - the environment has no stubs of all of them
def make_client(
    service: Service,
    region: str,
    *,
    attempts: int = ATTEMPTS,
    read_timeout: float = READ_TIMEOUT_SECONDS,
    session: boto3.Session | None = None,
) -> Any:
    """Create a client that retries throttling and outages with backoff, and that has short timeouts.

    Args:
        service: the service's name.
        region: the region to call.
        attempts: total attempts per call. The sweep, which calls often and may wait, uses more.
        read_timeout: seconds to wait for an answer.
        session: the source of credentials; by default the environment of the function.

    The retry mode is botocore's `standard`: full-jitter backoff of at most 20 s per retry, and a retry quota
    that prevents retry storms. (`adaptive` slows down every call of a shared client after one throttle.)

    Raises:
        SettingsError: there is no such Region, or another setting of the SDK is wrong.
    """
    config = Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=read_timeout,
    )
    try:
        # boto3's default session, shared by all clients: each new session loads AWS's endpoints again.
        made = (session or boto3).client(service, region_name=region, config=config)
    except (BotoCoreError, ValueError) as error:  # ValueError: the endpoint in the environment
        raise SettingsError(f"AWS_REGION={region!r}: no client for {service}: {error}") from error
    return made
