"""What error codes mean: a throttle passes, a quota stays until somebody acts."""

from __future__ import annotations

import pytest

from flowwarden.aws.errors import classify
from flowwarden.errors import CallFailed, CallRefused, CallThrottled


@pytest.mark.parametrize(
    "code", ["RequestLimitExceeded", "BandwidthLimitExceeded", "ThrottlingException", "EC2ThrottledException"]
)
def test_too_many_calls_are_a_throttle_whatever_limit_the_code_names(code: str) -> None:
    """The same call succeeds after a while."""
    assert isinstance(classify("CreateFlowLogs", code, "slower"), CallThrottled)


@pytest.mark.parametrize(
    ("code", "quota", "what"),
    [
        ("FlowLogLimitExceeded", "flow logs per resource", "delete duplicates"),
        ("FlowLogsLimitExceeded", "flow logs per resource", "ask for a higher quota"),
        ("LimitExceededException", "a quota of CloudWatch Logs", "ask for a higher quota"),
        ("TagLimitExceeded", "50 tags per resource", "take tags from the policy"),
        ("VpcLimitExceeded", "the quota that the code names", "Service Quotas console"),
        ("ServiceQuotaExceededException", "the quota that the code names", "Service Quotas console"),
    ],
)
def test_a_quota_is_refused_and_says_which_it_is_and_what_to_do(code: str, quota: str, what: str) -> None:
    """Repeating the call would not help."""
    error = classify("CreateFlowLogs", code, "no more")
    assert isinstance(error, CallRefused)
    for part in (code, quota, what, "AWS says: no more"):
        assert part in str(error)


def test_other_refusals_are_no_quota() -> None:
    """And an outage is neither."""
    assert "quota" not in str(classify("CreateFlowLogs", "InvalidParameter", "no"))
    outage = classify("CreateFlowLogs", "InternalError", "later")
    assert isinstance(outage, CallFailed)
    assert not isinstance(outage, CallThrottled)
