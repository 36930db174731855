"""The statements of the monitor's resource policy that the enforcer adds, on moto and on a stub."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.stub import Stubber

from flowwarden.aws.invoke_permissions import INVOKE, MonitorPermissions
from flowwarden.enforcer.decide.subscriptions import STATEMENTS, AllowInvocation, RevokeInvocation
from flowwarden.errors import CallFailed, CallRefused
from tests.aws.clients import client

ACCOUNT = "111122223333"
MONITOR = f"arn:aws-cn:lambda:cn-north-1:{ACCOUNT}:function:monitor"
SID = f"{STATEMENTS}0123456789abcdef"
ALLOW = AllowInvocation(group="/aws/vpc/*", statement_id=SID)
REVOKE = RevokeInvocation(group="/aws/vpc/*", statement_id=SID)
ADDED = {
    "FunctionName": MONITOR,
    "StatementId": SID,
    "Action": INVOKE,
    "Principal": "logs.amazonaws.com.cn",
    "SourceArn": f"arn:aws-cn:logs:cn-north-1:{ACCOUNT}:log-group:/aws/vpc/*:*",
    "SourceAccount": ACCOUNT,
}
REMOVED = {"FunctionName": MONITOR, "StatementId": SID}


def statement(sid: str, source: str, operator: str = "ArnLike", key: str = "AWS:SourceArn") -> dict[str, Any]:
    """A statement as Lambda describes it."""
    return {"Sid": sid, "Effect": "Allow", "Condition": {operator: {key: source}}}


def policy_of(*statements: dict[str, Any]) -> dict[str, str]:
    """Lambda's answer with these statements."""
    return {"Policy": json.dumps({"Statement": statements})}


def permissions(stub_calls: list[tuple[str, Any, Any]]) -> tuple[MonitorPermissions, Stubber]:
    """The permissions on a stub with these calls: operation, response or error code, parameters."""
    lambda_client = client("lambda")
    stub = Stubber(lambda_client)
    for operation, answer, asked in stub_calls:
        if isinstance(answer, str):
            message = "the statement id already exists" if operation == "add_permission" else "no"
            stub.add_client_error(operation, answer, message, expected_params=asked)
        else:
            stub.add_response(operation, answer, asked)
    stub.activate()
    return MonitorPermissions(lambda_client, MONITOR, ACCOUNT, "amazonaws.com.cn"), stub


def test_one_permission_covers_the_groups_of_a_pattern_in_this_account() -> None:
    """Only CloudWatch Logs of the partition, and only for this account and Region."""
    found, stub = permissions([("add_permission", {}, ADDED), ("remove_permission", {}, REMOVED)])
    found.change(ALLOW)
    found.change(REVOKE)
    stub.assert_no_pending_responses()


def test_a_statement_that_allows_something_else_is_replaced() -> None:
    """Others used the id. One that is gone already is no error."""
    other = policy_of(statement(SID, ADDED["SourceArn"].replace("/aws/vpc/", "/other/")))
    found, stub = permissions(
        [
            ("add_permission", "ResourceConflictException", ADDED),
            ("get_policy", other, {"FunctionName": MONITOR}),
            ("remove_permission", "ResourceNotFoundException", REMOVED),
            ("add_permission", {}, ADDED),
        ]
    )
    found.change(ALLOW)
    stub.assert_no_pending_responses()


def test_a_statement_that_allows_the_same_is_not_touched() -> None:
    """Without it, even for a moment, CloudWatch Logs would drop records."""
    same = policy_of(statement(SID, ADDED["SourceArn"]))
    found, stub = permissions(
        [
            ("add_permission", "ResourceConflictException", ADDED),
            ("get_policy", same, {"FunctionName": MONITOR}),
        ]
    )
    found.change(ALLOW)
    stub.assert_no_pending_responses()


def test_a_statement_that_cannot_be_read_is_not_touched() -> None:
    """It may allow the same. The next run tries again."""
    found, stub = permissions(
        [
            ("add_permission", "ResourceConflictException", ADDED),
            ("get_policy", "AccessDeniedException", {"FunctionName": MONITOR}),
        ]
    )
    with pytest.raises(CallRefused):
        found.change(ALLOW)
    stub.assert_no_pending_responses()


def test_only_statements_of_the_enforcer_are_read() -> None:
    """Those of the template and of others stay as they are."""
    prefix = f"arn:aws-cn:logs:cn-north-1:{ACCOUNT}:log-group:"
    document = {
        "Statement": [
            statement("flow-warden-MonitorInvokePermission-1", f"{prefix}/flow-warden/flow-logs:*"),
            statement(SID, f"{prefix}/aws/vpc/*:*"),
            statement(f"{STATEMENTS}2", f"{prefix}/hub:*", "ArnEquals", "aws:SourceArn"),
            statement(f"{STATEMENTS}3", "*"),
            "no statement",
        ]
    }
    found, _ = permissions([("get_policy", {"Policy": json.dumps(document)}, {"FunctionName": MONITOR})])
    assert found.granted() == {SID: "/aws/vpc/*", f"{STATEMENTS}2": "/hub", f"{STATEMENTS}3": ""}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("ResourceNotFoundException", None),
        ("AccessDeniedException", CallRefused),
        ("ServiceException", CallRefused),
        ({"Policy": "{"}, CallFailed),
    ],
)
def test_without_a_policy_nothing_is_granted_and_an_error_is_raised(
    answer: str | dict[str, str], error: type[Exception] | None
) -> None:
    """A function without statements has no policy."""
    found, _ = permissions([("get_policy", answer, {"FunctionName": MONITOR})])
    if error is None:
        assert found.granted() == {}
    else:
        with pytest.raises(error):
            found.granted()
