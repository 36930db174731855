"""Secrets: read once, read again after they were refused, and what a failure means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from moto import mock_aws

from flowwarden.aws.secrets import StoredSecret
from flowwarden.errors import PublishFailed, PublishRefused
from tests.aws.clients import client

NAME = "flow-warden/pagerduty"


@pytest.fixture
def secrets() -> Iterator[Any]:
    """Secrets Manager with one secret."""
    with mock_aws():
        manager = client("secretsmanager")
        manager.create_secret(Name=NAME, SecretString=" key-1\n")
        yield manager


class Counting:
    """A client that counts its calls, or fails."""

    def __init__(self, inner: Any, error: Exception | None = None) -> None:
        self.calls = 0
        self._inner = inner
        self._error = error

    def get_secret_value(self, **arguments: str) -> Any:
        """See boto3."""
        self.calls += 1
        if self._error is not None:
            raise self._error
        return self._inner.get_secret_value(**arguments)


def test_a_secret_is_read_once_and_without_the_space_around_it(secrets: Any) -> None:
    """Editors add a line break."""
    counting = Counting(secrets)
    secret = StoredSecret(lambda: counting, NAME)
    assert [secret.text(), secret.text()] == ["key-1", "key-1"]
    assert counting.calls == 1


def test_a_rotated_secret_is_the_new_one_from_then_on(secrets: Any) -> None:
    """None means that it has not changed."""
    secret = StoredSecret(lambda: secrets, NAME)
    assert secret.text() == "key-1"
    assert secret.renewed() is None
    secrets.put_secret_value(SecretId=NAME, SecretString="key-2")
    assert secret.renewed() == "key-2"
    assert secret.text() == "key-2"


def test_a_missing_secret_is_refused_and_found_once_it_exists(secrets: Any) -> None:
    """A failure is not kept."""
    secret = StoredSecret(lambda: secrets, "flow-warden/slack")
    with pytest.raises(PublishRefused, match="flow-warden/slack: ResourceNotFoundException"):
        secret.text()
    secrets.create_secret(Name="flow-warden/slack", SecretString="https://x")
    assert secret.text() == "https://x"


@pytest.mark.parametrize("value", [{"SecretString": "  "}, {"SecretBinary": b"key"}])
def test_an_empty_or_binary_secret_is_refused(secrets: Any, value: dict[str, Any]) -> None:
    """The message says which secret it is."""
    secrets.create_secret(Name="other", **value)
    with pytest.raises(PublishRefused, match="secret other"):
        StoredSecret(lambda: secrets, "other").text()


@pytest.mark.parametrize(
    ("code", "refused"),
    [
        ("AccessDeniedException", True),
        ("DecryptionFailure", True),
        ("InvalidRequestException", True),
        ("ThrottlingException", False),
        ("InternalServiceError", False),
    ],
)
def test_only_what_lasts_is_refused(code: str, refused: bool) -> None:  # noqa: FBT001
    """A denied or deleted secret must be mended; a throttled call is retried with the batch."""
    error = ClientError({"Error": {"Code": code, "Message": "x"}}, "GetSecretValue")
    with pytest.raises(PublishFailed) as failed:
        StoredSecret(lambda: Counting(None, error), NAME).text()
    assert isinstance(failed.value, PublishRefused) is refused


def test_without_an_answer_the_batch_is_retried() -> None:
    """A hanging Secrets Manager delays by its own time limit only."""
    error = ReadTimeoutError(endpoint_url="https://x")
    with pytest.raises(PublishFailed) as failed:
        StoredSecret(lambda: Counting(None, error), NAME).text()
    assert not isinstance(failed.value, PublishRefused)
