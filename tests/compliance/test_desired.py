"""The token that makes a creation safe to repeat."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.compliance.desired import MANAGED_TAG, DesiredFlowLog, managed_tags

DESIRED = DesiredFlowLog(
    log_group_name="/flow-warden/flow-logs",
    delivery_role_arn="arn:aws:iam::111122223333:role/delivery",
    log_format="${version} ${srcaddr}",
    tags={"a": "1", "b": "2"},
)


def test_token_is_the_same_for_the_same_vpc_and_configuration() -> None:
    """Retries of an event ask for one and the same flow log; the order of tags is no difference."""
    again = msgspec.structs.replace(DESIRED, tags={"b": "2", "a": "1"})
    assert DESIRED.client_token("vpc-1", "8f6d") == again.client_token("vpc-1", "8f6d")


def test_token_is_what_ec2_allows() -> None:
    """EC2 takes at most 64 ASCII characters."""
    token = DESIRED.client_token("vpc-1", "8f6d")
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
    assert other.client_token("vpc-1", "8f6d") != DESIRED.client_token("vpc-1", "8f6d")


def test_token_changes_with_the_vpc() -> None:
    """Each VPC gets its own flow log."""
    assert DESIRED.client_token("vpc-1", "8f6d") != DESIRED.client_token("vpc-2", "8f6d")


def test_token_changes_with_the_occasion() -> None:
    """Otherwise EC2 might answer a repair with the flow log that is gone."""
    assert DESIRED.client_token("vpc-1", "8f6d") != DESIRED.client_token("vpc-1", "8f6e")


@given(st.lists(st.tuples(st.text(), st.text()), min_size=2, max_size=2, unique=True))
def test_tokens_of_different_requests_differ(requests: list[tuple[str, str]]) -> None:
    """No VPC and occasion run together into those of another request."""
    one, two = (DESIRED.client_token(*each) for each in requests)
    assert one != two


def test_managed_flow_logs_carry_the_stack_s_name() -> None:
    """The tag tells which stack made a flow log."""
    assert managed_tags("prod")[MANAGED_TAG] == "prod"
