"""The policy in an AppConfig profile: implements `policy.last_good.PolicySource`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from flowwarden.aws.answers import Answer, Malformed
from flowwarden.errors import PolicyUnavailable, SettingsError
from flowwarden.policy.policy import LONGEST

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_appconfigdata import AppConfigDataClient

ACTIONS: Final = ("appconfig:StartConfigurationSession", "appconfig:GetLatestConfiguration")
"""The IAM actions that this file needs."""
_MOST_BYTES: Final = 4 * LONGEST
SHORTEST_POLL: Final = 60
"""Minimum seconds between two calls of a session, which the session demands; the functions wait longer."""


class AppConfigPolicy:
    """The text of a hosted profile. Its session returns the text only if it has changed."""

    def __init__(self, client: Callable[[], AppConfigDataClient], profile: str) -> None:
        """Create no client yet.

        Args:
            client: creates the client, at the first call.
            profile: ids of AppConfig: `APPLICATION/ENVIRONMENT/PROFILE`.
        """
        self.profile = profile
        self._client = client
        self._made: AppConfigDataClient | None = None
        self._token = ""
        self._last: str | None = None

    def text(self) -> str:
        """See the port."""
        if self._last is None:
            self.refresh()
        return self._last or ""

    def refresh(self) -> bool:
        """See the port. Costs one call, two for a new session."""
        try:
            text = self._next_text()
        except (BotoCoreError, ClientError, Malformed, SettingsError, KeyError, ValueError) as error:
            self._token = ""  # it expires after a day; a new session returns the whole text
            raise PolicyUnavailable(f"AppConfig profile {self.profile}: {error}") from error
        if not text and self._last is None:
            raise PolicyUnavailable(f"AppConfig profile {self.profile}: no version is deployed")
        if not text or text == self._last:
            return False
        self._last = text
        return True

    def _next_text(self) -> str:
        """The text; '' if it has not changed since the last call of the session."""
        client = self._made = self._made or self._client()
        if not self._token:
            self._token = self._session(client)
        answer = client.get_latest_configuration(ConfigurationToken=self._token)
        self._token = Answer(answer).demand("NextPollConfigurationToken")
        content = answer["Configuration"].read(_MOST_BYTES + 1)
        # A longer one is cut, maybe within a character; the policy refuses it because of its length.
        return content.decode("utf-8", "strict" if len(content) <= _MOST_BYTES else "replace")

    def _session(self, client: AppConfigDataClient) -> str:
        application, environment, profile = self.profile.split("/")
        answer = client.start_configuration_session(
            ApplicationIdentifier=application,
            EnvironmentIdentifier=environment,
            ConfigurationProfileIdentifier=profile,
            RequiredMinimumPollIntervalInSeconds=SHORTEST_POLL,
        )
        return Answer(answer).demand("InitialConfigurationToken")
