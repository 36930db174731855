"""Existing log groups, on moto, and on a stub what moto does not have: classes, quotas, data protection.

The responses of the stub follow the service's description in botocore. None was seen on a live account.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.stub import Stubber
from moto import mock_aws

from flowwarden.aws.existing_log_groups import AT_ONCE, ExistingGroups
from flowwarden.enforcer.decide.subscriptions import Subscribe, Unsubscribe
from flowwarden.enforcer.state.inventory import FoundSubscription, LogGroup, Subscription
from flowwarden.errors import CallFailed, CallRefused, CallThrottled, EnforcementError, NotFound
from tests.aws.clients import REGION, client

STREAM = f"arn:aws:kinesis:{REGION}:123456789012:stream/lines"
OURS = Subscription(name="flow-warden", destination_arn=STREAM)


def describe(
    groups: ExistingGroups, prefixes: list[str], names: list[str] | None = None
) -> dict[str, LogGroup | EnforcementError]:
    """The groups with their subscriptions."""
    listed = groups.listed(prefixes, names)
    there = [each for each in listed.values() if isinstance(each, LogGroup)]
    read = zip(there, groups.subscribed(there), strict=True)
    return listed | {group.name: each for group, each in read}


def subscribe(group: str) -> Subscribe:
    """The step that subscribes a group."""
    return Subscribe(group=group, subscription=OURS, reason="x")


@pytest.fixture
def account() -> Iterator[ExistingGroups]:
    """An account on moto with log groups, and a stream as a destination."""
    with mock_aws():
        client("kinesis").create_stream(StreamName="lines", ShardCount=1)
        logs = client("logs")
        for name in ("/aws/vpc/vpc-1", "/aws/vpc/vpc-2", "/aws/vpc", "/aws/lambda/x"):
            logs.create_log_group(logGroupName=name, tags={"team": name[-1]})
        yield ExistingGroups(logs, lambda: client("resourcegroupstaggingapi"))


def test_subscribing_and_unsubscribing_changes_only_the_filter(account: ExistingGroups) -> None:
    """Both are idempotent. Groups of other prefixes are not described."""
    before = describe(account, ["/aws/vpc/"])
    assert sorted(before) == ["/aws/vpc/vpc-1", "/aws/vpc/vpc-2"]
    assert account.change([subscribe("/aws/vpc/vpc-1")] * 2) == [None, None]
    found = describe(account, ["/aws/vpc/"], ["/aws/vpc/vpc-1"])["/aws/vpc/vpc-1"]
    assert isinstance(found, LogGroup)
    (made,) = found.subscriptions
    assert (made.name, made.destination_arn, made.pattern) == ("flow-warden", STREAM, "")
    assert isinstance(made, FoundSubscription)
    assert made.creation_time is not None
    assert abs(made.creation_time - time.time()) < 60
    away = Unsubscribe(group="/aws/vpc/vpc-1", filter_name="flow-warden", reason="x")
    gone = Unsubscribe(group="/aws/vpc/vpc-9", filter_name="flow-warden", reason="x")
    assert account.change([away, gone]) == [None, None]
    assert account.change([away]) == [None]
    assert describe(account, ["/aws/vpc/"]) == before


def test_a_group_that_is_deleted_meanwhile_is_not_found(account: ExistingGroups) -> None:
    """It was listed before. Others are described."""
    there, gone = LogGroup(name="/aws/vpc/vpc-1"), LogGroup(name="/aws/vpc/vpc-9")
    found = account.subscribed([gone, there])
    assert [type(each) for each in found] == [NotFound, LogGroup]


def test_groups_are_found_by_their_tags(account: ExistingGroups) -> None:
    """`*` is any value."""
    assert account.tagged({"team": "1"}) == {"/aws/vpc/vpc-1"}
    assert account.tagged({"team": "*"}) >= {"/aws/vpc/vpc-1", "/aws/vpc/vpc-2"}
    assert account.tagged({"other": "*"}) == frozenset()


def described(*groups: dict[str, Any], filters: int) -> dict[str, LogGroup | EnforcementError]:
    """What is found of these described groups, of which so many are asked for filters."""
    logs = client("logs")
    with Stubber(logs) as stub:
        stub.add_response("describe_log_groups", {"logGroups": list(groups)}, {"logGroupNamePrefix": "/x/"})
        for _ in range(filters):
            stub.add_response("describe_subscription_filters", {"subscriptionFilters": []})
        found = describe(ExistingGroups(logs, lambda: None), ["/x/"])
        stub.assert_no_pending_responses()
    return found


@pytest.mark.parametrize("log_class", ["INFREQUENT_ACCESS", "DELIVERY", "A_LATER_ONE"])
def test_a_group_of_another_class_is_not_asked_for_filters(log_class: str) -> None:
    """CloudWatch Logs refuses that."""
    found = described(
        {"logGroupName": "/x/1", "logGroupClass": log_class}, {"logGroupName": "/x/2"}, filters=1
    )
    assert [each.log_class for each in found.values() if isinstance(each, LogGroup)] == [
        log_class,
        "STANDARD",
    ]


@pytest.mark.parametrize(
    ("members", "masked"),
    [
        ({"dataProtectionStatus": "ACTIVATED"}, True),
        ({"inheritedProperties": ["ACCOUNT_DATA_PROTECTION"]}, True),
        ({"dataProtectionStatus": "DISABLED", "inheritedProperties": []}, False),
        ({"dataProtectionStatus": "DELETED"}, False),
        ({}, False),
    ],
)
def test_a_data_protection_policy_masks_a_group(members: dict[str, Any], *, masked: bool) -> None:
    """Its own, or that of the account."""
    (found,) = described({"logGroupName": "/x/1", **members}, filters=1).values()
    assert isinstance(found, LogGroup)
    assert found.is_masked is masked


def test_a_listing_that_fails_is_a_value_and_hides_no_other() -> None:
    """Its key is the pattern."""
    logs = client("logs")
    with Stubber(logs) as stub:
        stub.add_client_error("describe_log_groups", "AccessDeniedException", "no")
        stub.add_response("describe_log_groups", {"logGroups": [{"logGroupName": "/y/1"}]})
        stub.add_response("describe_subscription_filters", {"subscriptionFilters": []})
        found = describe(ExistingGroups(logs, lambda: None), ["/x/", "/y/"])
    assert isinstance(found["/x/*"], CallRefused)
    assert isinstance(found["/y/1"], LogGroup)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("LimitExceededException", CallRefused),
        ("AccessDeniedException", CallRefused),
        ("InvalidParameterException", CallRefused),
        ("ThrottlingException", CallThrottled),
        ("OperationAbortedException", CallFailed),
    ],
)
def test_an_error_of_a_change_is_a_value(code: str, error: type[EnforcementError]) -> None:
    """It concerns one group."""
    logs = client("logs")
    with Stubber(logs) as stub:
        stub.add_client_error("put_subscription_filter", code, "no")
        (found,) = ExistingGroups(logs, lambda: None).change([subscribe("/x/1")])
    assert isinstance(found, error)
    assert code in str(found)


class SlowLogs:
    """CloudWatch Logs whose calls take a while, and which counts those that run at a time."""

    def __init__(self, groups: int, seconds: float) -> None:
        self._names = [f"/aws/vpc/vpc-{number:03}" for number in range(groups)]
        self._seconds = seconds
        self._lock = threading.Lock()
        self._running = 0
        self.most = 0
        self.calls = 0

    def get_paginator(self, _operation: str) -> SlowLogs:
        """The paginator of DescribeLogGroups."""
        return self

    def paginate(self, **_: object) -> Iterator[dict[str, Any]]:
        """Pages of fifty."""
        for start in range(0, len(self._names), 50):
            self._call()
            yield {"logGroups": [{"logGroupName": each} for each in self._names[start : start + 50]]}

    def describe_subscription_filters(self, **_: object) -> dict[str, Any]:
        """None."""
        self._call()
        return {"subscriptionFilters": []}

    def put_subscription_filter(self, **_: object) -> None:
        """Succeed."""
        self._call()

    def _call(self) -> None:
        with self._lock:
            self._running += 1
            self.calls += 1
            self.most = max(self.most, self._running)
        time.sleep(self._seconds)
        with self._lock:
            self._running -= 1


def test_five_hundred_groups_take_less_than_a_minute() -> None:
    """At 100 ms a call, a tenth of the scale here: some calls run at a time, in sequence they took 101 s."""
    logs: Any = SlowLogs(500, 0.01)
    groups = ExistingGroups(logs, lambda: None)
    began = time.monotonic()
    found = describe(groups, ["/aws/vpc/"])
    errors = groups.change([subscribe(each) for each in found])
    scaled = (time.monotonic() - began) * 10
    assert errors == [None] * 500
    assert logs.calls == 10 + 500 + 500
    assert logs.most == AT_ONCE
    assert scaled < 60
