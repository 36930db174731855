"""Reads the environment of a deployed stack's enforcer, for `flowwarden plan`."""

from __future__ import annotations

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from flowwarden.aws.answers import Answer, Malformed
from flowwarden.errors import SettingsError

ENFORCER = "EnforcerFunction"
"""The logical id of the function in the template."""


def enforcer_environment(stack: str, region: str | None) -> dict[str, str]:
    """The environment of the stack's enforcer, including `AWS_REGION`, which Lambda sets itself.

    The caller needs cloudformation:DescribeStackResource and lambda:GetFunctionConfiguration.

    Raises:
        SettingsError: no such stack, or the caller lacks permission, a region or credentials.
    """
    try:
        stacks = boto3.client("cloudformation", region_name=region)
        found = Answer(stacks.describe_stack_resource(StackName=stack, LogicalResourceId=ENFORCER))
        function = found.inner("StackResourceDetail").demand("PhysicalResourceId")
        functions = boto3.client("lambda", region_name=region)
        configuration = Answer(functions.get_function_configuration(FunctionName=function))
        variables = configuration.inner("Environment").by_name("Variables")
    except (ClientError, BotoCoreError, Malformed, ValueError) as error:  # ValueError: the endpoint's URL
        where = f"stack {stack} in {region}" if region else f"stack {stack}"
        raise SettingsError(f"cannot read {where}: {error}") from error
    return {**variables, "AWS_REGION": stacks.meta.region_name}
