"""The secrets of sinks, in Secrets Manager. Kept in the container until the service refuses them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from flowwarden.aws.caller import NOT_PERMITTED
from flowwarden.errors import PublishFailed, PublishRefused

ACTIONS = ("secretsmanager:GetSecretValue",)
"""The IAM actions that this file needs."""
ATTEMPTS: Final = 1
"""Attempts per call: the time for a notification is short, and the batch is retried."""
_GONE: Final = NOT_PERMITTED | {
    "DecryptionFailure",
    "InvalidParameterException",
    "InvalidRequestException",
    "ResourceNotFoundException",
    "ValidationException",
}
"""Error codes with which Secrets Manager refuses a secret until its cause is mended."""


class StoredSecret:
    """One secret."""

    def __init__(self, make_client: Callable[[], Any], name: str) -> None:
        """Read a secret by its name; `make_client` creates the client of Secrets Manager."""
        self._make_client = make_client
        self._name = name
        self._text: str | None = None

    @cached_property
    def _client(self) -> Any:  # noqa: ANN401 - the environment has no stubs of it
        return self._make_client()

    def text(self) -> str:
        """The secret, read once.

        Raises:
            PublishRefused: it does not exist, is empty, or must not be read.
            PublishFailed: Secrets Manager did not answer.
        """
        if self._text is None:
            self._text = self._read()
        return self._text

    def renewed(self) -> str | None:
        """The secret, read again because it was refused; None if it is the same. Raises as `text` does."""
        before, self._text = self._text, None
        return None if self.text() == before else self._text

    def _read(self) -> str:
        try:
            answer = self._client.get_secret_value(SecretId=self._name)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            kind = PublishRefused if code in _GONE else PublishFailed
            raise kind(f"secret {self._name}: {code}") from error
        except BotoCoreError as error:
            raise PublishFailed(f"secret {self._name}: {error}") from error
        text = str(answer.get("SecretString") or "").strip()
        if not text:
            raise PublishRefused(f"secret {self._name}: it is empty, or not a text")
        return text
