"""The token that makes a creation safe to repeat."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from flowwarden.compliance.desired import MANAGED_TAG, DesiredFlowLog, managed_tags

DESIRED = DesiredFlowLog(
    log_group_name="/flow-warden/flow-logs",
    delivery_role_arn="arn:aws:iam::111122223333:role/delivery",
    log_format="${version} ${srcaddr}",
    tags={"a": "1", "b": "2"},
)


def test_token_is_the_same_for_the_same_vpc_and_configuration() -> None:
    """Retries and concurrent runs ask for one and the same flow log; the order of tags is no difference."""
    again = msgspec.structs.replace(DESIRED, tags={"b": "2", "a": "1"})
    assert DESIRED.client_token("vpc-1") == again.client_token("vpc-1")


def test_token_is_what_ec2_allows() -> None:
    """EC2 takes at most 64 ASCII characters."""
    token = DESIRED.client_token("vpc-1", ["fl-1"])
    assert len(token) == 64
    assert token.isascii()


@pytest.mark.parametrize(
    "change",
    [
        {"log_group_name": "/other"},
        {"delivery_role_arn": "arn:aws:iam::111122223333:role/other"},
        {"log_format": "${version}"},
        {"max_aggregation_interval": 600},
        {"traffic_type": "REJECT"},
        {"tags": {}},
    ],
)
def test_token_changes_with_every_part_of_the_configuration(change: dict[str, Any]) -> None:
    """EC2 refuses a used token with other parameters."""
    other = msgspec.structs.replace(DESIRED, **change)
    assert other.client_token("vpc-1") != DESIRED.client_token("vpc-1")


def test_token_changes_with_the_vpc() -> None:
    """Each VPC gets its own flow log."""
    assert DESIRED.client_token("vpc-1") != DESIRED.client_token("vpc-2")


def test_token_of_a_repair_differs_from_that_of_what_was_deleted() -> None:
    """Otherwise EC2 might answer with the flow log that is gone; the order of ids is no difference."""
    repair = DESIRED.client_token("vpc-1", ["fl-1", "fl-2"])
    assert repair != DESIRED.client_token("vpc-1")
    assert repair == DESIRED.client_token("vpc-1", ["fl-2", "fl-1"])


def test_managed_flow_logs_carry_the_stack_s_name() -> None:
    """The tag tells which stack made a flow log."""
    assert managed_tags("prod")[MANAGED_TAG] == "prod"
