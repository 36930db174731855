"""Reading a deployed stack: what counts as not deployed, and what as an error."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError, NoRegionError, ProfileNotFound

from flowwarden.aws.cloudformation import enforcer_environment, stack_outputs
from flowwarden.errors import NotDeployed, SettingsError, StackDenied


class Answers:
    """CloudFormation and Lambda with one answer each; an exception is raised."""

    class Meta:
        """The metadata of a client."""

        region_name = "eu-west-1"

    meta = Meta()

    def __init__(self, stack: Exception | None = None, function: Exception | None = None) -> None:
        self._stack, self._function = stack, function

    def __call__(self, _service: str, *, region_name: str | None) -> Answers:
        """The client of either service."""
        assert region_name == "eu-west-1"
        return self

    def describe_stack_resource(self, **_arguments: str) -> dict[str, Any]:
        """CloudFormation's."""
        if self._stack:
            raise self._stack
        return {"StackResourceDetail": {"PhysicalResourceId": "enforcer"}}

    def describe_stacks(self, **_arguments: str) -> dict[str, Any]:
        """CloudFormation's."""
        if self._stack:
            raise self._stack
        return {"Stacks": [{"Outputs": [{"OutputKey": "Queue", "OutputValue": "https://x"}]}]}

    def get_function_configuration(self, *, FunctionName: str) -> dict[str, Any]:  # noqa: N803  boto3's
        """Lambda's."""
        if self._function:
            raise self._function
        return {"Environment": {"Variables": {"FUNCTION": FunctionName}}}


def refused(code: str, message: str) -> ClientError:
    """An error of AWS."""
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


def test_the_environment_is_that_of_the_function_and_has_the_region() -> None:
    """Lambda sets the Region itself."""
    found = enforcer_environment("flow-warden", "eu-west-1", Answers())
    assert found == {"FUNCTION": "enforcer", "AWS_REGION": "eu-west-1"}


@pytest.mark.parametrize(
    "answers",
    [
        Answers(refused("ValidationError", "Stack 'flow-warden' does not exist")),
        Answers(refused("ValidationError", "Resource EnforcerFunction does not exist for stack flow-warden")),
        Answers(function=refused("ResourceNotFoundException", "Function not found: enforcer")),
    ],
)
def test_a_missing_stack_resource_or_function_is_not_deployed(answers: Answers) -> None:
    """As before the first deployment, and after one that failed."""
    with pytest.raises(NotDeployed, match="cannot read stack flow-warden in eu-west-1"):
        enforcer_environment("flow-warden", "eu-west-1", answers)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (NoRegionError(), "no Region is set; write --region REGION, or set AWS_REGION"),
        (NoCredentialsError(), "there are no AWS credentials; sign in with the AWS CLI, or set AWS_PROFILE"),
        (refused("ExpiredToken", "The token has expired"), "sign in again with the AWS CLI"),
        (ProfileNotFound(profile="x"), r"profile \(x\) could not be found; sign in again"),
    ],
)
def test_what_the_caller_can_correct_is_said(error: Exception, message: str) -> None:
    """In words, instead of the SDK's."""
    with pytest.raises(
        SettingsError, match=f"cannot read stack flow-warden in eu-west-1: .*{message}"
    ) as raised:
        enforcer_environment("flow-warden", "eu-west-1", Answers(error))
    assert not isinstance(raised.value, StackDenied)


def test_a_missing_permission_is_an_error_of_its_own() -> None:
    """A plan on the defaults needs none."""
    with pytest.raises(StackDenied, match="not authorized"):
        enforcer_environment("flow-warden", "eu-west-1", Answers(refused("AccessDenied", "not authorized")))


@pytest.mark.parametrize(
    "error",
    [
        refused("AccessDenied", "User is not authorized; the stack does not exist"),
        refused("ValidationError", "1 validation error detected"),
        refused("Throttling", "Rate exceeded"),
        NoRegionError(),
    ],
)
def test_other_errors_do_not_mean_that_there_is_no_stack(error: Exception) -> None:
    """A plan on the defaults would be wrong then."""
    with pytest.raises(SettingsError) as raised:
        enforcer_environment("flow-warden", "eu-west-1", Answers(error))
    assert not isinstance(raised.value, NotDeployed)


def test_the_outputs_are_read_with_the_region() -> None:
    """By name."""
    found = stack_outputs("flow-warden", "eu-west-1", Answers())
    assert (found.region, found.values) == ("eu-west-1", {"Queue": "https://x"})


def test_the_outputs_of_a_missing_stack_are_an_error_with_its_name() -> None:
    """As those of the environment; a refusal does not mean that there is no stack."""
    missing = Answers(refused("ValidationError", "Stack with id flow-warden does not exist"))
    with pytest.raises(NotDeployed, match="cannot read stack flow-warden in eu-west-1"):
        stack_outputs("flow-warden", "eu-west-1", missing)
    with pytest.raises(StackDenied, match="AccessDenied"):
        stack_outputs("flow-warden", "eu-west-1", Answers(refused("AccessDenied", "not authorized")))
