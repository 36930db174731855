"""The stack as CloudFormation describes it: its state, parameters, and resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import boto3
from msgspec import Struct

from flowwarden.aws.answers import Answer, Malformed
from flowwarden.aws.clients import Service, make_client
from flowwarden.aws.doctor.reading import items
from flowwarden.doctor.facts import StackState

CALLER_ACTIONS: Final = ("cloudformation:DescribeStacks", "cloudformation:ListStackResources")
"""The IAM actions that the credentials of the caller need for this file."""
_DELETED: Final = "DELETE_COMPLETE"


class Resource(Struct, frozen=True, kw_only=True):
    """A resource of the stack."""

    logical_id: str
    name: str
    """Its physical id: a name, an ARN or a URL."""
    kind: str
    """Its type, such as `AWS::Events::Rule`."""
    deleted: bool = False


class Described(Struct, frozen=True, kw_only=True):
    """A stack as a whole."""

    arn: str
    state: StackState
    outputs: Mapping[str, str]
    """By name."""


class StackReader:
    """One stack. The methods raise the SDK's errors and `Malformed`."""

    def __init__(self, client: Any, stack: str) -> None:  # noqa: ANN401 - the environment has no stubs of all services
        self._client = client
        self._stack = stack

    def state(self) -> Described:
        """What CloudFormation says of the stack as a whole."""
        found = Answer(self._client.describe_stacks(StackName=self._stack)).each("Stacks")
        if not found:
            raise Malformed("the response has no Stacks")
        (stack, *_) = found
        parameters = {
            each.text("ParameterKey"): each.text("ParameterValue") for each in stack.each("Parameters")
        }
        state = StackState(
            status=stack.text("StackStatus"),
            reason=stack.text("StackStatusReason"),
            drift=stack.inner("DriftInformation").text("StackDriftStatus"),
            created_at=stack.moment("CreationTime"),
            parameters=parameters,
            protected=stack.truth("EnableTerminationProtection") is True,
        )
        outputs = {each.text("OutputKey"): each.text("OutputValue") for each in stack.each("Outputs")}
        return Described(arn=stack.demand("StackId"), state=state, outputs=outputs)

    def resources(self) -> list[Resource]:
        """Its resources that have a name, deleted ones among them."""
        pages = self._client.get_paginator("list_stack_resources").paginate(StackName=self._stack)
        return [
            Resource(
                logical_id=each.text("LogicalResourceId"),
                name=each.text("PhysicalResourceId"),
                kind=each.text("ResourceType"),
                deleted=each.text("ResourceStatus") == _DELETED,
            )
            for each in items(pages, "StackResourceSummaries")
            if each.text("PhysicalResourceId")
        ]


def own_client(service: Service, region: str | None) -> Any:  # noqa: ANN401 - of whichever service
    """The client of a service, with the caller's credentials; None for the Region of the environment."""
    return make_client(service, region) if region else boto3.client(service)
