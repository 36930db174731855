"""boto3 clients for the AWS emulator. They cannot reach AWS: endpoint and credentials are explicit."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config

from local.environment import CREDENTIALS, REGION

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient


class Clients:
    """One client per service, created at first use and thread-safe."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._config = Config(
            proxies={},
            retries={"max_attempts": 1},
            read_timeout=120,
            max_pool_connections=20,
        )

    @cached_property
    def _session(self) -> boto3.Session:
        # Ignores the user's profile and configuration files.
        core = botocore.session.Session(
            session_vars={
                "profile": (None, None, None, None),
                "config_file": (None, None, os.devnull, None),
                "credentials_file": (None, None, os.devnull, None),
            }
        )
        return boto3.Session(
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
            botocore_session=core,
        )

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        """CloudFormation."""
        return self._session.client("cloudformation", endpoint_url=self.endpoint, config=self._config)

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """DynamoDB."""
        return self._session.client("dynamodb", endpoint_url=self.endpoint, config=self._config)

    @cached_property
    def ec2(self) -> EC2Client:
        """EC2."""
        return self._session.client("ec2", endpoint_url=self.endpoint, config=self._config)

    @cached_property
    def events(self) -> EventBridgeClient:
        """EventBridge."""
        return self._session.client("events", endpoint_url=self.endpoint, config=self._config)

    @cached_property
    def functions(self) -> LambdaClient:
        """Lambda."""
        return self._session.client("lambda", endpoint_url=self.endpoint, config=self._config)

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        """CloudWatch Logs."""
        return self._session.client("logs", endpoint_url=self.endpoint, config=self._config)

    @cached_property
    def metrics(self) -> Any:  # noqa: ANN401 -- the environment has no stubs of CloudWatch
        """CloudWatch."""
        return self._session.client("cloudwatch", endpoint_url=self.endpoint, config=self._config)

    def of(self, service: str) -> Any:  # noqa: ANN401 -- the environment has no stubs of the others
        """Another service."""
        return self._session.client(service, endpoint_url=self.endpoint, config=self._config)  # type: ignore[call-overload]

    @cached_property
    def sns(self) -> SNSClient:
        """SNS."""
        return self._session.client("sns", endpoint_url=self.endpoint, config=self._config)

    @cached_property
    def sqs(self) -> SQSClient:
        """SQS."""
        return self._session.client("sqs", endpoint_url=self.endpoint, config=self._config)
