"""The functions, who may invoke them, and the account's limits, as Lambda describes them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from flowwarden.aws.answers import Answer, Malformed
from flowwarden.aws.doctor.reading import fact
from flowwarden.doctor.fact import Fact
from flowwarden.doctor.facts import AccountLimits, FunctionState, Permission

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_lambda import LambdaClient

CALLER_ACTIONS: Final = (
    "lambda:GetFunctionConfiguration",
    "lambda:GetFunctionConcurrency",
    "lambda:GetFunctionEventInvokeConfig",
    "lambda:GetPolicy",
    "lambda:GetAccountSettings",
)
"""The IAM actions that the credentials of the caller need for this file."""


class FunctionReader:
    """Functions of the client's account and Region."""

    def __init__(self, client: LambdaClient) -> None:
        self._client = client

    def function(self, name: str) -> Fact[FunctionState]:
        """The state and settings of a function."""
        return fact("GetFunctionConfiguration", lambda: self._function(name))

    def _function(self, name: str) -> FunctionState:
        found = Answer(self._client.get_function_configuration(FunctionName=name))
        return FunctionState(
            name=name,
            state=found.text("State"),
            state_reason=found.text("StateReason"),
            update=found.text("LastUpdateStatus"),
            update_reason=found.text("LastUpdateStatusReason"),
            runtime=found.text("Runtime"),
            layers=tuple(each.text("Arn") for each in found.each("Layers")),
            variables=found.inner("Environment").by_name("Variables"),
            reserved=fact("GetFunctionConcurrency", lambda: self._reserved(name)),
            on_failure=fact("GetFunctionEventInvokeConfig", lambda: self._on_failure(name)),
        )

    def _reserved(self, name: str) -> int | None:
        found = Answer(self._client.get_function_concurrency(FunctionName=name))
        return found.number("ReservedConcurrentExecutions")

    def _on_failure(self, name: str) -> str:
        found = Answer(self._client.get_function_event_invoke_config(FunctionName=name))
        return found.inner("DestinationConfig").inner("OnFailure").text("Destination")

    def permissions(self, name: str) -> Fact[tuple[Permission, ...]]:
        """The statements of a function's policy; None if it has no policy."""
        return fact("GetPolicy", lambda: self._permissions(name))

    def _permissions(self, name: str) -> tuple[Permission, ...]:
        text = Answer(self._client.get_policy(FunctionName=name)).demand("Policy")
        try:
            document = json.loads(text)
        except ValueError as error:
            raise Malformed("the function's policy is not JSON") from error
        return tuple(_permissions(Answer(document)))

    def limits(self) -> Fact[AccountLimits]:
        """The concurrency of the account."""
        return fact("GetAccountSettings", self._limits)

    def _limits(self) -> AccountLimits:
        found = Answer(self._client.get_account_settings()).inner("AccountLimit")
        whole, left = found.number("ConcurrentExecutions"), found.number("UnreservedConcurrentExecutions")
        if whole is None or left is None:
            raise Malformed("the response has no concurrency")
        return AccountLimits(concurrency=whole, unreserved=left)


def _permissions(policy: Answer) -> Iterator[Permission]:
    """What the statements allow to services, without those that other conditions restrict in unknown ways."""
    for each in policy.each("Statement"):
        principal = each.value("Principal")
        service = principal.get("Service") if isinstance(principal, Mapping) else principal
        if each.text("Effect") == "Allow" and isinstance(service, str):
            condition = each.inner("Condition")
            yield Permission(
                service=service,
                source=_of_condition(condition, "aws:sourcearn"),
                account=_of_condition(condition, "aws:sourceaccount"),
                statement_id=each.text("Sid"),
            )


def _of_condition(condition: Answer, wanted: str) -> str:
    """The value for a key, such as the pattern for the source's ARN; names of keys are case-insensitive."""
    for operator in condition.names:
        for key, value in condition.by_name(operator).items():
            if key.lower() == wanted:
                return value
    return ""
