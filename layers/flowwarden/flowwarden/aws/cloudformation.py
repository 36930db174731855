"""Reads a deployed stack, for the command line: the environment of its enforcer, and its outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from flowwarden.aws.answers import Answer, Malformed
from flowwarden.aws.caller import is_denied, reason
from flowwarden.errors import NotDeployed, SettingsError, StackDenied

ENFORCER = "EnforcerFunction"
"""The logical id of the function in the template."""


def enforcer_environment(
    stack: str,
    region: str | None,
    client: Callable[..., Any] = boto3.client,
) -> dict[str, str]:
    """The environment variables of the stack's enforcer, with `AWS_REGION`, which Lambda itself sets.

    The caller needs cloudformation:DescribeStackResource and lambda:GetFunctionConfiguration.

    Args:
        stack: the stack's name.
        region: its Region; None for that of the environment or the profile.
        client: creates the client of a service in a Region.

    Raises:
        NotDeployed: there is no such stack, or it has no enforcer.
        StackDenied: the caller has no permission.
        SettingsError: the caller has no Region or credentials, or AWS does not respond.
    """
    with stack_errors(stack, region):
        stacks = client("cloudformation", region_name=region)
        found = Answer(stacks.describe_stack_resource(StackName=stack, LogicalResourceId=ENFORCER))
        function = found.inner("StackResourceDetail").demand("PhysicalResourceId")
        functions = client("lambda", region_name=region)
        configuration = Answer(functions.get_function_configuration(FunctionName=function))
        variables = configuration.inner("Environment").by_name("Variables")
    return {**variables, "AWS_REGION": stacks.meta.region_name}


class StackOutputs(Struct, frozen=True):
    """The outputs of a stack by name, and its Region."""

    region: str
    values: Mapping[str, str]


def check_outputs(stack: str, found: StackOutputs, names: Iterable[str]) -> None:
    """Raise SettingsError if one of these outputs is missing."""
    for name in names:
        if not found.values.get(name):
            raise SettingsError(f"stack {stack} has no output {name}: deploy this version of it")


def stack_outputs(
    stack: str,
    region: str | None,
    client: Callable[..., Any] = boto3.client,
) -> StackOutputs:
    """The outputs of a deployed stack. The caller needs cloudformation:DescribeStacks.

    Args and errors are those of `enforcer_environment`.
    """
    with stack_errors(stack, region):
        stacks = client("cloudformation", region_name=region)
        found = Answer(stacks.describe_stacks(StackName=stack)).each("Stacks")
        outputs = found[0].each("Outputs") if found else []
        values = {each.text("OutputKey"): each.text("OutputValue") for each in outputs}
    return StackOutputs(stacks.meta.region_name, values)


@contextmanager
def stack_errors(stack: str, region: str | None) -> Iterator[None]:
    """Convert the errors of a look-up of a stack. Raises NotDeployed, StackDenied and SettingsError."""
    try:
        yield
    except (ClientError, BotoCoreError, Malformed, ValueError) as error:  # ValueError: the endpoint's URL
        where = f"stack {stack} in {region}" if region else f"stack {stack}"
        kind = StackDenied if is_denied(error) else NotDeployed if _is_missing(error) else SettingsError
        raise kind(f"cannot read {where}: {reason(error)}") from error


def _is_missing(error: Exception) -> bool:
    """Whether AWS answered that the stack, its resource or the function does not exist.

    CloudFormation has no separate error code for a missing stack or resource.
    """
    if not isinstance(error, ClientError):
        return False
    answer = Answer(error.response).inner("Error")
    code, message = answer.text("Code"), answer.text("Message")
    return code == "ResourceNotFoundException" or (code == "ValidationError" and "does not exist" in message)
