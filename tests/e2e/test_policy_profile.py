"""The policy in an AppConfig profile of the AWS emulator."""

from __future__ import annotations

import os
from typing import Any

import boto3
import pytest

from flowwarden.aws.appconfig import AppConfigPolicy
from flowwarden.errors import PolicyUnavailable
from local.environment import CREDENTIALS
from local.sandbox import State

pytestmark = pytest.mark.e2e

FIRST, SECOND = '{"exempt": ["10.0.9.9"]}', '{"exempt": ["10.0.9.8"]}'


class Profile:
    """A freeform hosted profile."""

    def __init__(self, endpoint: str) -> None:
        self._session = boto3.Session(
            CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"], region_name="us-east-1"
        )
        self._endpoint = endpoint
        self._config: Any = self.client("appconfig")
        name = f"flow-warden-{os.getpid()}"
        self._application = self._config.create_application(Name=name)["Id"]
        self._environment = self._config.create_environment(ApplicationId=self._application, Name=name)["Id"]
        self._profile = self._config.create_configuration_profile(
            ApplicationId=self._application, Name=name, LocationUri="hosted", Type="AWS.Freeform"
        )["Id"]
        self._strategy = self._config.create_deployment_strategy(
            Name=name, DeploymentDurationInMinutes=0, GrowthFactor=100, FinalBakeTimeInMinutes=0
        )["Id"]

    @property
    def ids(self) -> str:
        """As the parameter `PolicyProfile` names it."""
        return f"{self._application}/{self._environment}/{self._profile}"

    def client(self, service: Any) -> Any:
        """A client on the emulator."""
        return self._session.client(service, endpoint_url=self._endpoint)

    def deploy(self, text: str) -> None:
        """Deploy a version of the policy."""
        version = self._config.create_hosted_configuration_version(
            ApplicationId=self._application, ConfigurationProfileId=self._profile,
            Content=text.encode(), ContentType="application/json",
        )["VersionNumber"]  # fmt: skip
        self._config.start_deployment(
            ApplicationId=self._application, EnvironmentId=self._environment,
            ConfigurationProfileId=self._profile, ConfigurationVersion=str(version),
            DeploymentStrategyId=self._strategy,
        )  # fmt: skip


def test_a_container_reads_the_deployed_version_and_each_new_one_once(state: State) -> None:
    """Before the first deployment there is none, which is an error."""
    profile = Profile(state.endpoint)
    policy = AppConfigPolicy(lambda: profile.client("appconfigdata"), profile.ids)
    with pytest.raises(PolicyUnavailable, match=profile.ids):
        policy.text()
    profile.deploy(FIRST)
    assert [policy.text(), policy.refresh(), policy.text()] == [FIRST, False, FIRST]
    profile.deploy(SECOND)
    assert [policy.refresh(), policy.text(), policy.refresh()] == [True, SECOND, False]
