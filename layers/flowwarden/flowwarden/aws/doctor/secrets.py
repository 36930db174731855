"""The secrets of sinks, as Secrets Manager describes them: never what they contain."""

from __future__ import annotations

from typing import Any, Final

from flowwarden.aws.answers import Answer
from flowwarden.aws.doctor.reading import fact
from flowwarden.doctor.fact import Fact
from flowwarden.doctor.facts import SinkSecret

CALLER_ACTIONS: Final = ("secretsmanager:DescribeSecret",)
"""The IAM actions that the credentials of the caller need for this file."""


def secret(client: Any, name: str) -> Fact[SinkSecret]:  # noqa: ANN401 - the environment has no stubs of it
    """A secret; None if it does not exist."""

    def read() -> SinkSecret:
        answer = Answer(client.describe_secret(SecretId=name))
        return SinkSecret(name=answer.demand("Name"), deleting=answer.value("DeletedDate") is not None)

    return fact("DescribeSecret", read)
