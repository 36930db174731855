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
from flowwarden.errors import PolicyError, PolicyUnavailable
from flowwarden.policy.policy import Policy
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


def test_a_version_is_read_once_and_each_new_one_when_it_is_refreshed(profile: Profile) -> None:
    """Each call uses the token of the one before."""
    profile.session()
    for content in (POLICY.encode(), b"", b"{}"):
        profile.returns(content)
    assert [profile.policy.text(), profile.policy.text()] == [POLICY, POLICY]
    assert not profile.policy.refresh()
    assert profile.policy.refresh()
    assert profile.policy.text() == "{}"


def test_a_session_that_ended_is_begun_again_and_the_same_policy_is_no_change(profile: Profile) -> None:
    """Tokens expire after a day. The text stays known meanwhile."""
    profile.session()
    profile.returns(POLICY.encode())
    profile.fails("BadRequestException")
    profile.session()
    profile.returns(POLICY.encode())
    assert profile.policy.text() == POLICY
    with pytest.raises(PolicyUnavailable, match=PROFILE):
        profile.policy.refresh()
    assert profile.policy.text() == POLICY
    assert not profile.policy.refresh()


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException", "InternalServerException"])
def test_an_error_names_the_profile_and_the_reason(profile: Profile, code: str) -> None:
    """A person reads it in the notification."""
    profile.session()
    profile.fails(code)
    with pytest.raises(PolicyUnavailable, match=f"{PROFILE}: .*{code}"):
        profile.policy.text()


def test_a_profile_without_a_deployed_version_has_no_policy(profile: Profile) -> None:
    """Its content is empty."""
    profile.session()
    profile.returns(b"")
    with pytest.raises(PolicyUnavailable, match="no version is deployed"):
        profile.policy.text()


def test_content_that_is_not_utf_8_is_no_policy(profile: Profile) -> None:
    """It can be any file."""
    profile.session()
    profile.returns(b"\xff\xfe{}")
    with pytest.raises(PolicyUnavailable, match="utf-8"):
        profile.policy.text()


@pytest.mark.parametrize("char", [" ", "\u20ac"])
def test_content_of_any_size_is_read_only_as_far_as_a_policy_may_be_long(profile: Profile, char: str) -> None:
    """The policy refuses it because of its length, also if it is cut within a character."""
    profile.session()
    profile.returns((char * 700_000).encode()[:1_048_576])
    with pytest.raises(PolicyError, match="characters; write at most"):
        Policy.from_json(profile.policy.text())


def test_an_answer_without_content_is_no_policy() -> None:
    """The function uses the last good one."""

    class Odd:
        """A client whose answers lack what the service describes."""

        def start_configuration_session(self, **_asked: object) -> dict[str, str]:
            return {"InitialConfigurationToken": "token"}

        def get_latest_configuration(self, **_asked: object) -> dict[str, str]:
            return {"NextPollConfigurationToken": "token"}

    odd: Any = Odd()
    with pytest.raises(PolicyUnavailable, match="Configuration"):
        AppConfigPolicy(lambda: odd, PROFILE).text()


def test_without_a_network_the_policy_is_unavailable() -> None:
    """Also if the client cannot be made."""

    def fail() -> Any:
        raise EndpointConnectionError(endpoint_url="https://appconfigdata")

    with pytest.raises(PolicyUnavailable, match="Could not connect"):
        AppConfigPolicy(fail, PROFILE).text()
