"""Recommended actions: from the code and, where that says nothing or too little, from the message."""

from __future__ import annotations

import pytest

from flowwarden.aws import hints
from flowwarden.aws.ec2 import flow_logs
from flowwarden.aws.errors import classify
from flowwarden.errors import (
    CallFailed,
    CallRefused,
    CallThrottled,
    EnforcementError,
    FlowLogExists,
    NotFound,
    VpcGone,
)

ROLE = "arn:aws:sts::111122223333:assumed-role/enforcer/x"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

BY_MESSAGE = [
    ("Access Denied for LogDestination: flows. Please check LogDestination permission", hints.DESTINATION),
    ("LogDestination: flows does not exist", hints.DESTINATION),
    ("LogDestination: arn:aws:s3:::flows is undeliverable", hints.DESTINATION),
    ("The log destination is not in this account", hints.DESTINATION),
    (f"User: {ROLE} is not authorized to perform: ec2:CreateFlowLogs", hints.PERMISSION),
    ("Access Denied", hints.PERMISSION),
    ("UnauthorizedOperation: You are not authorized to perform this operation.", hints.PERMISSION),
    ("with an explicit deny in a service control policy", hints.PERMISSION),
    ("The maximum number of flow logs has been reached", hints.FLOW_LOGS),
    ("FlowLogLimitExceeded", hints.FLOW_LOGS),
    ("The limit for flow logs per resource is 2", hints.FLOW_LOGS),
    ("You have exceeded your quota of delivery streams", hints.OTHER_QUOTA),
    ("DeliverLogsPermissionArn must name a role", hints.TRUST),
    ("The transit gateway does not exist", hints.GONE),
    (f"The key {KEY} (AWS KMS) is disabled", hints.KEY),
    ("Something else", hints.OTHER),
]


@pytest.mark.parametrize("code", ["400", "403", ""])
@pytest.mark.parametrize(("message", "action"), BY_MESSAGE)
def test_a_code_that_says_nothing_leaves_the_hint_to_the_message(
    code: str, message: str, action: str
) -> None:
    """As an item of CreateFlowLogs may have it, and as an exception."""
    for error in (
        flow_logs.classify("CreateFlowLogs", code, message),
        classify("PutRetentionPolicy", code, message, 400),
    ):
        assert type(error) is CallRefused
        assert f"{action}. AWS says: {message}" in str(error)


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("400", "Unable to assume given IAM role", CallFailed),
        ("400", "There is an existing Flow Log with the same configuration.", FlowLogExists),
        ("400", "FlowLogAlreadyExists: vpc-1", FlowLogExists),
        ("400", "InvalidVpcID.NotFound: The vpc ID 'vpc-1' does not exist", VpcGone),
        ("400", "InvalidFlowLogId.NotFound: fl-1", NotFound),
        ("400", "Rate exceeded", CallThrottled),
        ("400", "RequestLimitExceeded", CallThrottled),
        ("400", "Request was throttled", CallThrottled),
        ("429", "", CallThrottled),
        ("400", "InternalError: try again", CallFailed),
        ("500", "", CallFailed),
        ("503", "Access Denied for LogDestination", CallFailed),
        ("InvalidParameter", "an existing flow log with the same tags is listed", CallRefused),
        ("InvalidParameter", "The rate exceeded what is allowed", CallRefused),
    ],
)
def test_a_code_that_says_nothing_leaves_the_kind_to_the_message(
    code: str, message: str, kind: type[EnforcementError]
) -> None:
    """A code that says something is not overruled."""
    assert type(flow_logs.classify("CreateFlowLogs", code, message)) is kind


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("AccessDeniedException", f"The specified KMS key does not exist or is not allowed: {KEY}"),
        ("AccessDeniedException", f"{ROLE} is not authorized to perform: kms:DescribeKey on {KEY}"),
        ("InvalidParameterException", "The specified KMS Key Id could not be found."),
        ("InvalidParameterException", "Check the key policy"),
        ("KMSInvalidStateException", "pending deletion"),
        ("KMSAccessDeniedException", ""),
        ("KMSNotFoundException", ""),
        ("400", "KMSDisabledException"),
    ],
)
@pytest.mark.parametrize("call", ["CreateLogGroup", "AssociateKmsKey", "PutSubscriptionFilter"])
def test_a_refusal_because_of_a_key_names_the_key_policy(call: str, code: str, message: str) -> None:
    """The permissions of the enforcer's role would be the wrong place to search."""
    error = classify(call, code, message)
    assert type(error) is CallRefused
    assert "key policy" in str(error)
    assert hints.PERMISSION not in str(error)


def test_a_throttled_key_is_throttling() -> None:
    """The call may succeed later."""
    assert isinstance(classify("CreateLogGroup", "KMSThrottlingException", "slower"), CallThrottled)


@pytest.mark.parametrize("code", ["ValidationException", "InvalidOperationException", "400"])
@pytest.mark.parametrize(
    "message",
    [
        "This operation is only supported on the Standard log class.",
        "Only Standard log class is supported.",
        "The log group class does not allow it",
    ],
)
def test_a_refusal_because_of_a_log_class_says_what_to_do(code: str, message: str) -> None:
    """A class cannot be changed."""
    assert "cannot be changed" in str(classify("PutSubscriptionFilter", code, message))


def test_a_missing_function_is_not_a_missing_log_group() -> None:
    """CloudWatch Logs tests the destination."""
    message = "Could not execute the lambda function. Make sure you have given permission to execute it."
    assert hints.MONITOR in str(classify("PutSubscriptionFilter", "InvalidParameterException", message))
    gone = classify(
        "PutRetentionPolicy", "ResourceNotFoundException", "The specified log group does not exist."
    )
    assert hints.GONE in str(gone)


def test_other_codes_keep_their_own_hint() -> None:
    """The message of a known code does not change it."""
    assert hints.PERMISSION in str(classify("X", "AccessDenied", "The log destination does not exist"))
    assert hints.KEY not in str(classify("CreateTags", "InvalidParameterValue", "Tag key is too long"))
