"""Whether the configured AWS services can take findings: the event bus, and Security Hub."""

from __future__ import annotations

from typing import Any, Final

from botocore.exceptions import ClientError

from flowwarden.aws.answers import Answer
from flowwarden.aws.doctor.reading import fact
from flowwarden.doctor.fact import Fact, Unread
from flowwarden.doctor.facts import FindingService

CALLER_ACTIONS: Final = ("events:DescribeEventBus", "securityhub:DescribeHub")
"""The IAM actions that the credentials of the caller need for this file."""
_NOT_ENABLED: Final = "InvalidAccessException"
"""Security Hub's answer in an account and Region where it is not enabled."""


def bus(client: Any, name: str) -> Fact[FindingService]:  # noqa: ANN401 - the environment has no stubs of this call
    """Whether the event bus exists."""
    found = fact("DescribeEventBus", lambda: Answer(client.describe_event_bus(Name=name)).demand("Name"))
    return _service(found)


def security_hub(client: Any) -> Fact[FindingService]:  # noqa: ANN401 - the environment has no stubs of it
    """Whether Security Hub is enabled."""

    def read() -> str | None:
        try:
            return Answer(client.describe_hub()).demand("HubArn")
        except ClientError as error:
            if Answer(error.response).inner("Error").text("Code") == _NOT_ENABLED:
                return None
            raise

    return _service(fact("DescribeHub", read))


def _service(found: Fact[str]) -> Fact[FindingService]:
    return found if isinstance(found, Unread) else FindingService(exists=found is not None)
