"""The policy in an AppConfig profile, on the SDK's stub."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from flowwarden.aws.appconfig import AppConfigPolicy
from flowwarden.errors import PolicyUnavailable
from tests.aws.clients import client

PROFILE = "abc1234/def5678/ghi9012"
POLICY = '{"exempt": ["10.0.9.9"]}'


class Profile:
    """A profile behind a stub, which checks each call against the service's description."""

    def __init__(self) -> None:
        client_of_stub = client("appconfigdata")
        self.stub = Stubber(client_of_stub)
        self.policy = AppConfigPolicy(lambda: client_of_stub, PROFILE)
        self._tokens = 0

    def session(self) -> None:
        """The next call begins a session."""
        application, environment, profile = PROFILE.split("/")
        asked = {
            "ApplicationIdentifier": application,
            "EnvironmentIdentifier": environment,
            "ConfigurationProfileIdentifier": profile,
            "RequiredMinimumPollIntervalInSeconds": 60,
        }
        self._tokens += 1
        answer = {"InitialConfigurationToken": f"token-{self._tokens}"}
        self.stub.add_response("start_configuration_session", answer, asked)

    def returns(self, content: bytes, **others: Any) -> None:
        """The next call returns this content; an empty one means that it has not changed."""
        asked = {"ConfigurationToken": f"token-{self._tokens}"}
        self._tokens += 1
        answer = {
            "NextPollConfigurationToken": f"token-{self._tokens}",
            "Configuration": StreamingBody(BytesIO(content), len(content)),
            "NextPollIntervalInSeconds": 60,
        }
        self.stub.add_response("get_latest_configuration", answer | others, asked)

    def fails(self, code: str) -> None:
        """The next call fails."""
        self.stub.add_client_error("get_latest_configuration", code)


@pytest.fixture
def profile() -> Iterator[Profile]:
    """A profile all of whose expected calls are made."""
    made = Profile()
    with made.stub:
        yield made
        made.stub.assert_no_pending_responses()


def test_the_first_call_returns_the_policy_and_later_ones_only_a_changed_one(profile: Profile) -> None:
    """Each call uses the token of the one before."""
    profile.session()
    for content in (POLICY.encode(), b"", b"{}"):
        profile.returns(content)
    assert [profile.policy.latest() for _ in range(3)] == [POLICY, None, "{}"]


def test_a_session_that_ended_is_begun_again_and_the_same_policy_is_no_change(profile: Profile) -> None:
    """Tokens expire after a day."""
    profile.session()
    profile.returns(POLICY.encode())
    profile.fails("BadRequestException")
    profile.session()
    profile.returns(POLICY.encode())
    assert profile.policy.latest() == POLICY
    with pytest.raises(PolicyUnavailable, match=PROFILE):
        profile.policy.latest()
    assert profile.policy.latest() is None


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException", "InternalServerException"])
def test_an_error_names_the_profile_and_the_reason(profile: Profile, code: str) -> None:
    """A person reads it in the notification."""
    profile.session()
    profile.fails(code)
    with pytest.raises(PolicyUnavailable, match=f"{PROFILE}: .*{code}"):
        profile.policy.latest()


def test_a_profile_without_a_deployed_version_has_no_policy(profile: Profile) -> None:
    """Its content is empty."""
    profile.session()
    profile.returns(b"")
    with pytest.raises(PolicyUnavailable, match="no version is deployed"):
        profile.policy.latest()


def test_content_that_is_not_utf_8_is_no_policy(profile: Profile) -> None:
    """It can be any file."""
    profile.session()
    profile.returns(b"\xff\xfe{}")
    with pytest.raises(PolicyUnavailable, match="utf-8"):
        profile.policy.latest()


def test_content_of_any_size_is_read_only_as_far_as_a_policy_may_be_long(profile: Profile) -> None:
    """The rest would only be refused."""
    profile.session()
    profile.returns(b" " * 1_048_576)
    found = profile.policy.latest()
    assert found is not None
    assert len(found) < 600_000


def test_without_a_network_the_policy_is_unavailable() -> None:
    """Also if the client cannot be made."""

    def fail() -> Any:
        raise EndpointConnectionError(endpoint_url="https://appconfigdata")

    with pytest.raises(PolicyUnavailable, match="Could not connect"):
        AppConfigPolicy(fail, PROFILE).latest()
