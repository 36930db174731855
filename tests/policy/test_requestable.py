"""A policy with a log format that EC2 would reject is rejected; the message names the field."""

from __future__ import annotations

import json

import pytest

from flowwarden.errors import PolicyError
from flowwarden.policy.policy import Policy
from flowwarden.policy.requestable import field_problems
from flowwarden.records.fields import FIELDS, TRANSIT_GATEWAY_VERSION, Field, Kind
from flowwarden.records.log_format import LogFormat


def is_requestable(field: Field) -> bool:
    """Whether a VPC flow log can have the field, according to the table of fields."""
    is_tag = field.kind is Kind.ENCODED_TEXT
    return field.version != TRANSIT_GATEWAY_VERSION and not field.name.startswith("ecs-") and not is_tag


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_each_field_is_requestable_or_named_in_the_error(field: Field) -> None:
    """Transit gateway, ECS and tag fields are rejected; all others are accepted."""
    log_format = LogFormat(tuple(dict.fromkeys(("version", field.name))))
    problems = list(field_problems(log_format))
    assert (problems == []) is is_requestable(field)
    assert all(problem.startswith(f"{field.name}: ") for problem in problems)


def test_a_misspelled_field_is_rejected_with_its_path_in_the_policy() -> None:
    """EC2 would return InvalidParameter for every VPC."""
    text = '{"flow_logs": {"default": {"log_format": "${version} ${srcadr}"}}}'
    with pytest.raises(PolicyError, match=r"flow_logs\.default\.log_format: srcadr: not a flow log field"):
        Policy.from_json(text)


def test_fields_are_grouped_by_the_reason_of_their_rejection() -> None:
    """There is one message per reason."""
    log_format = LogFormat.parse("${version} ${tgw-id} ${instance-tag} ${asg-tag} ${srcaddr}")
    assert [problem.partition(":")[0] for problem in field_problems(log_format)] == [
        "tgw-id",
        "instance-tag, asg-tag",
    ]


def refusal(**flow_log: str) -> str:
    """The error message for a flow log; empty if it is valid."""
    try:
        Policy.from_json(json.dumps({"flow_logs": {"default": flow_log}}))
    except PolicyError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("text", ["${srcaddr}", "${bytes}", "${version} ${dstaddr}"])
def test_a_format_that_the_monitor_cannot_read_is_rejected_for_log_groups(text: str) -> None:
    """The enforcer would replace working flow logs with ones that the monitor cannot analyze."""
    assert "flow_logs.default.log_format: " in refusal(log_format=text)
    assert "lacks ${" in refusal(log_format=text)


def test_a_format_without_addresses_is_allowed_for_a_bucket() -> None:
    """The monitor does not read buckets."""
    bucket = {"destination_type": "s3", "destination": "arn:aws:s3:::bucket"}
    assert refusal(log_format="${bytes}", **bucket) == ""
