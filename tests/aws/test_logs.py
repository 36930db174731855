"""Log groups on moto, and refused calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from moto import mock_aws

from flowwarden.aws.logs import LogGroups
from flowwarden.enforcer.decide.log_groups import (
    AssociateKmsKey,
    CreateLogGroup,
    LogGroupStep,
    ProtectLogGroup,
    PutRetentionPolicy,
    PutSubscriptionFilter,
)
from flowwarden.enforcer.state.inventory import FoundSubscription, LogGroup, Subscription
from flowwarden.errors import CallFailed, CallRefused, CallThrottled, EnforcementError, NotAvailable
from tests.aws.clients import REGION, client

GROUP = "/flow-warden/flow-logs"
STREAM = f"arn:aws:kinesis:{REGION}:123456789012:stream/lines"
KEY = f"arn:aws:kms:{REGION}:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.fixture
def groups() -> Iterator[LogGroups]:
    """An account on moto, with a stream as a subscription destination."""
    with mock_aws():
        client("kinesis").create_stream(StreamName="lines", ShardCount=1)
        yield LogGroups(client("logs"))


def test_creating_retaining_and_subscribing_a_log_group_is_idempotent(groups: LogGroups) -> None:
    """The changes read back as made."""
    steps: list[LogGroupStep] = [
        CreateLogGroup(group=GROUP, kms_key_arn=""),
        PutRetentionPolicy(group=GROUP, days=30, reason="x"),
        PutSubscriptionFilter(
            group=GROUP, subscription=Subscription(name="flow-warden", destination_arn=STREAM), reason="x"
        ),
    ]
    for step in [*steps, *steps]:
        groups.carry_out(step)
    (found,) = groups.groups([GROUP])
    assert found.created_at is not None
    assert found == LogGroup(
        name=GROUP,
        retention_days=30,
        subscriptions=(
            FoundSubscription(name="flow-warden", destination_arn=STREAM, creation_time=found.created_at),
        ),
        created_at=found.created_at,
    )


def test_groups_are_found_by_their_names(groups: LogGroups) -> None:
    """Groups with the same prefix are left out."""
    for name in (GROUP, f"{GROUP}-0a1b2c3d", f"{GROUP}-2", f"{GROUP}2", "/aws/lambda/x"):
        groups.carry_out(CreateLogGroup(group=name, kms_key_arn=""))
    assert [each.name for each in groups.groups([f"{GROUP}-0a1b2c3d", GROUP])] == [GROUP, f"{GROUP}-0a1b2c3d"]


@pytest.mark.parametrize("log_class", ["INFREQUENT_ACCESS", "DELIVERY", "A_LATER_ONE"])
def test_a_group_of_another_class_is_described_without_asking_for_filters(log_class: str) -> None:
    """Asking is refused, and must not hide the other groups."""
    logs = client("logs")
    with Stubber(logs) as stub:
        described: list[dict[str, Any]] = [
            {"logGroupName": f"{GROUP}-pci", "logGroupClass": log_class, "retentionInDays": 365},
            {"logGroupName": GROUP, "logGroupClass": "STANDARD"},
            {"logGroupName": f"{GROUP}-old"},
        ]
        stub.add_response("describe_log_groups", {"logGroups": described}, {"logGroupNamePrefix": GROUP})
        for name in (GROUP, f"{GROUP}-old"):
            answer = {"subscriptionFilters": [{"filterName": "flow-warden", "destinationArn": STREAM}]}
            stub.add_response("describe_subscription_filters", answer, {"logGroupName": name})
        found = list(LogGroups(logs).groups([each["logGroupName"] for each in described]))
        stub.assert_no_pending_responses()
    assert [(each.log_class, len(each.subscriptions)) for each in found] == [
        (log_class, 0),
        ("STANDARD", 1),
        ("STANDARD", 1),
    ]
    assert found[0].retention_days == 365


def test_a_group_that_is_gone_meanwhile_counts_as_missing() -> None:
    """The others are described, and the plan creates it again."""
    logs = client("logs")
    with Stubber(logs) as stub:
        names = [GROUP, f"{GROUP}-pci"]
        stub.add_response("describe_log_groups", {"logGroups": [{"logGroupName": each} for each in names]})
        stub.add_client_error("describe_subscription_filters", "ResourceNotFoundException")
        stub.add_response("describe_subscription_filters", {"subscriptionFilters": []})
        assert [each.name for each in LogGroups(logs).groups(names)] == names[1:]


def test_a_log_group_is_created_without_naming_a_class(groups: LogGroups) -> None:
    """Some Regions refuse any class by name; the default is STANDARD."""
    logs = client("logs")
    with Stubber(logs) as stub:
        stub.add_response("create_log_group", {}, {"logGroupName": GROUP})
        LogGroups(logs).carry_out(CreateLogGroup(group=GROUP, kms_key_arn=""))
    groups.carry_out(CreateLogGroup(group=GROUP, kms_key_arn=""))
    assert [each.log_class for each in groups.groups([GROUP])] == ["STANDARD"]


def test_a_key_is_associated() -> None:
    """On a stub, because moto does not support it."""
    logs = client("logs")
    with Stubber(logs) as stub:
        stub.add_response("associate_kms_key", {}, {"logGroupName": GROUP, "kmsKeyId": KEY})
        LogGroups(logs).carry_out(AssociateKmsKey(group=GROUP, kms_key_arn=KEY, reason="x"))
        asked = {"logGroupName": GROUP, "kmsKeyId": KEY}
        stub.add_response("create_log_group", {}, asked)
        LogGroups(logs).carry_out(CreateLogGroup(group=GROUP, kms_key_arn=KEY))
        stub.assert_no_pending_responses()


@pytest.mark.parametrize("described", [True, False, None])
def test_the_protection_of_a_group_is_described(described: bool | None) -> None:  # noqa: FBT001  as described
    """On a stub: no emulator has it, and it was not seen on a live account."""
    logs = client("logs")
    group = {"logGroupName": GROUP} | ({} if described is None else {"deletionProtectionEnabled": described})
    with Stubber(logs) as stub:
        stub.add_response("describe_log_groups", {"logGroups": [group]})
        stub.add_response("describe_subscription_filters", {"subscriptionFilters": []})
        (found,) = LogGroups(logs).groups([GROUP])
    assert found.is_protected is described


def test_a_group_is_protected_from_deletion() -> None:
    """By its name."""
    logs = client("logs")
    with Stubber(logs) as stub:
        asked = {"logGroupIdentifier": GROUP, "deletionProtectionEnabled": True}
        stub.add_response("put_log_group_deletion_protection", {}, asked)
        LogGroups(logs).carry_out(ProtectLogGroup(group=GROUP))
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "message", "error"),
    [
        ("UnknownOperationException", "", NotAvailable),
        ("InvalidOperationException", "Unknown action: PutLogGroupDeletionProtection", NotAvailable),
        ("InvalidOperationException", "not on this group", CallRefused),
        ("AccessDeniedException", "no", CallRefused),
        ("ThrottlingException", "slow", CallThrottled),
    ],
)
def test_a_region_without_protection_is_no_refusal(
    code: str, message: str, error: type[EnforcementError]
) -> None:
    """Nor is an SDK that does not know the operation; another service stands for it here."""
    logs = client("logs")
    with Stubber(logs) as stub:
        stub.add_client_error("put_log_group_deletion_protection", code, message)
        with pytest.raises(error):
            LogGroups(logs).carry_out(ProtectLogGroup(group=GROUP))
    with pytest.raises(NotAvailable, match="not available in this runtime"):
        LogGroups(client("sts")).carry_out(ProtectLogGroup(group=GROUP))


class Refusing:
    """A client whose calls are refused with a code."""

    def __init__(self, code: str) -> None:
        self._code = code

    def __getattr__(self, call: str) -> Any:
        def refuse(**_: object) -> None:
            raise ClientError({"Error": {"Code": self._code, "Message": "no"}}, call)

        return refuse


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ThrottlingException", CallThrottled),
        ("OperationAbortedException", CallFailed),
        ("ServiceUnavailableException", CallFailed),
        ("AccessDeniedException", CallRefused),
        ("LimitExceededException", CallRefused),
        ("InvalidParameterException", CallRefused),
    ],
)
def test_a_refused_call_raises_its_error(code: str, error: type[EnforcementError]) -> None:
    """A group has at most two filters: reaching this limit is not throttling."""
    step = PutSubscriptionFilter(
        group=GROUP, subscription=Subscription(name="flow-warden", destination_arn=STREAM), reason="x"
    )
    with pytest.raises(error, match=code):
        LogGroups(cast("Any", Refusing(code))).carry_out(step)
