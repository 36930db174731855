"""Classification of error codes: throttling is transient, a reached quota is not."""

from __future__ import annotations

import pytest

from flowwarden.aws.errors import classify
from flowwarden.errors import CallFailed, CallRefused, CallThrottled


@pytest.mark.parametrize(
    "code", ["RequestLimitExceeded", "BandwidthLimitExceeded", "ThrottlingException", "EC2ThrottledException"]
)
def test_too_many_calls_are_throttling_whatever_limit_the_code_names(code: str) -> None:
    """The same call succeeds after a while."""
    assert isinstance(classify("CreateFlowLogs", code, "slower"), CallThrottled)


@pytest.mark.parametrize(
    ("code", "quota", "action"),
    [
        ("FlowLogLimitExceeded", "flow logs per resource", "delete duplicate"),
        ("FlowLogsLimitExceeded", "flow logs per resource", "request a higher quota"),
        ("LimitExceededException", "a quota of CloudWatch Logs", "request a higher quota"),
        ("TagLimitExceeded", "50 tags per resource", "remove tags from the policy"),
        ("VpcLimitExceeded", "the quota named in the error", "Service Quotas console"),
        ("ServiceQuotaExceededException", "the quota named in the error", "Service Quotas console"),
    ],
)
def test_a_reached_quota_is_refused_and_named_with_an_action(code: str, quota: str, action: str) -> None:
    """Retrying the call does not help."""
    error = classify("CreateFlowLogs", code, "no more")
    assert isinstance(error, CallRefused)
    for part in (code, quota, action, "AWS says: no more"):
        assert part in str(error)


def test_other_refusals_are_not_quotas() -> None:
    """An outage is neither a refusal nor a quota."""
    assert "quota" not in str(classify("CreateFlowLogs", "InvalidParameter", "no"))
    outage = classify("CreateFlowLogs", "InternalError", "later")
    assert isinstance(outage, CallFailed)
    assert not isinstance(outage, CallThrottled)
